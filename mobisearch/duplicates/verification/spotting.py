"""Places in which two pictures that lie on one another differ, by more than saving explains."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Pixels

_EDGE_PX = 4
_N_NINTHS = 9 * 256
_PARTS, _USUAL, _USUAL_PART = 6, 0.95, 0.75
"""What is usual is what one of twenty places differs by, in three quarters of the parts of a six by
six grid: what was changed in less than a quarter does not make itself usual."""

_TIMES, _PLUS_LEVELS, _MOST_LEVELS = 6.0, 6.0, 36.0
"""A place differs, if it does so by more than six times what one of twenty does and six levels
more, or by more than 36. Of 25 photos and 3 pages, JPEG at quality 85, 75 and 50 leaves at most 9,
14 and 19 of brightness, and 15, 17 and 23 of colour; another digit in a page makes 40 and more."""

_TIMES_SCALED, _PLUS_LEVELS_SCALED, _MOST_LEVELS_SCALED = 4.0, 4.5, 24.0
"""The same for a copy that was made smaller: 13 of brightness and 10 of colour are left at 0.6 of
the size and quality 75; one other digit makes 14 and more, where it can be told."""

_EVERYWHERE_LEVELS = 3.0
"""By which half of a picture may differ: more, and its colours are others."""


def differ(
    first: Pixels,
    second: Pixels,
    *,
    is_scaled: bool,
    mask: NDArray[np.bool_] | None = None,
) -> bool:
    """Return whether two pictures of one size differ in a place, of those in a mask.

    Colour is compared at half the size: most JPEGs have no more of it.
    """
    light, colour = zip(_planes(first), _planes(second), strict=True)
    if _planes_differ(*light, is_scaled, mask):
        return True
    if mask is not None:
        size = (colour[0].shape[1], colour[0].shape[0])
        mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return _planes_differ(*colour, is_scaled, mask)


def _planes(picture: Pixels) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return brightness, (h, w), and colour, (h / 2, w / 2, 2)."""
    whole = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    light, red, blue = cv2.split(whole)
    size = (max(1, light.shape[1] // 2), max(1, light.shape[0] // 2))
    small = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (red, blue)]
    return np.asarray(light, np.uint8), np.stack(small, axis=-1).astype(np.uint8)


def _planes_differ(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    is_scaled: bool,
    mask: NDArray[np.bool_] | None,
) -> bool:
    counts, usual = np.zeros(_N_NINTHS), []  # of places, by the ninths in which they differ
    height, width = first.shape[:2]
    downs, rights = (_cuts(side) for side in (height, width))
    for top, bottom in itertools.pairwise(downs):
        rows = slice(max(0, top - _EDGE_PX), min(height, bottom + _EDGE_PX))
        apart = _apart(first[rows], second[rows])[top - rows.start : bottom - rows.start]
        for left, right in itertools.pairwise(rights):
            part = np.ascontiguousarray(apart[:, left:right])
            some = None if mask is None else mask[top:bottom, left:right].astype(np.uint8)
            here = cv2.calcHist([part], [0], some, [_N_NINTHS], [0, _N_NINTHS]).ravel()
            if here.any():
                counts += here
                usual.append(_quantile(here, _USUAL))
    if not usual:
        return False
    most = float(np.flatnonzero(counts)[-1]) / 9
    level = float(np.quantile(usual, _USUAL_PART))
    limit = min(_MOST_LEVELS, _TIMES * level + _PLUS_LEVELS)
    if is_scaled:
        limit = min(_MOST_LEVELS_SCALED, _TIMES_SCALED * level + _PLUS_LEVELS_SCALED)
    return _quantile(counts, 0.5) > _EVERYWHERE_LEVELS or most > limit


def _cuts(side: int) -> list[int]:
    return sorted({round(side * n / _PARTS) for n in range(_PARTS + 1)})


def _quantile(counts: NDArray[np.float64], share: float) -> float:
    total = counts.cumsum()
    return float(np.searchsorted(total, share * total[-1])) / 9


def _apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return by how much places differ, (h, w), more than moving by a pixel explains.

    Sums over three by three pixels, in levels: ninths of their mean.
    """
    near = np.ones((3, 3), np.uint8)
    levels = np.zeros(first.shape, np.uint8)
    for one, other in ((first, second), (second, first)):
        levels = cv2.max(levels, cv2.subtract(one, cv2.dilate(other, near)))
        levels = cv2.max(levels, cv2.subtract(cv2.erode(other, near), one))
    most = levels if levels.ndim == 2 else cv2.max(levels[..., 0].copy(), levels[..., 1].copy())
    places: NDArray[np.uint16] = cv2.boxFilter(most, cv2.CV_16S, (3, 3), normalize=False).astype(
        np.uint16
    )
    return places
