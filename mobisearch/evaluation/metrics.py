"""Measures of a ranking. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def micro_average_precision(scores: ArrayLike, is_match: ArrayLike) -> float:
    """Return the area under precision and recall over all pairs of all queries together.

    One threshold serves all queries, so that a score must mean the same for each: the measure of
    copy detection. Pairs of equal score count as one step, so the order among them does not matter.

    Args:
        scores: any shape, higher is better.
        is_match: the same shape; True where the pair belongs together.

    Raises:
        ValueError: the shapes differ, or no pair belongs together.

    Source: Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection" (2022), section 4.

    >>> micro_average_precision([0.9, 0.8, 0.7], [True, False, True])
    0.8333333333333333
    """
    values = np.ravel(np.asarray(scores, np.float64))  # (n,)
    truth = np.ravel(np.asarray(is_match, bool))
    if values.shape != truth.shape or not truth.any():
        raise ValueError(f"expected {values.size} marks, some of them true, got {truth.size}")
    order = np.argsort(-values, kind="stable")
    found = np.cumsum(truth[order])
    is_last = np.append(np.diff(values[order]) != 0, True)  # of its score
    found, seen = found[is_last], np.flatnonzero(is_last) + 1
    gained = np.diff(found, prepend=0)
    return float((gained * found / seen).sum() / truth.sum())


def recall_at(scores: ArrayLike, is_match: ArrayLike, k: int) -> float:
    """Return the share of queries with a match among their best k.

    Args:
        scores: shape (q, n), higher is better.
        is_match: shape (q, n).

    >>> recall_at([[0.9, 0.8], [0.1, 0.7]], [[True, False], [True, False]], k=1)
    0.5
    """
    values, truth = np.asarray(scores), np.asarray(is_match, bool)
    best: NDArray[np.int64] = np.argsort(-values, axis=1, kind="stable")[:, :k]  # (q, k)
    return float(np.take_along_axis(truth, best, axis=1).any(axis=1).mean())
