"""Whether a picture was made from a copy of it, where that shows: then the copy is the original.

What was made from another picture is foretold by that one: by enlarging it, or by the steps to
which its values had been rounded.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.algebra import use_one_thread
from mobisearch.duplicates.verification.rounding import was_rounded
from mobisearch.duplicates.verification.sameness import iter_turned
from mobisearch.imaging import Quantisation, iter_resized
from mobisearch.types import Pixels

_LARGER = 1.02
"""Sides within 2 % of each other are the same size, but for rounding."""

_FORETOLD = 0.65
"""Of the error by which the larger picture foretells the smaller one, the error by which that one
foretells the larger. Of 480 pictures enlarged by a quarter to three times in three ways, saved at
95, the worst has 0.63, most less than 0.5; of photos as sharp as their pixels, made smaller and
saved at 75 to 95, none less than 0.86, of blurred ones (1.2 pixels) 0.65."""

_DOUBT_LEVELS = 0.5
_LEAST_PX = 16


def find_descent(
    kept: Pixels, own: Quantisation | None, copy: Pixels, saved: Quantisation | None
) -> str:
    """Say how a picture was made from a copy that shows the same, in words that "from" goes on.

    Returns "" where that does not show: of most pictures.

    Args:
        kept, copy: uint8, RGB, shape (h, w, 3), whole.
        own, saved: how each was saved, None for what is no JPEG.
    """
    use_one_thread()
    turned = max(iter_turned(kept, copy), key=lambda way: way[0], default=None)
    if turned is None or min(*copy.shape[:2], *kept.shape[:2]) < _LEAST_PX:
        return ""
    picture = turned[1]
    if picture.shape == copy.shape:
        is_same = np.array_equal(picture, copy)
        if saved is not None and not is_same and was_rounded(picture, own, saved):
            return "seems to have been saved again"
        return ""
    ratio = min(picture.shape[side] / copy.shape[side] for side in (0, 1))
    if ratio > _LARGER and _is_enlarged(picture, copy):
        return "shows no more detail, as if enlarged"
    return ""


def _is_enlarged(large: Pixels, small: Pixels) -> bool:
    """Return whether a smaller picture foretells a larger one much better than that one it."""
    a, b = (np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in (large, small))
    return _error(b, a) < _FORETOLD * (_error(a, b) + _DOUBT_LEVELS)


def _error(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> float:
    """Return by how many levels a picture differs from another, scaled to its size at best."""
    height, width = target.shape
    least = min(cv2.norm(made, target, cv2.NORM_L2) for made in iter_resized(source, width, height))
    return float(least) / float(np.sqrt(target.size))
