"""The reader: images and matches, in one view, from several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mobisearch.errors import IndexClosedError
from mobisearch.store import CatalogReader, CatalogWriter, FileRow, FoundVector
from mobisearch.store.catalog.reader import _IMAGES_OF_VECTORS, _STORED_IMAGE
from mobisearch.store.catalog.stored_vectors import _HIDDEN

RowMaker = Callable[..., FileRow]


def test_an_image_is_everything_that_was_stored(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    row = file_row("/p/a.jpg", seed=1)
    writer.put_files([row])
    found = reader.image(1)
    assert found is not None
    record, embedding = found
    assert (record.id, record.path, record.sha256) == (1, "/p/a.jpg", row.sha256)
    assert (record.width, record.height, record.format) == (60, 40, "JPEG")
    assert (record.size_bytes, record.mtime_ns) == (row.stamp.size_bytes, row.stamp.mtime_ns)
    assert np.array_equal(embedding, row.embedding)
    assert reader.image(2) is None


def test_the_images_behind_a_vector_are_all_its_copies_in_the_order_of_ids(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    writer.put_files([file_row("/b.jpg", seed=1), file_row("/a.jpg", seed=1)])
    writer.put_files([file_row("/c.jpg", seed=2)])
    images = reader.images([1, 2, 99])
    assert {key: [image.path for image in value] for key, value in images.items()} == {
        1: ["/b.jpg", "/a.jpg"],
        2: ["/c.jpg"],
    }


def test_matches_are_cut_to_k_after_ties_are_ordered(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    writer.put_files(
        [file_row("/1.jpg", seed=1), file_row("/2.jpg", seed=2), file_row("/3.jpg", seed=1)]
    )
    found = [FoundVector(1, 0.5), FoundVector(2, 0.5)]
    matches = reader.matches(found, 2, query="q")
    assert [match.image.id for match in matches] == [1, 2]
    assert matches.query == "q"
    assert [match.image.id for match in reader.matches(found, 9)] == [1, 2, 3]


def test_more_vectors_than_one_question_takes_are_all_answered(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    rows = [file_row(f"/{number}.jpg", seed=number) for number in range(1_200)]
    for start in range(0, len(rows), 64):
        writer.put_files(rows[start : start + 64])
    found = [FoundVector(number, 1 - number / 2_000) for number in range(1, 1_201)]
    assert [m.image.id for m in reader.matches(found, 1_200)] == list(range(1, 1_201))


def test_inside_a_snapshot_later_commits_are_not_seen(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    with reader.snapshot():
        before = reader.generation()
        writer.put_files([file_row("/a.jpg")])
        with reader.snapshot():  # one inside another is the same one
            assert reader.count_states() == {}
        assert reader.generation() == before
    assert reader.generation() == before + 1
    assert reader.count_states() == {"ok": 1}


def test_a_snapshot_is_only_for_the_thread_that_took_it(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    with reader.snapshot(), ThreadPoolExecutor(1) as other:
        assert reader.count_states() == {}
        writer.put_files([file_row("/a.jpg")])
        assert other.submit(reader.count_states).result() == {"ok": 1}
        assert reader.count_states() == {}


def test_a_closed_reader_says_so_and_can_be_closed_again(reader: CatalogReader) -> None:
    reader.close()
    reader.close()
    with pytest.raises(IndexClosedError, match="open it again"):
        reader.generation()


def test_what_a_search_asks_for_is_looked_up_and_never_searched_for(reader: CatalogReader) -> None:
    """Each of these once read all files of the index, where SQLite is left to choose."""
    statements = {
        "images": (_IMAGES_OF_VECTORS, {"ids": [1, 2, 3]}),
        "image": (_STORED_IMAGE, {"image_id": 1}),
    }
    with reader._connected() as connection:
        for name, (statement, values) in statements.items():
            compiled = statement.params(values).compile(
                connection.engine,
                compile_kwargs={"literal_binds": True, "render_postcompile": True},
            )
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
            assert len(plan) == 3, name
            assert all(step.startswith("SEARCH ") for step in plan), plan
            assert not any("file_by_state" in step for step in plan), plan


def test_what_needs_no_embedding_is_answered_from_an_index(reader: CatalogReader) -> None:
    """Rows with embeddings are kilobytes: going through them reads the whole database."""
    statements = (_HIDDEN, "SELECT vector_id FROM vector", "SELECT count(*) FROM vector")
    with reader._connected() as connection:
        for statement in statements:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
            scans = [step for step in plan if step.startswith("SCAN")]
            assert scans == ["SCAN vector USING COVERING INDEX sqlite_autoindex_vector_1"]
