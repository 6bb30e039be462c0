"""FAISS files as a cache: they may be lost or damaged at any time, and no answer changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobisearch.errors import StorageError
from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    FileRow,
    FoundVector,
    IndexLayout,
    LiveVectors,
    cache,
    find_bad_rows,
    load_vectors,
    refresh_cache,
)
from mobisearch.store.catalog import SegmentRow
from mobisearch.types import Embeddings

DIM = 8
RowMaker = Callable[..., FileRow]
RowsMaker = Callable[..., Embeddings]


@pytest.fixture
def add(writer: CatalogWriter, layout: IndexLayout, file_row: RowMaker) -> Callable[..., None]:
    """A function that adds images of the seeds ``start`` to ``stop`` and refreshes the cache."""

    def put(start: int, stop: int, *, refresh: bool = True) -> None:
        writer.put_files([file_row(f"/{seed}.jpg", seed=seed) for seed in range(start, stop)])
        if refresh:
            refresh_cache(layout, writer, dim=DIM)

    return put


def _segments(writer: CatalogWriter) -> list[int]:
    return [segment.n for segment in writer.vector_listing().segments]


def _files(layout: IndexLayout) -> list[str]:
    return sorted(name for name in os.listdir(layout.segments_dir) if name.endswith(".faiss"))


def _search(
    layout: IndexLayout, reader: CatalogReader, queries: Embeddings
) -> list[list[FoundVector]]:
    return load_vectors(layout, reader, dim=DIM).vectors.search(queries, 10)


def test_the_first_vectors_get_a_file_and_a_few_more_wait(
    layout: IndexLayout, writer: CatalogWriter, reader: CatalogReader, add: Callable[..., None]
) -> None:
    add(0, 10)
    assert _segments(writer) == [10]
    add(10, 73)
    assert _segments(writer) == [10], "63 more are read from the catalog"
    assert len(load_vectors(layout, reader, dim=DIM).vectors) == 73
    add(73, 74)
    assert _segments(writer) == [10, 64]
    assert _files(layout) == sorted(s.name for s in writer.vector_listing().segments)


def test_files_and_catalog_give_the_same_answers_bit_for_bit(
    layout: IndexLayout, reader: CatalogReader, add: Callable[..., None], unit_rows: RowsMaker
) -> None:
    queries = unit_rows(25, seed=1_000)
    add(0, 300, refresh=False)
    from_catalog = _search(layout, reader, queries)
    add(300, 301)
    reader_sees_files = load_vectors(layout, reader, dim=DIM)
    assert len(reader_sees_files.segments) == 1
    from_files = reader_sees_files.vectors.search(queries, 10)
    without_the_last = [[f for f in found if f.vector_id != 301] for found in from_files]
    for all_of_them, expected in zip(without_the_last, from_catalog, strict=True):
        assert all_of_them == expected[: len(all_of_them)]
        assert len(all_of_them) >= 9


def test_many_small_additions_keep_few_files(
    layout: IndexLayout,
    writer: CatalogWriter,
    add: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "_MIN_SEGMENT", 2)
    for number in range(30):
        add(3 * number, 3 * number + 3)
        assert len(_segments(writer)) <= 10  # seven of three, and larger ones
    assert sum(_segments(writer)) == 90
    assert _files(layout) == sorted(s.name for s in writer.vector_listing().segments)


ADDITIONS: dict[str, list[int]] = {
    "one at a time": [64] * 5_000,
    "of two sizes in turn": [600, 70] * 1_000,
    "a large one now and then": ([1_000] + [64] * 7) * 200,
    "larger and larger": [64 + number for number in range(2_000)],
}


@pytest.mark.parametrize("kind", ADDITIONS)
def test_however_vectors_come_files_stay_few_and_little_is_rewritten(kind: str) -> None:
    files: list[int] = []
    n_written = 0
    for n_new in ADDITIONS[kind]:
        files.append(n_new)
        n_written += n_new
        while group := cache._mergeable(
            [SegmentRow(str(place), 0, 0, n, 0, "") for place, n in enumerate(files)]
        ):
            start, merged = int(group[0].name), sum(segment.n for segment in group)
            files[start : start + len(group)] = [merged]
            n_written += merged
        # Full files, and at most seven of each of the sizes below, a factor of four apart.
        n_full = sum(files) // cache._MAX_SEGMENT
        assert len(files) <= 2 * n_full + 7 * 6
    assert max(files) <= cache._MAX_SEGMENT
    # From 64 to 32,768 a file can grow by the factor of four less than five times, and is new once.
    assert n_written <= 6 * sum(files)


def test_a_large_file_is_not_rewritten_for_a_few_new_vectors(
    writer: CatalogWriter, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MIN_SEGMENT", 2)
    add(0, 1_000)
    [large] = writer.vector_listing().segments
    for start in range(1_000, 1_040, 2):
        add(start, start + 2)
    assert writer.vector_listing().segments[0] == large


def test_a_file_never_grows_beyond_its_limit(
    writer: CatalogWriter, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MIN_SEGMENT", 2)
    monkeypatch.setattr(cache, "_MAX_SEGMENT", 50)
    add(0, 120)
    assert _segments(writer) == [50, 50, 20]
    for start in range(120, 200, 4):
        add(start, start + 4)
    assert max(_segments(writer)) <= 50
    assert sum(_segments(writer)) == 200


def test_a_quarter_of_dead_vectors_is_carried_along_and_more_are_not(
    layout: IndexLayout,
    writer: CatalogWriter,
    reader: CatalogReader,
    add: Callable[..., None],
    unit_rows: RowsMaker,
) -> None:
    add(0, 100)
    [before] = writer.vector_listing().segments
    writer.remove_files([f"/{seed}.jpg" for seed in range(25)])
    refresh_cache(layout, writer, dim=DIM)
    assert writer.vector_listing().segments == (before,)
    found = _search(layout, reader, unit_rows(1, seed=3))[0]
    assert 4 not in [entry.vector_id for entry in found], "a dead vector is not found"
    writer.remove_files(["/25.jpg"])
    refresh_cache(layout, writer, dim=DIM)
    assert _segments(writer) == [74]
    assert writer.vector_listing().hidden.tolist() == []
    assert before.name not in _files(layout)


def test_the_last_vector_of_a_file_takes_the_file_with_it(
    layout: IndexLayout, writer: CatalogWriter, add: Callable[..., None]
) -> None:
    add(0, 10)
    writer.remove_files(["/"])
    refresh_cache(layout, writer, dim=DIM)
    assert _segments(writer) == []
    assert _files(layout) == []


def _delete(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(place: Callable[[int], int]) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place(len(data))] ^= 1
        path.write_bytes(data)

    return flip


def _replace_by(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def _promise_much(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8:16] = (1 << 62).to_bytes(8, "little")
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "deleted": _delete,
    "one byte short": _truncate,
    "one byte long": lambda path: path.write_bytes(path.read_bytes() + b"\0") and None,
    "empty": lambda path: path.write_bytes(b"") and None,
    "a bit of the header flipped": _flip(lambda size: 5),
    "a bit of a vector flipped": _flip(lambda size: size // 2),
    "a bit of an id flipped": _flip(lambda size: size - 8),
    "a header that promises 2^62 vectors": _promise_much,
    "a link to another file": _replace_by(lambda path: path.symlink_to("/etc/passwd")),
    "a FIFO": _replace_by(os.mkfifo),
    "a folder": _replace_by(Path.mkdir),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_changes_no_answer_and_is_made_again(
    layout: IndexLayout,
    writer: CatalogWriter,
    reader: CatalogReader,
    add: Callable[..., None],
    unit_rows: RowsMaker,
    kind: str,
) -> None:
    add(0, 100)
    add(100, 200)
    queries = unit_rows(25, seed=1_000)
    before = _search(layout, reader, queries)
    name = writer.vector_listing().segments[0].name
    DAMAGE[kind](layout.segments_dir / name)

    loaded = load_vectors(layout, reader, dim=DIM)
    assert loaded.stale == (name,)
    assert loaded.vectors.search(queries, 10) == before

    refresh_cache(layout, writer, dim=DIM)
    loaded = load_vectors(layout, reader, dim=DIM)
    assert loaded.stale == ()
    assert sum(len(part.ids) for part in loaded.segments.values()) == 200
    assert loaded.vectors.search(queries, 10) == before


def test_a_file_in_the_place_of_another_is_not_believed(
    layout: IndexLayout,
    writer: CatalogWriter,
    reader: CatalogReader,
    add: Callable[..., None],
    unit_rows: RowsMaker,
) -> None:
    add(0, 100)
    add(100, 200)
    queries = unit_rows(5, seed=1_000)
    before = _search(layout, reader, queries)
    first, second = (layout.segments_dir / s.name for s in writer.vector_listing().segments)
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    assert len(first_bytes) == len(second_bytes)
    first.write_bytes(second_bytes)
    second.write_bytes(first_bytes)
    loaded = load_vectors(layout, reader, dim=DIM)
    assert loaded.stale == (first.name, second.name)
    assert loaded.vectors.search(queries, 10) == before


def test_a_file_known_to_be_sound_is_not_read_again(
    layout: IndexLayout,
    writer: CatalogWriter,
    add: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(0, 100)
    read: list[str] = []
    read_segment = IndexLayout.read_segment

    def counted(self: IndexLayout, name: str, size_bytes: int) -> bytes | None:
        read.append(name)
        return read_segment(self, name, size_bytes)

    monkeypatch.setattr(IndexLayout, "read_segment", counted)
    names = refresh_cache(layout, writer, dim=DIM)
    assert read == list(names)
    assert refresh_cache(layout, writer, dim=DIM, sound=names) == names
    assert read == list(names)
    (layout.segments_dir / next(iter(names))).unlink()
    assert refresh_cache(layout, writer, dim=DIM, sound=names) != names


def test_live_vectors_follow_every_commit_and_read_each_file_once(
    layout: IndexLayout,
    writer: CatalogWriter,
    reader: CatalogReader,
    file_row: RowMaker,
    add: Callable[..., None],
    unit_rows: RowsMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = LiveVectors(layout, reader, model=reader.model())
    query = unit_rows(1, seed=500)
    assert live.search(query, 1) == [[]]
    add(0, 100)
    assert len(live.search(query, 100)[0]) == 100
    writer.put_files([file_row("/500.jpg", seed=500)])
    monkeypatch.setattr(IndexLayout, "read_segment", lambda *_: pytest.fail("read twice"))
    assert live.search(query, 1)[0][0].vector_id == 101
    writer.remove_files(["/500.jpg"])
    assert live.search(query, 1)[0][0].vector_id != 101
    live.refresh(writer)
    assert live.search(np.empty((0, DIM), np.float32), 1) == []


def test_a_full_disk_loses_nothing_and_the_next_refresh_finishes(
    layout: IndexLayout,
    writer: CatalogWriter,
    reader: CatalogReader,
    add: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(0, 100)
    add(100, 200, refresh=False)
    files = _files(layout)

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(StorageError, match="disk is full"):
            refresh_cache(layout, writer, dim=DIM)
    assert _files(layout) == files
    assert os.listdir(layout.tmp_dir) == []
    assert len(load_vectors(layout, reader, dim=DIM).vectors) == 200
    refresh_cache(layout, writer, dim=DIM)
    assert _segments(writer) == [100, 100]


def test_an_embedding_that_is_no_unit_vector_is_found(
    writer: CatalogWriter, reader: CatalogReader, file_row: RowMaker
) -> None:
    rows = [file_row(f"/{seed}.jpg", seed=seed) for seed in range(3)]
    assert rows[1].embedding is not None
    assert rows[2].embedding is not None
    rows[1].embedding[:] *= 2
    rows[2].embedding[0] = np.nan
    writer.put_files(rows)
    checked, bad = find_bad_rows(reader, dim=DIM)
    assert checked == 3
    assert bad == [2, 3]
