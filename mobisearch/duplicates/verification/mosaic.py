"""Mosaics: pictures of large even squares, as pixelation leaves them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_BLOCK_PX = 4
_LEAST_EDGES = 6
_PEAK = 1.5
"""How much more changes across an edge than anywhere, in the mean: compression leaves edges too."""

_MOST_WITHIN = 0.65
"""How much changes within blocks, over the mean of all changes: in photos it is 0.9."""

_LEAST_EVEN = 0.8
"""Of the distances between edges, how many are whole numbers of blocks, to a pixel."""


def is_mosaic(grey: NDArray[np.uint8]) -> bool:
    """Return whether a picture, (h, w), consists of squares, in which it hardly changes.

    More pixels of it than its squares are show no more.
    """
    values = grey.astype(np.float32)
    return all(_has_blocks(abs(np.diff(values, axis=axis)).mean(axis=1 - axis)) for axis in (0, 1))


def _has_blocks(changes: NDArray[np.float32]) -> bool:
    """Return whether changes, from each row or column to the next, come at even distances."""
    if len(changes) < _LEAST_EDGES * _LEAST_BLOCK_PX:
        return False
    mean = float(changes.mean())
    before, after = np.r_[0, changes[:-1]], np.r_[changes[1:], 0]
    edges = np.flatnonzero((changes > _PEAK * mean) & (changes >= before) & (changes >= after))
    if len(edges) < _LEAST_EDGES or np.median(changes) > _MOST_WITHIN * mean:
        return False
    distances = np.diff(edges)
    block = float(np.median(distances))
    apart = abs(distances - np.rint(distances / block) * block)
    return bool(block >= _LEAST_BLOCK_PX and (apart <= 1).mean() > _LEAST_EVEN)
