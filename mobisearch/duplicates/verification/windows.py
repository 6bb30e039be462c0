"""Two pictures that lie on one another, compared window by window.

Means over windows are means over three by three cells of four by four pixels: cells are had by
scaling down, which is cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float32]

CELL_PX = 4
"""From one window to the next. Windows have three cells, 12 pixels, a side: the smallest that still
holds several details."""

NOISE_LEVELS = 2.0
"""Standard deviation, of 255 grey levels, that JPEG and rounding leave in a thumbnail: below it
there is nothing to compare."""

CLEAR = 6.0
"""Grey levels of contrast in a window whose likeness counts."""

_DAMPING = 0.004
"""Added to squared gradients, so that a window without any does not seem to move."""

_MARGIN_PX = 4.4
"""How far from the other picture's edge the middle of a window must be."""

Sums: TypeAlias = tuple[Plane, Plane, Plane, Plane, Plane]
"""Means over each window of gradient products (xx, xy, yy) and of gradient times difference."""


@dataclass(frozen=True, eq=False, slots=True)
class Levels:
    """One picture, with the grey levels of each window of it.

    Attributes:
        plane: float32, grey levels from the middle one, whole cells only, (4 r, 4 c).
        mean, spread: of each window, (r, c).
    """

    plane: Plane
    mean: Plane
    spread: Plane


@dataclass(frozen=True, eq=False, slots=True)
class Grid(Levels):
    """One picture, with all that each window of it is compared by.

    Attributes:
        even: the plane with mean and contrast of the windows taken out.
    """

    even: Plane


@dataclass(frozen=True, eq=False, slots=True)
class Windows:
    """Two pictures compared in windows on a grid: (r, c) of them.

    Attributes:
        inside: the window lies in both pictures.
        first_spread, second_spread: standard deviations in the window, grey levels.
        correlation: normalised, -1 to 1; damped where nothing but noise is in one of them.
        sums: what tells where a window would have to move.
    """

    inside: NDArray[np.bool_]
    first_spread: Plane
    second_spread: Plane
    correlation: Plane
    sums: Sums

    def measure_rest(self) -> Plane:
        """Return how far each window would have to move by itself to fit better, in pixels."""
        xx, xy, yy, xt, yt = self.sums
        u, v = xx + _DAMPING, yy + _DAMPING
        area = u * v - xy * xy
        rest: Plane = np.hypot((v * xt - xy * yt) / area, (u * yt - xy * xt) / area)
        return rest * self.inside


def window_mean(plane: Plane) -> Plane:
    """Return the mean of each window of whole cells, (r, c)."""
    size = (plane.shape[1] // CELL_PX, plane.shape[0] // CELL_PX)
    cells = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    mean: Plane = cv2.blur(cells, (3, 3), borderType=cv2.BORDER_REFLECT)
    return mean


def make_stats(plane: Plane) -> tuple[Plane, Plane]:
    """Return mean and standard deviation of each window of whole cells, (r, c)."""
    mean = window_mean(plane)
    return mean, np.sqrt(np.maximum(window_mean(plane * plane) - mean * mean, 0))


def make_levels(plane: Plane) -> Levels:
    """Return a picture of whole cells with the mean and the contrast of its windows."""
    return Levels(plane, *make_stats(plane))


def make_grid(plane: Plane) -> Grid:
    """Return a picture of whole cells with all that its windows are compared by."""
    return refine(make_levels(plane))


def refine(levels: Levels) -> Grid:
    """Take mean and contrast of the windows out of a picture."""
    plane, mean, spread = levels.plane, levels.mean, levels.spread
    size = (plane.shape[1], plane.shape[0])
    even = (plane - cv2.resize(mean, size)) / cv2.resize(spread + NOISE_LEVELS, size)
    return Grid(plane, mean, spread, even)


def correlate(first: Levels, second: Levels) -> Plane:
    """Return the correlation of each window of two pictures, damped where there is but noise."""
    shared = window_mean(first.plane * second.plane) - first.mean * second.mean
    correlation: Plane = shared / (first.spread * second.spread + NOISE_LEVELS * NOISE_LEVELS)
    return correlation


def whole_cells(plane: Plane) -> Plane:
    """Return a picture without the pixels at its right and lower edge that fill no cell."""
    height, width = (side // CELL_PX * CELL_PX for side in plane.shape[:2])
    return plane[:height, :width]


def cell_middles(shape: tuple[int, ...]) -> tuple[Plane, Plane]:
    """Return x, shape (1, c), and y, shape (r, 1), of the middles of the windows of a plane."""
    start = (CELL_PX - 1) / 2
    x = np.arange(shape[1] // CELL_PX, dtype=np.float32)[None] * CELL_PX + start
    y = np.arange(shape[0] // CELL_PX, dtype=np.float32)[:, None] * CELL_PX + start
    return x, y


def find_inside(
    shape: tuple[int, ...], transform: NDArray[np.float64], other: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return which windows of a plane lie in another one of shape (h, w), where it is taken to."""
    x, y = cell_middles(shape)
    u, v, depth = (row[0] * x + row[1] * y + row[2] for row in transform.astype(np.float32))
    is_before = depth > 0
    depth = np.where(is_before, depth, 1)
    u, v = u / depth, v / depth
    right, bottom = other[1] - 1 - _MARGIN_PX, other[0] - 1 - _MARGIN_PX
    inside: NDArray[np.bool_] = (
        is_before & (u > _MARGIN_PX) & (v > _MARGIN_PX) & (u < right) & (v < bottom)
    )
    return inside


def compare(first: Grid, laid: Grid, inside: NDArray[np.bool_]) -> Windows:
    """Compare a picture with another one that was laid on it.

    Args:
        inside: windows in which the other one lies.
    """
    both, apart = first.even + laid.even, first.even - laid.even
    dx = cv2.Sobel(both, -1, 1, 0, ksize=3, scale=1 / 16)
    dy = cv2.Sobel(both, -1, 0, 1, ksize=3, scale=1 / 16)
    xx, xy, yy, xt, yt = (
        window_mean(product) for product in (dx * dx, dx * dy, dy * dy, dx * apart, dy * apart)
    )
    correlation = correlate(first, laid)
    return Windows(inside, first.spread, laid.spread, correlation, (xx, xy, yy, xt, yt))
