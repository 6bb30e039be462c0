"""All pairs of rows above a score: exactly, in bounded memory, in the same order on every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.rows import Rows
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.types import Embeddings

_OUTER, _INNER = 8192, 2048
"""Rows of a block each way, as they are read."""

_PART = 1024
"""Of the outer block, rows that are multiplied at a time: products of 8 MB, which stay in a cache
until they are looked through. Whole blocks take a quarter longer."""

_NOISE = 1e-5
"""Products in float32 depend on the block by less than this; scores are made again in float64."""

_ROUNDED = 6
"""Decimals of a score: far more than matter, and few enough to be the same everywhere."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of places, the smaller first, best first, ties by place.

    Attributes:
        first, second: int32, shape (n,).
        scores: float64, shape (n,).
        least_score: every pair at or above it is there.
        n_dropped: pairs at that very score that are not, because so many have it.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    scores: NDArray[np.float64]
    least_score: float
    n_dropped: int = 0

    def __len__(self) -> int:
        return len(self.first)


def join_rows(
    rows: Rows,
    least_score: float,
    *,
    max_pairs: int,
    is_stopped: Callable[[], bool] = lambda: False,
    tell: Callable[[int], None] = lambda _: None,
) -> Pairs:
    """Return every pair of rows whose product is at least a score.

    Cost: n^2 d operations; 26 seconds for 100,000 rows of 256 values where a matrix product makes a
    hundred thousand million operations a second. Memory: some 30 MB, and 24 bytes a pair.

    Args:
        rows: unit rows.
        max_pairs: where there are more, the least score rises until at most these are left.
        tell: called with the number of rows that are done.

    Raises:
        StoppedError: ``is_stopped`` said so.
    """
    found = _Found(least_score, max_pairs)
    product, is_enough = np.empty(_PART * _INNER, np.float32), np.empty(_PART * _INNER, np.bool_)
    for top in range(0, len(rows), _OUTER):
        upper = rows.block(top, min(top + _OUTER, len(rows)))
        for left in range(top, len(rows), _INNER):
            if is_stopped():
                raise StoppedError
            lower = rows.block(left, min(left + _INNER, len(rows)))
            for start in range(0, min(len(upper), left + len(lower) - top), _PART):
                part = upper[start : start + _PART]
                n = len(part) * len(lower)
                np.matmul(part, lower.T, out=product[:n].reshape(len(part), len(lower)))
                np.greater_equal(product[:n], found.least_score - _NOISE, out=is_enough[:n])
                above, beside = np.divmod(np.flatnonzero(is_enough[:n]), len(lower))
                if len(above):
                    found.add(part, lower, above, beside, top + start, left)
        tell(min(top + _OUTER, len(rows)))
    return found.pairs()


class _Found:
    """Pairs that were found, fewer than twice as many as wanted."""

    def __init__(self, least_score: float, max_pairs: int) -> None:
        self.least_score = least_score
        self.n_dropped = 0
        self._max_pairs = max_pairs
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]] = []
        self._n = 0

    def add(
        self,
        upper: Embeddings,
        lower: Embeddings,
        above: NDArray[np.int64],
        beside: NDArray[np.int64],
        top: int,
        left: int,
    ) -> None:
        """Add the pairs of two blocks of rows that begin at two places, if they have the score.

        Args:
            above, beside: places in the blocks.
        """
        is_new = above + top < beside + left
        above, beside = above[is_new], beside[is_new]
        scores = exact_products(upper, lower, above, beside)
        is_wanted = scores >= self.least_score
        if not is_wanted.any():
            return
        self._parts.append(
            (
                (above[is_wanted] + top).astype(np.int32),
                (beside[is_wanted] + left).astype(np.int32),
                scores[is_wanted],
            )
        )
        self._n += int(is_wanted.sum())
        if self._n > 2 * self._max_pairs:
            self._trim()

    def _trim(self) -> None:
        """Keep the best: all that are better than the last of them, or as good as it."""
        first, second, scores = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        if len(scores) > self._max_pairs:
            limit = np.partition(scores, -self._max_pairs)[-self._max_pairs]
            is_kept = scores >= limit
            if is_kept.sum() > self._max_pairs and (scores > limit).any():
                is_kept = scores > limit
            first, second, scores = first[is_kept], second[is_kept], scores[is_kept]
            self.least_score = max(self.least_score, float(scores.min()))
        if len(scores) > self._max_pairs:  # all of them equal: the first places link all the others
            order = np.lexsort((second, first))[: self._max_pairs]
            self.n_dropped += len(scores) - len(order)
            first, second, scores = first[order], second[order], scores[order]
        self._parts = [(first, second, scores)]
        self._n = len(scores)

    def pairs(self) -> Pairs:
        """Return what was found."""
        if not self._parts:
            none = np.empty(0, np.int32)
            return Pairs(none, none, np.empty(0), self.least_score)
        self._trim()
        first, second, scores = self._parts[0]
        order = np.lexsort((second, first, -scores))
        return Pairs(first[order], second[order], scores[order], self.least_score, self.n_dropped)


def exact_products(
    upper: Embeddings, lower: Embeddings, above: NDArray[np.int64], beside: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the product of each pair of rows, float64, the same whatever rows are beside them."""
    scores = np.empty(len(above), np.float64)
    for start in range(0, len(above), _INNER):
        some = slice(start, start + _INNER)
        scores[some] = np.einsum(
            "ij,ij->i", upper[above[some]], lower[beside[some]], dtype=np.float64
        )
    return np.round(scores, _ROUNDED)
