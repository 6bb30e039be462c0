"""The file for approximate search: when it is made, what it answers, what is made of changes."""

from __future__ import annotations

import os
from collections.abc import Callable

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
    live,
    narrowing,
    refresh_structure,
    structures,
)
from mobisearch.types import Embeddings

DIM = 8
N = 300
RowMaker = Callable[..., FileRow]
RowsMaker = Callable[..., Embeddings]
Adder = Callable[..., None]


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let structures begin at 200 vectors, with candidates that do not cover them all."""
    monkeypatch.setattr(structures, "_MIN_VECTORS", 200)
    monkeypatch.setattr(structures, "_MIN_TAIL", 20)
    monkeypatch.setattr(structures, "_MAX_TAIL_SHARE", 0.0)
    monkeypatch.setattr(structures, "_ROWS_PER_BLOCK", 64)
    monkeypatch.setattr("mobisearch.store.tuning._CANDIDATES", (20, 60, 180))
    monkeypatch.setattr(narrowing, "_MAX_SHARE", 10.0)


@pytest.fixture(params=["flat", "lists"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two kinds of structures."""
    if request.param == "lists":
        monkeypatch.setattr(structures, "_MIN_FOR_LISTS", 200)
        monkeypatch.setattr("mobisearch.store.tuning._PROBES", (2, 8, 15))
    return str(request.param)


@pytest.fixture
def add(writer: CatalogWriter, layout: IndexLayout, file_row: RowMaker) -> Adder:
    """A function that adds images of the seeds from ``start`` to ``stop``, and refreshes."""

    def put(start: int, stop: int, *, refresh: bool = True) -> None:
        writer.put_files([file_row(f"/{seed}.jpg", seed=seed) for seed in range(start, stop)])
        if refresh:
            refresh_structure(layout, writer, dim=DIM)

    return put


def _files(layout: IndexLayout) -> list[str]:
    return sorted(name for name in os.listdir(layout.segments_dir) if name.startswith("ann-"))


def _brute_force(reader: CatalogReader, queries: Embeddings, k: int) -> list[list[FoundVector]]:
    """Search by plain numpy over what the catalog holds."""
    ids, rows = reader.vectors(1, 2**63 - 1, dim=DIM)
    visible = np.isin(ids, reader.visible_after(0))
    ids, rows = ids[visible], rows[visible].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    results = []
    for query in queries.astype(np.float64):
        scores = np.round(rows @ (query / np.linalg.norm(query)), 9)
        order = np.lexsort((ids, -scores))[:k]
        results.append([FoundVector(int(ids[i]), float(scores[i])) for i in order])
    return results


def _forbid_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("all vectors were loaded")

    monkeypatch.setattr(live, "load_vectors", forbidden)


def test_below_the_least_number_there_is_no_structure(
    layout: IndexLayout, writer: CatalogWriter, add: Adder
) -> None:
    add(0, 199)
    assert writer.structure() is None
    add(199, 200)
    row = writer.structure()
    assert row is not None
    assert (row.n, row.first_id, row.last_id, row.n_trained) == (200, 1, 200, 200)
    assert _files(layout) == [row.name]
    assert row.size_bytes == os.path.getsize(layout.segments_dir / row.name)


def test_when_too_few_are_left_the_structure_goes(
    layout: IndexLayout, writer: CatalogWriter, add: Adder
) -> None:
    add(0, 200)
    writer.remove_files(["/7.jpg"])
    refresh_structure(layout, writer, dim=DIM)
    assert writer.structure() is None
    assert _files(layout) == []


@pytest.mark.usefixtures("kind")
def test_searches_through_a_structure_equal_those_without_where_it_names_all(
    layout: IndexLayout,
    reader: CatalogReader,
    writer: CatalogWriter,
    add: Adder,
    unit_rows: RowsMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mobisearch.store.tuning._CANDIDATES", (N + 100,))
    monkeypatch.setattr("mobisearch.store.tuning._PROBES", (1 << 20,))
    add(0, N)
    writer.remove_files([f"/{seed}.jpg" for seed in range(0, 40, 4)])
    add(N, N + 10)
    queries = unit_rows(30, seed=9_999)
    exact = LiveVectors(layout, reader, model=reader.model()).search(queries, 10, exact=True)
    _forbid_exact(monkeypatch)
    vectors = LiveVectors(layout, reader, model=reader.model())
    assert vectors.search(queries, 10) == exact
    assert [vectors.search(query[None], 10)[0] for query in queries] == exact
    assert [found[:10] for found in exact] == _brute_force(reader, queries, 10)


@pytest.mark.usefixtures("kind")
def test_the_recall_that_is_listed_is_that_of_a_plain_recomputation(
    layout: IndexLayout,
    reader: CatalogReader,
    writer: CatalogWriter,
    add: Adder,
) -> None:
    writer.put_recall_target(0.9)
    add(0, N)
    row = writer.structure()
    assert row is not None
    assert (row.queries, row.recall_target) == (256, 0.9)
    assert row.recall >= 0.9
    structure = structures.read_structure(layout, row, dim=DIM)
    assert structure is not None
    asked = np.random.default_rng(structures._SEED)
    ids = np.arange(1, N + 1)
    asked.permutation(ids)  # the sample
    queries = np.sort(asked.permutation(ids)[:256])
    _, rows = reader.vectors(1, N, dim=DIM)
    n_found = 0
    for query_id in queries.tolist():
        query = rows[query_id - 1]
        scores = {entry.vector_id: entry.score for entry in _brute_force(reader, query[None], N)[0]}
        del scores[query_id]
        threshold = sorted(scores.values(), reverse=True)[9]
        found = structure.candidates(query[None], row.candidates + 1, probes=row.probes)[0]
        others = [number for number in found.tolist() if number != query_id][: row.candidates]
        n_found += min(10, sum(scores[number] >= threshold for number in others))
    # Counted in another order: to the last digits of a double.
    assert row.recall == pytest.approx(n_found / (10 * len(queries)), abs=1e-12)


def test_the_same_vectors_give_the_same_file(
    layout: IndexLayout, writer: CatalogWriter, add: Adder
) -> None:
    add(0, N)
    first = writer.structure()
    assert first is not None
    writer.replace_structure(None)
    refresh_structure(layout, writer, dim=DIM)
    again = writer.structure()
    assert again is not None
    assert again.name != first.name, "names are never reused"
    assert (again.sha256, again.recall, again.candidates) == (
        first.sha256,
        first.recall,
        first.candidates,
    )


def test_a_target_out_of_reach_leaves_no_structure_and_is_not_tried_again_soon(
    layout: IndexLayout,
    writer: CatalogWriter,
    add: Adder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mobisearch.store.tuning._CANDIDATES", (1,))
    add(0, N)
    assert writer.structure() is None
    assert _files(layout) == []
    note = structures.read_note(writer)
    assert note is not None
    assert (note["n"], note["target"]) == (N, 0.99)
    assert 0 < note["recall"] <= 0.1, "one of ten at most"
    with monkeypatch.context() as patch:
        patch.setattr(structures, "find_projection", lambda *_, **__: pytest.fail("tried again"))
        add(N, N + 50)
    monkeypatch.setattr("mobisearch.store.tuning._CANDIDATES", (500,))
    add(N + 50, 2 * N)
    assert writer.structure() is not None
    assert structures.read_note(writer) is None


def test_where_a_few_lists_find_too_little_all_are_looked_at(
    writer: CatalogWriter, add: Adder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structures, "_MIN_FOR_LISTS", 200)
    monkeypatch.setattr("mobisearch.store.tuning._PROBES", (1,))
    add(0, N)
    row = writer.structure()
    assert row is not None
    assert row.kind == "IVF16,RaBitQfs"
    assert row.probes == 16
    assert row.recall >= 0.99


def test_a_target_of_one_means_no_structure(
    layout: IndexLayout, writer: CatalogWriter, add: Adder
) -> None:
    add(0, N)
    writer.put_recall_target(1.0)
    refresh_structure(layout, writer, dim=DIM)
    assert writer.structure() is None
    assert _files(layout) == []
    add(N, 3 * N)
    assert writer.structure() is None


def test_another_target_trains_anew(layout: IndexLayout, writer: CatalogWriter, add: Adder) -> None:
    add(0, N)
    writer.put_recall_target(0.5)
    refresh_structure(layout, writer, dim=DIM)
    row = writer.structure()
    assert row is not None
    assert row.recall_target == 0.5
    assert row.candidates == 20, "the cheapest"


@pytest.mark.usefixtures("kind")
def test_a_few_new_vectors_rewrite_nothing_and_are_found(
    layout: IndexLayout,
    reader: CatalogReader,
    writer: CatalogWriter,
    add: Adder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(0, N)
    before = writer.structure()
    vectors = LiveVectors(layout, reader, model=reader.model())
    ids, rows = reader.vectors(1, N, dim=DIM)
    vectors.search(rows[:1], 3)
    _forbid_exact(monkeypatch)
    for start in range(N, N + 20, 5):
        add(start, start + 5)
        assert writer.structure() == before
        ids, rows = reader.vectors(start + 1, start + 5, dim=DIM)
        found = vectors.search(rows, 1)
        assert [entry.vector_id for [entry] in found] == ids.tolist()
    add(N + 20, N + 21)
    after = writer.structure()
    assert before is not None
    assert after is not None
    assert (after.n, after.last_id) == (N + 21, N + 21)
    assert (after.n_trained, after.recall, after.kind) == (N, before.recall, before.kind)
    assert _files(layout) == [after.name]
    ids, rows = reader.vectors(1, N + 21, dim=DIM)
    assert [found[0].vector_id for found in vectors.search(rows, 1)] == ids.tolist()


def test_twice_as_many_vectors_train_anew(writer: CatalogWriter, add: Adder) -> None:
    add(0, 200)
    add(200, 399)
    row = writer.structure()
    assert row is not None
    assert (row.n, row.n_trained) == (399, 200)
    add(399, 400)
    row = writer.structure()
    assert row is not None
    assert (row.n, row.n_trained) == (400, 400)


def test_a_structure_that_is_mostly_gone_is_trained_anew(
    layout: IndexLayout, writer: CatalogWriter, add: Adder
) -> None:
    add(0, N)
    before = writer.structure()
    writer.remove_files([f"/{seed}.jpg" for seed in range(75)])
    refresh_structure(layout, writer, dim=DIM)
    assert writer.structure() == before, "a quarter"
    writer.remove_files(["/75.jpg"])
    refresh_structure(layout, writer, dim=DIM)
    row = writer.structure()
    assert row is not None
    assert (row.n, row.first_id) == (N - 76, 77)


def test_vectors_that_are_gone_or_hidden_are_not_found_and_hide_nothing_else(
    layout: IndexLayout,
    reader: CatalogReader,
    writer: CatalogWriter,
    add: Adder,
    file_row: RowMaker,
    unit_rows: RowsMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(0, N)
    _forbid_exact(monkeypatch)
    vectors = LiveVectors(layout, reader, model=reader.model())
    queries = unit_rows(20, seed=5_000)
    vectors.search(queries, 5)
    nearest = {entry.vector_id for found in _brute_force(reader, queries, 5) for entry in found}
    gone = sorted(nearest)[:70]
    writer.remove_files([f"/{vector_id - 1}.jpg" for vector_id in gone])
    found = vectors.search(queries, 5)
    assert not {entry.vector_id for result in found for entry in result} & set(gone)
    assert all(len(result) >= 5 for result in found)
    back = gone[0] - 1
    writer.put_files([file_row(f"/{back}.jpg", seed=back)])
    [again] = vectors.search(unit_rows(1, seed=back), 1)
    assert again[0] == FoundVector(N + 1, 1.0), "under a new id"
    # another content under a known path
    writer.put_files([file_row("/299.jpg", seed=7_777)])
    writer.staging.begin()
    writer.settle_missing()
    [found_new] = vectors.search(unit_rows(1, seed=7_777), 1)
    assert found_new[0] == FoundVector(N + 2, 1.0)
    [found_old] = vectors.search(unit_rows(1, seed=299), 1)
    assert found_old[0].vector_id != 300


def test_where_all_candidates_are_hidden_every_vector_is_looked_at(
    layout: IndexLayout,
    reader: CatalogReader,
    writer: CatalogWriter,
    add: Adder,
    unit_rows: RowsMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(0, N)
    [query] = [unit_rows(1, seed=4_000)]
    order = [entry.vector_id for entry in _brute_force(reader, query, N)[0]]
    writer.remove_files([f"/{vector_id - 1}.jpg" for vector_id in order[:200]])
    vectors = LiveVectors(layout, reader, model=reader.model())
    monkeypatch.setattr(narrowing, "_MAX_SHARE", 0.25)
    monkeypatch.setattr("mobisearch.store.narrowing._GROWTH", 2)
    [found] = vectors.search(query, 5)
    assert found[:5] == _brute_force(reader, query, 5)[0]


def test_more_results_than_the_structure_is_good_for_compare_with_every_vector(
    layout: IndexLayout,
    reader: CatalogReader,
    add: Adder,
    unit_rows: RowsMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(narrowing, "_MAX_SHARE", 0.25)
    add(0, N)
    queries = unit_rows(3, seed=6_000)
    found = LiveVectors(layout, reader, model=reader.model()).search(queries, N + 5)
    assert found == _brute_force(reader, queries, N + 5)


def test_a_search_through_a_structure_reads_no_segment_file(
    layout: IndexLayout,
    reader: CatalogReader,
    writer: CatalogWriter,
    add: Adder,
    unit_rows: RowsMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(0, N)
    cache.refresh_cache(layout, writer, dim=DIM)
    assert len(writer.segments()) == 1
    names: list[str] = []
    read = IndexLayout.read_segment
    monkeypatch.setattr(
        IndexLayout,
        "read_segment",
        lambda self, name, size: names.append(name) or read(self, name, size),
    )
    LiveVectors(layout, reader, model=reader.model()).search(unit_rows(3, seed=1), 5)
    assert names == _files(layout)


def test_a_stop_leaves_everything_as_it_was(
    layout: IndexLayout, writer: CatalogWriter, add: Adder
) -> None:
    add(0, N, refresh=False)
    n_blocks = -(-N // 64)
    for n_asked in range(3 * n_blocks + 1):  # directions, lists, all vectors; and before the file
        answers = iter([False] * n_asked)
        refresh_structure(layout, writer, dim=DIM, is_stopped=lambda: next(answers, True))  # noqa: B023
        assert writer.structure() is None
        assert _files(layout) == []
    refresh_structure(layout, writer, dim=DIM)
    before = writer.structure()
    add(N, N + 30, refresh=False)
    refresh_structure(layout, writer, dim=DIM, is_stopped=lambda: True)
    assert writer.structure() == before
    assert before is not None
    assert _files(layout) == [before.name]


def test_a_full_disk_leaves_everything_as_it_was(
    layout: IndexLayout,
    writer: CatalogWriter,
    add: Adder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    add(0, N)
    before = writer.structure()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        with pytest.raises(StorageError, match="the disk is full"):
            add(N, N + 30)
    assert writer.structure() == before
    assert before is not None
    assert _files(layout) == [before.name]
    assert list(layout.tmp_dir.iterdir()) == []


def test_segments_and_structure_do_not_take_each_other_for_strays(
    layout: IndexLayout, reader: CatalogReader, writer: CatalogWriter, add: Adder
) -> None:
    vectors = LiveVectors(layout, reader, model=reader.model())
    add(0, N, refresh=False)
    stray = f"ann-{1:016x}-{7:032x}.faiss"
    (layout.segments_dir / stray).write_bytes(b"left behind")
    vectors.refresh(writer)
    vectors.refresh(writer)
    listed = {segment.name for segment in writer.segments()} | writer.structure_names()
    assert len(listed) == 2
    there = {path.name for path in layout.segments_dir.iterdir()}
    assert there - {"CACHEDIR.TAG"} == listed
