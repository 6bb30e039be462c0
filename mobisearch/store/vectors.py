"""Vectors in memory and in FAISS files: exact search by inner product. The only home of FAISS.

Knows no catalog: ids and rows come in, ids and scores go out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Embeddings

_SPARE = 32
"""Candidates beyond k in the first round; enough that a second round is rare."""

_SCORE_NOISE = 1e-5
"""FAISS adds up float32 products in an order that depends on the batch; its scores are this far, at
most, from the exact ones (measured: 6e-7 at d = 1280)."""

_INDEX_HEADER = struct.Struct("<4siqqq?i")  # fourcc, d, ntotal, two reserved, is_trained, metric
_COUNT = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class VectorPart:
    """Some of the vectors: ids, int64, shape (n,), ascending; rows, float32, shape (n, d)."""

    ids: NDArray[np.int64]
    rows: Embeddings


@dataclass(frozen=True, slots=True)
class FoundVector:
    """One result: the id of a vector, and its cosine similarity to the query."""

    vector_id: int
    score: float


class Vectors:
    """All vectors of an index at one moment. Immutable; safe to search from several threads."""

    def __init__(self, parts: Sequence[VectorPart], *, hidden: NDArray[np.int64]) -> None:
        """Take vectors.

        Args:
            parts: no id may be in two of them.
            hidden: ids that no search returns, ascending.
        """
        self._parts = tuple(part for part in parts if len(part.ids))
        self._hidden = hidden
        self._n_rows = sum(len(part.ids) for part in self._parts)

    def __len__(self) -> int:
        """Count the vectors, hidden ones included."""
        return self._n_rows

    def search(self, queries: Embeddings, k: int) -> list[list[FoundVector]]:
        """Find the vectors most like each query, exactly.

        The score is computed in float64, one row at a time, so it does not depend on how many
        queries are asked together or on which file a vector came from.

        Args:
            queries: float32, shape (q, d), unit rows.
            k: how many, at least 1.

        Returns:
            For each query its results, best first, ties by id. At least k where there are as many;
            more only where several tie for the last place, and then all of those.
        """
        results: list[list[FoundVector]] = []
        found = self._candidates(queries, k + _SPARE)
        for query, candidates in zip(queries, found, strict=True):
            wanted = k + _SPARE
            while not candidates.is_enough_for(k):
                wanted *= 4
                candidates = self._candidates(query[None], wanted)[0]
            results.append(candidates.best(k))
        return results

    def _candidates(self, queries: Embeddings, wanted: int) -> list[_Candidates]:
        """Return the best ``wanted`` of each part for each query, hidden ones left out."""
        collected = [_Candidates() for _ in queries]
        for part in self._parts:
            n_taken = min(wanted, len(part.ids))
            scores, places = faiss.knn(  # (q, n_taken) both
                queries, part.rows, n_taken, metric=faiss.METRIC_INNER_PRODUCT
            )
            for query, row_places, row_scores, candidates in zip(
                queries, places, scores, collected, strict=True
            ):
                if n_taken < len(part.ids):
                    candidates.worst_left_out = max(
                        candidates.worst_left_out, float(row_scores.min())
                    )
                taken = row_places[~np.isin(part.ids[row_places], self._hidden)]
                candidates.add(part.ids[taken], exact_scores(part.rows[taken], query))
        return collected


def exact_scores(rows: Embeddings, query: Embeddings) -> NDArray[np.float64]:
    """Return the cosine of each row to the query, float64, shape (n,), to nine decimals.

    Each row is summed by itself, so that a score does not depend on the rows beside it. The norms
    are taken once more, because rounding to float32 leaves rows a little off unit length: without
    that, a picture would score 0.99999999 against itself.
    """
    wide, direction = rows.astype(np.float64), query.astype(np.float64)
    products = np.einsum("ij,j->i", wide, direction)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide) * np.einsum("j,j->", direction, direction))
    scores: NDArray[np.float64] = np.clip(np.round(products / norms, 9), -1.0, 1.0)
    return scores


class _Candidates:
    """Candidates for one query, with a bound on the scores of everything that is not among them."""

    def __init__(self) -> None:
        self.worst_left_out = -np.inf
        self._ids = np.empty(0, np.int64)
        self._scores = np.empty(0, np.float64)

    def add(self, ids: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        self._ids = np.concatenate([self._ids, ids])
        self._scores = np.concatenate([self._scores, scores])

    def is_enough_for(self, k: int) -> bool:
        """Say whether nothing left out could belong among the best k or tie with the last."""
        if self.worst_left_out == -np.inf:
            return True
        if len(self._scores) < k:
            return False
        last = np.partition(self._scores, -k)[-k]
        return bool(self.worst_left_out < last - _SCORE_NOISE)

    def best(self, k: int) -> list[FoundVector]:
        order = np.lexsort((self._ids, -self._scores))
        if len(order) > k:
            order = order[self._scores[order] >= self._scores[order[k - 1]]]
        return [FoundVector(int(self._ids[i]), float(self._scores[i])) for i in order]


def serialise(part: VectorPart) -> bytes:
    """Return the part as a FAISS file, an ``IndexIDMap`` over an ``IndexFlatIP``.

    It is written to memory: ``faiss.write_index`` neither syncs nor reports a full disk.
    """
    index = faiss.IndexIDMap(faiss.IndexFlatIP(part.rows.shape[1]))
    index.add_with_ids(np.ascontiguousarray(part.rows), part.ids)
    return bytes(faiss.serialize_index(index))


def serialised_bytes(n: int, dim: int) -> int:
    """Return the exact size of what :func:`serialise` gives for n vectors."""
    return 2 * _INDEX_HEADER.size + 2 * _COUNT.size + n * (4 * dim + 8)


def deserialise(data: bytes, *, n: int, dim: int) -> VectorPart | None:
    """Read what :func:`serialise` wrote, without copying and without FAISS's own parser.

    A FAISS file can name other files and promise any size; this accepts the one shape above, of the
    size that n and d demand, with finite rows and ascending ids, and nothing else.

    Returns:
        The part, or None if the data is not exactly that.

    Source: faiss ``impl/index_write.cpp``: ``IxMp``, ``IxFI`` and the vectors that follow them.
    """
    if len(data) != serialised_bytes(n, dim):
        return None
    head = _INDEX_HEADER.size
    outer, inner = _INDEX_HEADER.unpack_from(data, 0), _INDEX_HEADER.unpack_from(data, head)
    values_at = 2 * head + _COUNT.size
    ids_at = values_at + 4 * n * dim + _COUNT.size
    (n_values,) = _COUNT.unpack_from(data, 2 * head)
    (n_ids,) = _COUNT.unpack_from(data, ids_at - _COUNT.size)
    for fourcc, found in ((b"IxMp", outer), (b"IxFI", inner)):
        is_expected = found[:3] == (fourcc, dim, n) and found[5:] == (
            True,
            faiss.METRIC_INNER_PRODUCT,
        )
        if not is_expected:
            return None
    if (n_values, n_ids) != (n * dim, n):
        return None
    rows = np.frombuffer(data, "<f4", n * dim, values_at).reshape(n, dim)
    ids = np.frombuffer(data, "<i8", n, ids_at)
    if not np.isfinite(rows).all() or (n and ids[0] < 1) or not (np.diff(ids) > 0).all():
        return None
    return VectorPart(ids, rows)
