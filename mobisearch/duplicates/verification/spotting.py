"""Places in which two pictures that lie on one another differ, by more than saving explains."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Pixels

Plane = NDArray[np.uint8] | NDArray[np.float32]

_N_NINTHS = 9 * 256
_PARTS, _USUAL, _USUAL_PART = 6, 0.95, 0.75
"""What is usual is what one of twenty places differs by, in three quarters of the parts of a six by
six grid: what was changed in less than a quarter does not make itself usual."""

_AREA_PX = 8
"""Side of an area whose mean is compared: noise has no mean, so that what is larger than a few
pixels and hides in the noise of a place is found."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """From how many levels on a place differs: some times the usual and some more, or ``most``."""

    times: float
    plus: float
    most: float = 255.0

    def at(self, usual: float) -> float:
        return min(self.most, self.times * usual + self.plus)


_PLACES, _PLACES_SCALED = _Limit(6.0, 6.0, 36.0), _Limit(4.0, 4.5, 24.0)
"""Of three by three pixels; the second for a copy that was made smaller.

Of 25 photos and 3 pages, JPEG at quality 85, 75 and 50 leaves at most 9, 14 and 19 of brightness,
and 15, 17 and 23 of colour; another digit in a page makes 40 and more. Made smaller, 13 of
brightness and 10 of colour are left at 0.6 of the size and quality 75; one other digit makes 14 and
more, where it can be told."""

_AREAS = {1: _Limit(2.0, 8.0), 2: _Limit(2.0, 4.0), 4: _Limit(2.0, 3.0)}
_AREAS_SCALED = {1: _Limit(2.0, 5.0), 2: _Limit(2.0, 2.5), 4: _Limit(2.0, 2.0)}
"""Of areas, by what the pictures are shrunk by first. Of eight photos saved again in 13 ways, with
noise and without, the means of brightness differ by at most 6.7, 3.0 and 2.3 levels, and by 2.7,
1.2 and 0.8 in smaller copies, of colour by 5.5, 3.7 and 2.9, and by 1.9, 1.0 and 0.8."""

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
    places = _PLACES_SCALED if is_scaled else _PLACES
    areas = _AREAS_SCALED if is_scaled else _AREAS
    seen = None if mask is None else mask.astype(np.uint8)
    for one, other in zip(_planes(first), _planes(second), strict=True):
        if _planes_differ(one, other, _fitted(seen, one), places, _places_apart):
            return True
        for by, limit in areas.items():
            small, also = _shrunk(one, by), _shrunk(other, by)
            if _planes_differ(small, also, _fitted(seen, small, _AREA_PX), limit, _areas_apart):
                return True
    return False


def _fitted(
    mask: NDArray[np.uint8] | None, plane: NDArray[np.uint8], edge_px: int = 0
) -> NDArray[np.uint8] | None:
    """Return a mask at the size of a plane, without what is near its edge or the picture's."""
    if mask is None:
        return None
    size = (plane.shape[1], plane.shape[0])
    fitted = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    if edge_px:
        near = np.ones((2 * edge_px + 1,) * 2, np.uint8)
        fitted = cv2.erode(fitted, near, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(fitted, np.uint8)


def _shrunk(plane: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    if by == 1:
        return plane
    size = (max(1, plane.shape[1] // by), max(1, plane.shape[0] // by))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


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
    mask: NDArray[np.uint8] | None,
    allowed: _Limit,
    find_apart: Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint16]],
) -> bool:
    counts, usual = np.zeros(_N_NINTHS), []  # of places, by the ninths in which they differ
    height, width = first.shape[:2]
    downs, rights = (_cuts(side) for side in (height, width))
    for top, bottom in itertools.pairwise(downs):
        rows = slice(max(0, top - _AREA_PX), min(height, bottom + _AREA_PX))
        apart = find_apart(first[rows], second[rows])[top - rows.start : bottom - rows.start]
        for left, right in itertools.pairwise(rights):
            part = np.ascontiguousarray(apart[:, left:right])
            some = None if mask is None else np.ascontiguousarray(mask[top:bottom, left:right])
            here = cv2.calcHist([part], [0], some, [_N_NINTHS], [0, _N_NINTHS]).ravel()
            if here.any():
                counts += here
                usual.append(_quantile(here, _USUAL))
    if not usual:
        return False
    most = float(np.flatnonzero(counts)[-1]) / 9
    limit = allowed.at(float(np.quantile(usual, _USUAL_PART)))
    return _quantile(counts, 0.5) > _EVERYWHERE_LEVELS or most > limit


def _cuts(side: int) -> list[int]:
    return sorted({round(side * n / _PARTS) for n in range(_PARTS + 1)})


def _quantile(counts: NDArray[np.float64], share: float) -> float:
    total = counts.cumsum()
    return float(np.searchsorted(total, share * total[-1])) / 9


def _places_apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return by how many ninths of a level places of three by three pixels differ, (h, w)."""
    most = _apart(first, second)
    summed = cv2.boxFilter(most, cv2.CV_16S, (3, 3), normalize=False)
    return np.asarray(summed, np.uint16)


def _areas_apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return by how many ninths of a level the means of areas differ, (h, w)."""
    side = (_AREA_PX, _AREA_PX)
    means = [cv2.boxFilter(plane, cv2.CV_32F, side) for plane in (first, second)]
    return np.rint(9 * _apart(*means)).astype(np.uint16)


def _apart(first: Plane, second: Plane) -> Plane:
    """Return by how much values differ, (h, w), more than moving by a pixel explains."""
    near = np.ones((3, 3), np.uint8)
    levels = np.zeros_like(first)
    for one, other in ((first, second), (second, first)):
        levels = cv2.max(levels, cv2.subtract(one, cv2.dilate(other, near)))
        levels = cv2.max(levels, cv2.subtract(cv2.erode(other, near), one))
    return levels if levels.ndim == 2 else cv2.max(levels[..., 0].copy(), levels[..., 1].copy())
