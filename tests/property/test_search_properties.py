"""Search in memory equals a plain computation in numpy, whatever the vectors are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mobisearch.store.vectors import FoundVector, VectorPart, Vectors, deserialise, serialise
from mobisearch.types import Embeddings

DIM = 16
ROUNDED_TO_NINE_DECIMALS = 0.51e-9  # half of the last decimal, and a little for the sums


@dataclass(frozen=True)
class Case:
    """Vectors in parts, some hidden, and queries for them."""

    parts: tuple[VectorPart, ...]
    hidden: NDArray[np.int64]
    queries: Embeddings
    k: int


def _unit_rows(generator: np.random.Generator, n: int) -> Embeddings:
    rows = generator.standard_normal((n, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Few different rows, each several times: ties within parts and across them, exact ones."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_different = draw(st.integers(1, 40))
    different = _unit_rows(generator, n_different)
    if draw(st.booleans()):  # rows that differ in their last bits only, below FAISS's own precision
        shaken = different[:1] * (1 + generator.integers(-4, 5, (n_different, DIM)) * 2.0**-24)
        different = shaken.astype(np.float32)
    parts = []
    next_id = 1
    for n_rows in draw(st.lists(st.integers(0, 120), min_size=0, max_size=4)):
        steps = generator.integers(1, 4, n_rows)
        ids = next_id + np.cumsum(steps, dtype=np.int64)
        rows = different[generator.integers(0, n_different, n_rows)]
        part = VectorPart(ids, rows)
        if n_rows and draw(st.booleans()):  # as read from a file: not aligned, not writable
            from_file = deserialise(serialise(part), n=n_rows, dim=DIM)
            assert from_file is not None
            part = from_file
        parts.append(part)
        next_id = int(ids[-1]) + 1 if n_rows else next_id
    all_ids = np.concatenate([part.ids for part in parts]) if parts else np.empty(0, np.int64)
    share = draw(st.sampled_from([0.0, 0.1, 0.9, 1.0]))
    hidden = np.sort(all_ids[generator.random(len(all_ids)) < share])
    n_queries = draw(st.integers(1, 25))
    queries = np.concatenate([different, _unit_rows(generator, 3)])
    queries = queries[generator.integers(0, len(queries), n_queries)]
    k = draw(st.one_of(st.integers(1, 10), st.integers(1, len(all_ids) + 5)))
    return Case(tuple(parts), hidden, queries, k)


def _reference(case: Case) -> list[list[FoundVector]]:
    """Every cosine in float64, sorted by score and id; the best k and what ties with the last.

    Summed as numpy sums rows: another order could round the ninth decimal to the other side.
    """
    results = []
    for query in case.queries.astype(np.float64):
        found = []
        for part in case.parts:
            rows = part.rows.astype(np.float64)
            squares = np.einsum("ij,ij->i", rows, rows) * np.einsum("j,j->", query, query)
            cosines = np.round(np.einsum("ij,j->i", rows, query) / np.sqrt(squares), 9)
            found += [
                FoundVector(int(number), float(cosine))
                for number, cosine in zip(part.ids, np.clip(cosines, -1, 1), strict=True)
                if number not in case.hidden
            ]
        found.sort(key=lambda entry: (-entry.score, entry.vector_id))
        last = found[case.k - 1].score if len(found) >= case.k else -np.inf
        results.append([entry for entry in found if entry.score >= last])
    return results


@settings(deadline=None, max_examples=150)
@given(cases())
def test_a_search_is_what_numpy_computes_in_ids_order_scores_and_ties(case: Case) -> None:
    vectors = Vectors(case.parts, hidden=case.hidden)
    assert vectors.search(case.queries, case.k) == _reference(case)


@settings(deadline=None, max_examples=50)
@given(cases())
def test_a_score_is_the_cosine_to_nine_decimals(case: Case) -> None:
    rows = {
        int(number): row.astype(np.float64)
        for part in case.parts
        for number, row in zip(part.ids, part.rows, strict=True)
    }
    query = case.queries[0].astype(np.float64)
    for entry in Vectors(case.parts, hidden=case.hidden).search(case.queries[:1], case.k)[0]:
        row = rows[entry.vector_id]
        cosine = math.fsum(row * query) / math.sqrt(math.fsum(row * row) * math.fsum(query * query))
        assert abs(entry.score - cosine) < ROUNDED_TO_NINE_DECIMALS


@settings(deadline=None, max_examples=100)
@given(cases())
def test_queries_together_and_one_by_one_give_the_same_bits(case: Case) -> None:
    vectors = Vectors(case.parts, hidden=case.hidden)
    together = vectors.search(case.queries, case.k)
    one_by_one = [vectors.search(query[None], case.k)[0] for query in case.queries]
    assert together == one_by_one


@settings(deadline=None, max_examples=100)
@given(cases())
def test_how_vectors_are_split_into_parts_changes_nothing(case: Case) -> None:
    parts = [part for part in case.parts if len(part.ids)]
    if not parts:
        parts = [VectorPart(np.array([1], np.int64), case.queries[:1])]
    whole = VectorPart(
        np.concatenate([part.ids for part in parts]), np.concatenate([part.rows for part in parts])
    )
    split = Vectors(parts, hidden=case.hidden).search(case.queries, case.k)
    assert Vectors([whole], hidden=case.hidden).search(case.queries, case.k) == split


@settings(deadline=None, max_examples=50)
@example(n=1, dim=1)
@given(n=st.integers(1, 50), dim=st.integers(1, 64))
def test_a_file_gives_back_what_was_put_in(n: int, dim: int) -> None:
    generator = np.random.default_rng(n * 100 + dim)
    rows = generator.standard_normal((n, dim)).astype(np.float32)
    ids = np.cumsum(generator.integers(1, 2**40, n), dtype=np.int64)
    back = deserialise(serialise(VectorPart(ids, rows)), n=n, dim=dim)
    assert back is not None
    assert back.ids.tolist() == ids.tolist()
    assert back.rows.tobytes() == rows.tobytes()


@settings(deadline=None, max_examples=200)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_file_with_a_flipped_bit_is_refused_or_differs_only_there(place: int, bit: int) -> None:
    """The hash in the catalog finds every flip; the parser alone must at least stay safe."""
    part = VectorPart(np.arange(1, 6, dtype=np.int64), _unit_rows(np.random.default_rng(0), 5))
    data = bytearray(serialise(part))
    data[place % len(data)] ^= 1 << bit
    back = deserialise(bytes(data), n=5, dim=DIM)
    if back is not None:
        assert (back.ids.shape, back.rows.shape) == ((5,), (5, DIM))
        assert np.isfinite(back.rows).all()
        assert (np.diff(back.ids) > 0).all()
        assert back.ids[0] >= 1
