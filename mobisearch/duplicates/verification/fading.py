"""Where a picture fades into black or white towards its corners, as under a vignette.

There it is another picture's, blended with black or white the more the nearer it is to the edge:
``end + g * (other - end)``, with a ``g`` that changes slowly from place to place. What can still be
seen must agree with the other; what cannot, is black or white.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.overlap import Overlap, brightness, largest
from mobisearch.duplicates.verification.windows import (
    CELL_PX,
    Plane,
    Windows,
    correlate,
    make_levels,
    whole_cells,
    window_mean,
)

_SPREAD = 0.02
"""Of the longer side, over how far ``g`` is taken to be the same."""

_DOUBT_LEVELS = 6.0
_LEAST_REFERENCE = 0.3
"""Of what agrees, the least ``g``: less, and the two are not lit alike anywhere."""

_DIM, _DIMMER = 0.8, 0.95
"""Times the ``g`` of what agrees: a corner is dim below the first, nothing from the second on."""

_LEAST_CORNERS = 2
_SLACK = 1.15
"""Between a pixel for each window, where corners are looked for first, and all of them."""

_CONTENT_LEVELS = 24.0
"""By which the other must differ from black or white for its dimming to be seen."""

_GONE_LEVELS = 20.0
"""So near to black or white nothing is left to see."""

_LEAST_DETAIL = 3.0
"""Details are what a blur as wide takes away; with less contrast, in levels, they say nothing."""

_ALIKE, _LEAST_ALIKE = 0.3, 0.5
"""Correlation, as they are, of dim windows that have details, and how many of them must have it to
be looked at any further. Of 278 vignettes that were recognised the worst had 0.65; where another
picture begins it is 0.1 to 0.4."""

_AGREEMENT, _LEAST_TOLD, _LEAST_AGREEING = 0.7, 5, 0.7
"""Correlation of details, dim windows that have some, and how many of those must agree."""

_LEAST_EXPLAINED = 0.7
"""Of a place that differs, what must be explained by the fading for all of it to be."""


def find_faded(
    overlap: Overlap,
    windows: Windows,
    agreeing: NDArray[np.bool_],
    failing: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return those of the failing windows, (r, c), that one picture's fading explains.

    Args:
        windows: the two compared, before any fading is seen.
        agreeing: those that show the same, (r, c).
        failing: those that do not.
    """
    inside = windows.inside
    found = np.zeros(failing.shape, bool)
    coarse = _coarse(overlap)
    near = _Near.around(coarse.inside)
    for (clear, faded, end), way in zip(_ways(coarse), _ways(overlap), strict=True):
        a, b = clear - end, faded - end
        dimmed = _find_dim(_mean_product(a, b), _mean_product(a, a), near, inside, agreeing, _SLACK)
        if dimmed is None or not _is_alike(windows, dimmed[-1]):
            continue
        explained = _explain(*way, near, inside, agreeing, failing)
        if explained.sum() > found.sum():
            found = explained
    return found


def _is_alike(windows: Windows, dim: NDArray[np.bool_]) -> bool:
    """Say whether dim windows, (r, c), could show the same: what they have left is much alike."""
    seen = dim & (np.minimum(windows.first_spread, windows.second_spread) > _LEAST_DETAIL)
    alike = windows.correlation[seen] > _ALIKE
    return not len(alike) or float(alike.mean()) >= _LEAST_ALIKE


@dataclass(frozen=True, eq=False, slots=True)
class _Near:
    """What of the two is seen.

    Attributes:
        weight: 1 for each window that lies in both, otherwise 0, (r, c).
        share: of what is around each, how much does.
    """

    weight: Plane
    share: Plane

    @classmethod
    def around(cls, inside: NDArray[np.bool_]) -> _Near:
        weight = inside.astype(np.float32)
        return cls(weight, _spread(weight))


def _coarse(overlap: Overlap) -> Overlap:
    """Return the same pictures with one pixel for each window, to see in them what has no use."""
    return replace(
        overlap,
        first=_shrink(overlap.first),
        second=_shrink(overlap.second),
        expected=_shrink(overlap.expected),
        inside=_shrink(overlap.inside.astype(np.float32)) > 0.5,
    )


def _shrink(plane: Plane) -> Plane:
    """Return a picture of whole cells with one pixel for each window."""
    height, width = (side // CELL_PX for side in plane.shape[:2])
    small: Plane = cv2.resize(whole_cells(plane), (width, height), interpolation=cv2.INTER_AREA)
    return small


def _ways(overlap: Overlap) -> Iterator[tuple[Plane, Plane, Plane]]:
    """Give the clear picture, the one that may fade, and into what: colours as they are, fitted."""
    first, second, colours = overlap.first, overlap.second, overlap.colours
    ends = np.array([0, 255], np.float32)
    for end in ends:
        yield first, second, np.full(3, end, np.float32)
        yield second, first, np.full(3, end, np.float32)
    for end in ends:
        moved_end = end * colours[:3].sum(axis=0) + colours[3]
        yield overlap.expected, second, np.full(3, end, np.float32)
        yield second, overlap.expected, moved_end.astype(np.float32)


def _explain(
    clear: Plane,
    faded: Plane,
    end: Plane,
    near: _Near,
    inside: NDArray[np.bool_],
    agreeing: NDArray[np.bool_],
    failing: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return the failing windows, (r, c), that are explained by one picture fading into a colour.

    Args:
        clear, faded: float32, RGB, shape (h, w, 3).
        end: into which colour, shape (3,).
        near: the windows that lie in both, for what is around each.
        inside: the windows that do.
    """
    none = np.zeros(failing.shape, bool)
    a, b = clear - end, faded - end
    found = _find_dim(
        _shrink(_mean_product(a, b)), _shrink(_mean_product(a, a)), near, inside, agreeing
    )
    if found is None:
        return none
    dimming, reference, dim = found
    grey = whole_cells(brightness(a))
    g = cv2.resize(dimming, (grey.shape[1], grey.shape[0]))
    first, second = (
        make_levels(_details(plane)) for plane in (g * grey, whole_cells(brightness(b)))
    )
    agrees = correlate(first, second) > _AGREEMENT
    is_gone = window_mean(whole_cells(largest(abs(b)))) < _GONE_LEVELS
    told = (np.maximum(first.spread, second.spread) > _LEAST_DETAIL) & ~is_gone
    seen = dim & told
    if seen.sum() < _LEAST_TOLD or agrees[seen].mean() < _LEAST_AGREEING:
        return none
    explained = failing & np.where(told, agrees, dimming < _DIMMER * reference)
    count, labels = cv2.connectedComponents(failing.astype(np.uint8), connectivity=8)
    sizes, shares = (np.bincount(labels[some], minlength=count) for some in (failing, explained))
    is_explained = shares >= _LEAST_EXPLAINED * np.maximum(sizes, 1)
    result: NDArray[np.bool_] = is_explained[labels] & failing
    return result


def _find_dim(
    shared: Plane,
    content: Plane,
    near: _Near,
    inside: NDArray[np.bool_],
    agreeing: NDArray[np.bool_],
    slack: float = 1.0,
) -> tuple[Plane, float, NDArray[np.bool_]] | None:
    """Find the corners in which a picture is dimmer than elsewhere; None if there are none.

    Args:
        shared: of each window, the product of both pictures' colours, given from the end.
        content: of those of the clear one with themselves.
        slack: how much brighter a corner may be, from which on it is looked at.

    Returns:
        ``g`` of each window, of those that agree; and the dim windows.
    """
    dimming = _dimming(shared, content, near)
    reference = float(np.median(dimming[agreeing])) if agreeing.any() else 0.0
    if reference < _LEAST_REFERENCE / slack:
        return None
    dim = inside & (dimming < _DIM * slack * reference) & (content > (_CONTENT_LEVELS / slack) ** 2)
    if _count_corners(inside, dim) < _LEAST_CORNERS:
        return None
    return dimming, reference, dim


def _mean_product(a: Plane, b: Plane) -> Plane:
    """Return the mean of the products of three values of each pixel, (h, w)."""
    product: Plane = a[..., 0] * b[..., 0]
    product += a[..., 1] * b[..., 1]
    product += a[..., 2] * b[..., 2]
    product /= 3
    return product


def _dimming(shared: Plane, content: Plane, near: _Near) -> Plane:
    """Return ``g`` for each window, (r, c); the arguments are those of :func:`_find_dim`."""
    above, below = (_spread(plane * near.weight) for plane in (shared, content))
    below += _DOUBT_LEVELS**2 * near.share
    below += 1e-3
    g: Plane = np.clip(above / below, 0, 4)
    return g


def _spread(plane: Plane) -> Plane:
    """Return the mean around each place, (h, w), 0 beyond the edges."""
    sigma = _SPREAD * max(plane.shape)
    spread: Plane = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return spread


def _details(grey: Plane) -> Plane:
    """Return what a blur as wide as the spread takes away from a picture of whole cells."""
    small = _shrink(grey)
    soft = cv2.GaussianBlur(small, (0, 0), _SPREAD * max(small.shape))
    fine: Plane = grey - cv2.resize(soft, (grey.shape[1], grey.shape[0]))
    return fine


def _count_corners(inside: NDArray[np.bool_], dim: NDArray[np.bool_]) -> int:
    """Count the corners of what both show that are dim."""
    rows, columns = np.nonzero(inside)
    if not len(rows):
        return 0
    corners = {
        (rows[place], columns[place])
        for u in (1, -1)
        for v in (1, -1)
        for place in [np.argmin(u * rows + v * columns)]
    }
    return sum(bool(dim[corner]) for corner in corners)
