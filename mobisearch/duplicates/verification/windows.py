"""Two pictures that lie on one another, compared window by window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float32]

WINDOW_PX = 11
"""Side of the windows that are compared: the smallest that still holds several details."""

STRIDE_PX = 4
"""From one window to the next."""

FIRST_PX = WINDOW_PX // 2 - 1
"""Middle of the first window: those at the edge are reflected by one pixel."""

NOISE_LEVELS = 2.0
"""Standard deviation, of 255 grey levels, that JPEG and rounding leave in a thumbnail: below it
there is nothing to compare."""

_DAMPING = 0.004
"""Added to squared gradients, so that a window without any does not seem to move."""

_WHOLE = 0.98
"""Of a window that is to count as inside."""

Sums: TypeAlias = tuple[Plane, Plane, Plane, Plane, Plane]
"""Means over each window of gradient products (xx, xy, yy) and of gradient times difference."""


@dataclass(frozen=True, eq=False, slots=True)
class Windows:
    """Two pictures compared in windows on a grid: (r, c) of them.

    Attributes:
        x, y: places of the windows' middles in the first picture, shapes (c,) and (r,).
        inside: the window lies in both pictures.
        first_spread, second_spread: standard deviations in the window, grey levels.
        correlation: normalised, -1 to 1; damped where nothing but noise is in one of them.
        rest_px: how far the window would have to move by itself to fit better.
    """

    x: Plane
    y: Plane
    inside: NDArray[np.bool_]
    first_spread: Plane
    second_spread: Plane
    correlation: Plane
    rest_px: Plane


def box_mean(plane: Plane) -> Plane:
    """Return the mean of the window around each pixel."""
    mean: Plane = cv2.boxFilter(plane, -1, (WINDOW_PX, WINDOW_PX), borderType=cv2.BORDER_REFLECT)
    return mean


def on_grid(plane: Plane) -> Plane:
    """Return the values at the windows' middles."""
    return plane[FIRST_PX::STRIDE_PX, FIRST_PX::STRIDE_PX]


def compare(first: Plane, laid: Plane, inside: Plane) -> tuple[Windows, Sums]:
    """Compare a picture with another one that was laid on it.

    Args:
        first, laid: float32, grey levels, (h, w).
        inside: 1 where the other one lies, 0 elsewhere.
    """
    mean_a, mean_b = box_mean(first), box_mean(laid)
    spread_a = np.sqrt(np.maximum(box_mean(first * first) - mean_a * mean_a, 0))
    spread_b = np.sqrt(np.maximum(box_mean(laid * laid) - mean_b * mean_b, 0))
    shared = box_mean(first * laid) - mean_a * mean_b
    a = (first - mean_a) / (spread_a + NOISE_LEVELS)
    b = (laid - mean_b) / (spread_b + NOISE_LEVELS)
    both, apart = (a + b) / 2, a - b
    dx = cv2.Sobel(both, -1, 1, 0, ksize=3, scale=1 / 8)
    dy = cv2.Sobel(both, -1, 0, 1, ksize=3, scale=1 / 8)
    xx, xy, yy, xt, yt = (
        on_grid(box_mean(product))
        for product in (dx * dx, dx * dy, dy * dy, dx * apart, dy * apart)
    )
    is_inside = on_grid(box_mean(inside)) > _WHOLE
    u, v = xx + _DAMPING, yy + _DAMPING
    area = u * v - xy * xy
    rest = np.hypot((v * xt - xy * yt) / area, (u * yt - xy * xt) / area) * is_inside
    grid_a, grid_b = on_grid(spread_a), on_grid(spread_b)
    windows = Windows(
        x=np.arange(FIRST_PX, first.shape[1], STRIDE_PX, dtype=np.float32),
        y=np.arange(FIRST_PX, first.shape[0], STRIDE_PX, dtype=np.float32),
        inside=is_inside,
        first_spread=grid_a,
        second_spread=grid_b,
        correlation=on_grid(shared) / (grid_a * grid_b + NOISE_LEVELS * NOISE_LEVELS),
        rest_px=rest,
    )
    return windows, (xx, xy, yy, xt, yt)
