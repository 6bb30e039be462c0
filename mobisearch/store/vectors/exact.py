"""Exact search by inner product among vectors in memory."""

from __future__ import annotations

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

    def _candidates(self, queries: Embeddings, wanted: int) -> list[Candidates]:
        """Return the best ``wanted`` of each part for each query, hidden ones left out."""
        collected = [Candidates() for _ in queries]
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


class Candidates:
    """Candidates for one query, with a bound on the scores of everything that is not among them."""

    def __init__(self) -> None:
        self.worst_left_out = -np.inf
        self._ids = np.empty(0, np.int64)
        self._scores = np.empty(0, np.float64)

    def add(self, ids: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        """Add vectors by id, with their exact scores; none may be added twice."""
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

    def __len__(self) -> int:
        return len(self._ids)

    def best(self, k: int) -> list[FoundVector]:
        """Return the best k, best first, ties by id; more if several tie for the last place."""
        order = np.lexsort((self._ids, -self._scores))
        if len(order) > k:
            order = order[self._scores[order] >= self._scores[order[k - 1]]]
        return [FoundVector(int(self._ids[i]), float(self._scores[i])) for i in order]
