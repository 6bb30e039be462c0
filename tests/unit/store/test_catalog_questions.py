"""What the catalog answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from mobisearch.errors import IndexDamagedError
from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    FileRow,
    IndexLayout,
    StagedFile,
    path_range,
)
from mobisearch.store.catalog import SegmentRow, schema
from mobisearch.types import FileFailure

RowMaker = Callable[..., FileRow]


def _execute(layout: IndexLayout, *statements: str) -> None:
    with closing(sqlite3.connect(layout.catalog_path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def filled(writer: CatalogWriter, file_row: RowMaker) -> CatalogWriter:
    """A catalog of three images with two contents, one failure, and one image gone missing."""
    writer.put_files(
        [
            file_row("/p/a.jpg", seed=1),
            file_row("/p/b.jpg", seed=2),
            file_row("/p/copy.jpg", seed=1),
            file_row("/p/bad.jpg", failure="corrupt"),
            file_row("/q/c.jpg", seed=3),
        ]
    )
    writer.staging.begin()
    writer.staging.find_vanished([path_range("/q")], gaps=[])
    writer.settle_missing()
    return writer


def test_files_are_counted_by_state_and_by_folder(filled: CatalogWriter) -> None:
    assert filled.count_states() == {"ok": 3, "error": 1, "missing": 1}
    assert filled.count_below("/p", "ok") == 3
    assert filled.count_below("/p", "ok", "error") == 4
    assert filled.count_below("/q", "missing") == 1
    assert filled.count_below("/", "ok", "missing", "error") == 5


def test_copies_are_one_content(filled: CatalogWriter) -> None:
    assert filled.count_contents() == 2
    assert filled.count_vectors() == 3


def test_failures_come_with_their_reason_in_the_order_of_paths(
    filled: CatalogWriter, file_row: RowMaker
) -> None:
    filled.put_files([file_row("/a/first.psd", failure="unsupported")])
    assert filled.failures() == [
        FileFailure("/a/first.psd", "unsupported", "because of unsupported"),
        FileFailure("/p/bad.jpg", "corrupt", "because of corrupt"),
    ]


def test_files_are_found_by_path_however_many_are_asked_for(
    filled: CatalogWriter, file_row: RowMaker
) -> None:
    asked = [f"/p/{number}.jpg" for number in range(1_500)]
    found = filled.find_files([*asked, "/p/a.jpg", "/p/bad.jpg", "/q/c.jpg"])
    assert set(found) == {"/p/a.jpg", "/p/bad.jpg", "/q/c.jpg"}
    sha256 = file_row("", seed=1).sha256
    assert found["/p/a.jpg"] == StagedFile("/p/a.jpg", 1, sha256, None, False)
    assert found["/p/bad.jpg"].sha256 is None
    assert found["/q/c.jpg"].is_hidden


def test_contents_with_an_embedding_are_known(filled: CatalogWriter, file_row: RowMaker) -> None:
    known = {bytes.fromhex(file_row("", seed=seed).sha256) for seed in (1, 2, 3)}
    assert filled.known_sha256() == known


def test_vectors_without_a_visible_image_are_hidden(filled: CatalogWriter) -> None:
    listing = filled.vector_listing()
    assert listing.generation == filled.generation()
    assert listing.hidden.tolist() == [3]
    assert listing.segments == ()


def test_vectors_come_in_the_order_of_their_ids(filled: CatalogWriter, file_row: RowMaker) -> None:
    ids, rows = filled.vectors(2, 9, dim=8)
    assert ids.tolist() == [2, 3]
    expected = [file_row("", seed=seed).embedding for seed in (2, 3)]
    assert np.array_equal(rows, np.stack(expected))
    ids, rows = filled.vectors(100, 200, dim=8)
    assert (ids.shape, rows.shape) == ((0,), (0, 8))


def test_a_vector_of_another_length_is_damage(filled: CatalogWriter) -> None:
    with pytest.raises(IndexDamagedError, match="embedding 1 is not of 64 bytes"):
        filled.vectors(1, 1, dim=16)


def test_the_next_vectors_are_counted_from_an_id_on(filled: CatalogWriter) -> None:
    assert filled.last_of(1, 2) == (2, 2)
    assert filled.last_of(2, 100) == (3, 2)
    assert filled.last_of(4, 100) is None


def test_dead_vectors_are_counted_inside_their_segment(
    filled: CatalogWriter,
) -> None:
    filled.replace_segments([], SegmentRow("s", 1, 3, 3, 1, "x"))
    assert filled.count_tombstones(1, 3) == 0
    filled.remove_files(["/p/b.jpg"])
    assert filled.count_tombstones(1, 3) == 1
    assert filled.count_tombstones(3, 9) == 0
    assert filled.vector_listing().hidden.tolist() == [2, 3]


@pytest.mark.usefixtures("filled")
def test_a_sound_catalog_has_no_damage(reader: CatalogReader) -> None:
    assert reader.find_damage() == []
    assert reader.format_version() == schema.FORMAT_VERSION


@pytest.mark.usefixtures("filled")
def test_rows_that_point_to_nothing_are_found(layout: IndexLayout, reader: CatalogReader) -> None:
    _execute(layout, "DELETE FROM vector WHERE vector_id = 1", "DELETE FROM content")
    damage = reader.find_damage()
    assert "catalog: 4 files have a content that is not there" in damage
    assert "catalog: 2 images have no embedding" in damage


def test_a_catalog_without_a_model_is_damaged(layout: IndexLayout, reader: CatalogReader) -> None:
    _execute(layout, "DELETE FROM model")
    with pytest.raises(IndexDamagedError, match="names no model"):
        reader.model()


def test_the_range_of_a_folder_holds_what_is_below_it_and_no_sibling() -> None:
    low, high = path_range("/photos")
    assert low <= b"/photos/a.jpg" < high
    assert low <= b"/photos/\xff/\xff.jpg" < high
    for outside in (b"/photos", b"/photos-old/a.jpg", b"/photos.jpg", b"/photos0", b"/photo/a"):
        assert not low <= outside < high
    assert path_range("/photos/") == path_range("/photos")
    low, high = path_range("/")
    assert low <= b"/a.jpg" < high


def test_images_are_found_by_words_in_their_paths_in_any_case(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    names = ["/p/$RECYCLE.BIN/a.jpg", "/p/.Trash-1/caf\udce9.jpg", "/p/best.jpg", "/trash/b.jpg"]
    writer.put_files([file_row(name, seed=n) for n, name in enumerate(names)])
    writer.put_files([file_row("/trash/bad.jpg", failure="corrupt")])
    found = [image.path for image in writer.listing.with_words(("recycle", "trash"))]
    assert found == [names[0], names[1], names[3]]
