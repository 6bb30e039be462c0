"""Exact search in memory, and FAISS files read by our own parser."""

from __future__ import annotations

import struct
from collections.abc import Callable

import faiss
import numpy as np
import pytest

from mobisearch.store.vectors import (
    FoundVector,
    VectorPart,
    Vectors,
    deserialise,
    serialise,
    serialised_bytes,
)
from mobisearch.types import Embeddings

RowsMaker = Callable[..., Embeddings]
NOTHING = np.empty(0, np.int64)


def _ids(found: list[FoundVector]) -> list[int]:
    return [entry.vector_id for entry in found]


def _part(first_id: int, rows: Embeddings) -> VectorPart:
    return VectorPart(np.arange(first_id, first_id + len(rows), dtype=np.int64), rows)


def test_results_are_best_first_and_carry_the_cosine(unit_rows: RowsMaker) -> None:
    rows = unit_rows(50)
    vectors = Vectors([_part(1, rows)], hidden=NOTHING)
    found = vectors.search(rows[7:8], 5)[0]
    assert found[0] == FoundVector(8, pytest.approx(1.0, abs=1e-6))  # float32 rows
    scores = [entry.score for entry in found]
    assert scores == sorted(scores, reverse=True)
    exact = rows.astype(np.float64) @ rows[7].astype(np.float64)
    assert _ids(found) == [int(i) + 1 for i in np.argsort(-exact)[:5]]


def test_ties_are_ordered_by_id_and_those_for_the_last_place_are_all_there(
    unit_rows: RowsMaker,
) -> None:
    row = unit_rows(1)
    parts = [_part(1, np.repeat(row, 60, axis=0)), _part(61, np.repeat(row, 60, axis=0))]
    found = Vectors(parts, hidden=NOTHING).search(row, 3)[0]
    assert _ids(found) == list(range(1, 121))


def test_more_hidden_vectors_than_spare_candidates_hide_nothing_else(unit_rows: RowsMaker) -> None:
    query = unit_rows(1)
    near = np.repeat(query, 500, axis=0)
    far = unit_rows(20, seed=1)
    hidden = np.arange(1, 501, dtype=np.int64)
    vectors = Vectors([_part(1, near), _part(501, far)], hidden=hidden)
    found = vectors.search(query, 20)[0]
    assert sorted(_ids(found)) == list(range(501, 521))
    assert len(vectors) == 520


@pytest.mark.parametrize("n_queries", [1, 19, 20, 21, 64])
@pytest.mark.parametrize("n_rows", [0, 1, 7])
def test_many_queries_of_few_vectors_give_no_phantom_ids(
    unit_rows: RowsMaker, n_queries: int, n_rows: int
) -> None:
    vectors = Vectors([_part(1, unit_rows(n_rows))], hidden=NOTHING)
    results = vectors.search(unit_rows(n_queries, seed=1), 10)
    assert [sorted(_ids(found)) for found in results] == [list(range(1, n_rows + 1))] * n_queries


def test_a_faiss_file_is_what_faiss_itself_reads(unit_rows: RowsMaker) -> None:
    part = VectorPart(np.array([3, 5, 1 << 40], np.int64), unit_rows(3))
    index = faiss.deserialize_index(np.frombuffer(serialise(part), np.uint8))
    assert index.ntotal == 3
    assert faiss.vector_to_array(index.id_map).tolist() == part.ids.tolist()
    scores, ids = index.search(part.rows, 1)
    assert ids[:, 0].tolist() == part.ids.tolist()
    assert scores[:, 0] == pytest.approx([1, 1, 1], abs=1e-6)  # float32 rows
    assert np.array_equal(faiss.downcast_index(index.index).reconstruct_n(0, 3), part.rows)


@pytest.mark.parametrize("n", [1, 2, 100])
@pytest.mark.parametrize("dim", [1, 8, 1280])
def test_the_size_of_a_faiss_file_follows_from_n_and_d(
    unit_rows: RowsMaker, n: int, dim: int
) -> None:
    data = serialise(_part(1, unit_rows(n, dim=dim)))
    assert len(data) == serialised_bytes(n, dim)


def test_what_was_written_is_read_back_bit_for_bit(unit_rows: RowsMaker) -> None:
    part = _part(4, unit_rows(9))
    back = deserialise(serialise(part), n=9, dim=8)
    assert back is not None
    assert np.array_equal(back.ids, part.ids)
    assert back.rows.tobytes() == part.rows.tobytes()


def _overwritten(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


# Where things are in a file of three vectors of eight values: two headers of 37 bytes (fourcc, d,
# ntotal, two reserved, is_trained, metric), a count of eight bytes, the values, a count, the ids.
D_AT, N_AT, TRAINED_AT, METRIC_AT = 4, 8, 32, 33
INNER_AT = 37
N_VALUES_AT = 2 * 37
VALUES_AT = N_VALUES_AT + 8
IDS_AT = VALUES_AT + 3 * 8 * 4 + 8

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing at all": lambda data: b"",
    "one byte less": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "another kind of index": lambda data: _overwritten(data, 0, b"IxFI"),
    "another kind inside": lambda data: _overwritten(data, INNER_AT, b"IxPQ"),
    "another dimension": lambda data: _overwritten(data, D_AT, struct.pack("<i", 16)),
    "a huge number": lambda data: _overwritten(data, N_AT, struct.pack("<q", 1 << 62)),
    "a negative number": lambda data: _overwritten(data, INNER_AT + N_AT, struct.pack("<q", -1)),
    "not trained": lambda data: _overwritten(data, TRAINED_AT, b"\0"),
    "another metric": lambda data: _overwritten(data, METRIC_AT, struct.pack("<i", 1)),
    "too many values": lambda data: _overwritten(data, N_VALUES_AT, struct.pack("<Q", 1 << 62)),
    "too many ids": lambda data: _overwritten(data, IDS_AT - 8, struct.pack("<Q", 4)),
    "no number": lambda data: _overwritten(data, VALUES_AT, struct.pack("<f", np.nan)),
    "an infinite value": lambda data: _overwritten(data, VALUES_AT, struct.pack("<f", np.inf)),
    "an id of zero": lambda data: _overwritten(data, IDS_AT, struct.pack("<q", 0)),
    "the same id twice": lambda data: _overwritten(data, IDS_AT + 8, struct.pack("<q", 1)),
    "a negative id": lambda data: _overwritten(data, IDS_AT + 16, b"\xff" * 8),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_file_of_any_other_shape_is_refused(unit_rows: RowsMaker, kind: str) -> None:
    data = serialise(_part(1, unit_rows(3)))
    assert deserialise(data, n=3, dim=8) is not None
    damaged = DAMAGE[kind](data)
    assert damaged != data
    assert deserialise(damaged, n=3, dim=8) is None


def test_a_file_of_another_number_or_dimension_than_promised_is_refused(
    unit_rows: RowsMaker,
) -> None:
    data = serialise(_part(1, unit_rows(3)))
    assert deserialise(data, n=4, dim=8) is None
    assert deserialise(data, n=3, dim=4) is None


def test_every_other_faiss_kind_is_refused(unit_rows: RowsMaker) -> None:
    rows = unit_rows(64)
    for factory in ("Flat", "HNSW8,Flat", "SQ8", "IDMap2,Flat", "PQ4x4", "IVF1,Flat"):
        index = faiss.index_factory(8, factory, faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        if factory.startswith("IDMap"):
            index.add_with_ids(rows, np.arange(1, 65, dtype=np.int64))
        else:
            index.add(rows)
        assert deserialise(bytes(faiss.serialize_index(index)), n=64, dim=8) is None, factory
