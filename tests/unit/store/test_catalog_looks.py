"""Looks, thumbnails and relations in the catalog."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mobisearch.store import CatalogReader, CatalogWriter, LookRow, path_range
from mobisearch.store.catalog.relations import read_relation, write_facts
from mobisearch.types import Embeddings, Relation, Verdict

DIM = 8
VERSION = 3
JPEG = b"\xff\xd8 a small picture"

RowMaker = Callable[..., Any]


@pytest.fixture
def filled(writer: CatalogWriter, file_row: RowMaker) -> CatalogWriter:
    """Four images of three contents, and one that failed."""
    rows = [file_row(f"/a/{n}", seed=n) for n in range(3)]
    rows.append(file_row("/b/again", seed=1))
    rows.append(file_row("/b/bad", failure="corrupt"))
    writer.put_files(rows)
    return writer


def some_looks(ids: list[int], unit_rows: Callable[..., Embeddings]) -> list[LookRow]:
    rows = unit_rows(len(ids))
    return [
        LookRow(number, row, JPEG + bytes([number])) for number, row in zip(ids, rows, strict=True)
    ]


def test_contents_come_by_sha256_with_how_often_they_are_there(filled: CatalogWriter) -> None:
    ids, sha256s, counts = filled.looks.contents()
    assert len(ids) == 3
    assert sha256s == sorted(sha256s)
    assert sorted(counts.values()) == [2]
    in_a = filled.looks.contents([path_range("/a")])
    assert (in_a[0], in_a[2]) == (ids, {})
    in_b = filled.looks.contents([path_range("/b")])
    assert in_b[0] == list(counts)
    assert filled.looks.contents([path_range("/a"), path_range("/b")])[2] == counts


def test_looks_come_back_as_they_were_stored_to_half_precision(
    filled: CatalogWriter, reader: CatalogReader, unit_rows: Callable[..., Embeddings]
) -> None:
    ids, _, _ = filled.looks.contents()
    rows = some_looks(ids, unit_rows)
    filled.looks.put(rows, version=VERSION)
    found, values = reader.looks.rows([ids[2], 999, ids[0]], dim=DIM)
    assert found == [ids[2], ids[0]]
    wanted = np.stack([rows[2].row, rows[0].row]).astype(np.float16).astype(np.float32)
    assert np.array_equal(values, wanted)
    assert reader.looks.looked_at(VERSION) == set(ids)
    assert reader.looks.looked_at(VERSION + 1) == set()
    pictures = {p.content_id: p for p in reader.looks.pictures(ids, kept={})}
    assert [pictures[n].thumbnail for n in ids] == [row.thumbnail for row in rows]
    assert all(pictures[n].width and pictures[n].format for n in ids)


def test_looks_are_replaced_and_those_of_contents_that_are_gone_left_out(
    filled: CatalogWriter, unit_rows: Callable[..., Embeddings]
) -> None:
    ids, _, _ = filled.looks.contents()
    filled.looks.put(some_looks([*ids, 99], unit_rows), version=VERSION)
    filled.looks.put([LookRow(ids[0], np.zeros(DIM, np.float32), JPEG)], version=VERSION + 1)
    assert filled.looks.looked_at(VERSION) == set(ids[1:])
    assert filled.looks.looked_at(VERSION + 1) == {ids[0]}
    assert filled.find_damage() == []


def test_looks_and_relations_go_with_their_contents(
    filled: CatalogWriter, unit_rows: Callable[..., Embeddings]
) -> None:
    ids, _, _ = filled.looks.contents()
    filled.looks.put(some_looks(ids, unit_rows), version=VERSION)
    first, second = sorted(ids)[:2]
    filled.relations.put({(first, second): Relation(Verdict.UNRELATED)}, version=VERSION)
    filled.remove_files(["/a", "/b"])
    assert filled.looks.looked_at(VERSION) == set()
    assert filled.relations.find([(first, second)], version=VERSION) == {}
    assert filled.find_damage() == []


def test_the_images_and_paths_of_contents(filled: CatalogWriter) -> None:
    _, _, counts = filled.looks.contents()
    [double] = counts
    images = filled.looks.images([double])[double]
    assert [image.path for image in images] == ["/a/1", "/b/again"]
    assert filled.looks.paths([double], 0) == {double: "/a/1"}
    assert filled.looks.paths([double], 1) == {double: "/b/again"}
    assert filled.looks.paths([double], 2) == {}


def test_hashes_of_pixels_are_remembered(
    filled: CatalogWriter, unit_rows: Callable[..., Embeddings]
) -> None:
    ids, _, _ = filled.looks.contents()
    filled.looks.put(some_looks(ids, unit_rows), version=VERSION)
    filled.looks.put_pixel_hashes([(ids[1], b"h" * 32)])
    assert filled.looks.pixel_hashes(ids) == {ids[1]: b"h" * 32}


def test_a_note_is_kept_and_replaced(filled: CatalogWriter) -> None:
    assert filled.looks.note() is None
    filled.looks.put_note("one")
    filled.looks.put_note("two")
    assert filled.looks.note() == "two"


RELATIONS = (
    Relation(Verdict.UNRELATED),
    Relation(Verdict.SIMILAR_SHOT, agreement=0.5),
    Relation(
        Verdict.CROPPED,
        (Verdict.RECOMPRESSED, Verdict.CROPPED),
        0.91,
        first_share=0.4,
        second_share=1.0,
        scale=0.5,
        turn_degrees=-90.0,
        is_mirrored=True,
        detail='a "caption" below: größer',
    ),
)


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_relation_comes_back_as_it_was(relation: Relation) -> None:
    assert read_relation(relation.verdict.value, write_facts(relation)) == relation


@pytest.mark.parametrize(
    ("verdict", "facts"),
    [
        ("cousins", "{}"),
        ("cropped", "no JSON"),
        ("cropped", "[]"),
        ("cropped", "null"),
        ("cropped", '{"changes": ["cousins"]}'),
        ("cropped", '{"changes": 3}'),
        ("cropped", '{"scale": "1"}'),
        ("cropped", '{"scale": NaN}'),
        ("cropped", '{"scale": true}'),
        ("cropped", '{"is_mirrored": 1}'),
        ("cropped", '{"height": 1}'),
        ("cropped", "[" * 100_000),
    ],
)
def test_a_relation_that_makes_no_sense_is_none(verdict: str, facts: str) -> None:
    assert read_relation(verdict, facts) is None


def test_relations_are_found_by_pair_and_version(filled: CatalogWriter) -> None:
    ids = sorted(filled.looks.contents()[0])
    pairs = [(ids[0], ids[1]), (ids[0], ids[2]), (ids[1], ids[2])]
    stored: Mapping[tuple[int, int], Relation] = dict(zip(pairs, RELATIONS, strict=True))
    filled.relations.put({**stored, (ids[0], 999): RELATIONS[0]}, version=VERSION)
    assert filled.relations.find(pairs, version=VERSION) == stored
    assert filled.relations.find(pairs[1:2] * 600, version=VERSION) == {pairs[1]: RELATIONS[1]}
    assert filled.relations.find(pairs, version=VERSION + 1) == {}
    filled.relations.put({pairs[0]: RELATIONS[1]}, version=VERSION + 1)
    assert filled.relations.find(pairs, version=VERSION + 1) == {pairs[0]: RELATIONS[1]}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE look SET vec = x'00'",
        "UPDATE look SET vec = 'text'",
        "UPDATE look SET model_id = 7",
        "UPDATE look SET version = 'two'",
        "UPDATE look SET pixels_sha256 = x'00'",
        "DELETE FROM thumbnail",
        "UPDATE thumbnail SET version = 99",
        "UPDATE thumbnail SET jpeg = 'text'",
        "UPDATE thumbnail SET jpeg = x'00'",
        "UPDATE relation SET facts = '{'",
        "UPDATE relation SET version = 'two'",
        "UPDATE relation SET second_id = 999",
        "UPDATE relation SET first_id = 999, second_id = 5",
    ],
)
def test_rows_that_make_no_sense_are_found_and_dropped(
    statement: str, filled: CatalogWriter, unit_rows: Callable[..., Embeddings]
) -> None:
    ids = sorted(filled.looks.contents()[0])
    filled.looks.put(some_looks(ids, unit_rows), version=VERSION)
    filled.relations.put({(ids[0], ids[1]): RELATIONS[2]}, version=VERSION)
    path = f"{filled.location}/mobisearch.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute(statement)
    assert filled.find_damage()
    mended, paths = filled.mend([])
    assert mended
    assert paths == []
    assert filled.find_damage() == []
    assert len(filled.looks.contents()[0]) == 3
