"""Lays one picture exactly on another, from a first guess, by what can be seen in both.

Both are compared after what is locally constant (brightness, contrast) has been taken out of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.voting import Transform, is_sane

Plane = NDArray[np.float32]

WINDOW_PX = 11
"""Side of the windows that are compared: the smallest that still holds several details."""

STRIDE_PX = 4
NOISE_LEVELS = 2.0
"""Standard deviation, of 255 grey levels, that JPEG and rounding leave in a thumbnail: below it
there is nothing to compare."""

_MARGIN_PX = 2
_STEPS = 10
_STILL_PX = 0.03
"""A step that moves no place further ends the search."""

_MAX_STEP_PX = 3.0


@dataclass(frozen=True, eq=False, slots=True)
class Windows:
    """Two pictures compared in windows on a grid: (r, c) of them.

    Attributes:
        x, y: places of the windows' middles in the first picture, shape (c,) and (r,).
        inside: the window lies in both pictures.
        first_spread, second_spread: standard deviations in the window, grey levels.
        correlation: normalised, -1 to 1; damped where nothing but noise is in one of them.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    inside: NDArray[np.bool_]
    first_spread: Plane
    second_spread: Plane
    correlation: Plane


@dataclass(frozen=True, eq=False, slots=True)
class Registration:
    """How the first picture lies on the second, and how well they agree there.

    Attributes:
        transform: from pixels of the first, as compared, to pixels of the second.
        rest_px: how far each window would still have to move to fit better, (r, c), in pixels of
            the first; 0 where that cannot be told.
    """

    transform: Transform
    windows: Windows
    rest_px: Plane
    first: Plane
    second: Plane
    inside: Plane


def _box(plane: Plane) -> Plane:
    return cv2.boxFilter(plane, -1, (WINDOW_PX, WINDOW_PX), borderType=cv2.BORDER_REFLECT)


def _grid(plane: NDArray[np.float32]) -> Plane:
    start = WINDOW_PX // 2 - 1
    return plane[start :: STRIDE_PX, start :: STRIDE_PX]


def warp(second: Plane, transform: Transform, shape: tuple[int, int]) -> tuple[Plane, Plane]:
    """Return the second picture as it lies on the first, and where it does: 1, elsewhere 0."""
    height, width = shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(
        second, transform, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    ones = np.ones(second.shape, np.float32)
    inside = cv2.warpPerspective(ones, transform, (width, height), flags=flags)
    return laid, inside


def compare(
    first: Plane, laid: Plane, inside: Plane
) -> tuple[Windows, tuple[Plane, Plane, Plane, Plane]]:
    """Compare two pictures that lie on one another, window by window."""
    mean_a, mean_b = _box(first), _box(laid)
    spread_a = np.sqrt(np.maximum(_box(first * first) - mean_a * mean_a, 0))
    spread_b = np.sqrt(np.maximum(_box(laid * laid) - mean_b * mean_b, 0))
    shared = _box(first * laid) - mean_a * mean_b
    floor = NOISE_LEVELS * NOISE_LEVELS
    correlation = shared / (spread_a * spread_b + floor)
    x = np.arange(first.shape[1], dtype=np.float32)[WINDOW_PX // 2 - 1 :: STRIDE_PX]
    y = np.arange(first.shape[0], dtype=np.float32)[WINDOW_PX // 2 - 1 :: STRIDE_PX]
    windows = Windows(
        x,
        y,
        _grid(_box(inside)) > 0.98,
        _grid(spread_a),
        _grid(spread_b),
        _grid(correlation),
    )
    return windows, (mean_a, mean_b, spread_a, spread_b)


def register(
    first: Plane, second: Plane, guess: Transform, *, with_perspective: bool = True
) -> Registration | None:
    """Return how two pictures lie on one another, None if they come to lie apart.

    Gauss-Newton steps on the pixels (Lucas and Kanade), each window weighted by how well it agrees
    already, so that what is only in one of the pictures does not pull.

    Args:
        first: float32, grey levels 0 to 255, shape (h, w); the coarser of the two.
        second: the same of the other, of about the same resolution.
        guess: from pixels of the first to pixels of the second.

    Source: Baker and Matthews, "Lucas-Kanade 20 years on" (2004).
    """
    transform = guess / guess[2, 2]
    height, width = first.shape
    scale = max(height, width) / 2
    rest = None
    for step in range(_STEPS + 1):
        laid, inside = warp(second, transform, (height, width))
        windows, (mean_a, mean_b, spread_a, spread_b) = compare(first, laid, inside)
        if windows.inside.sum() < 4:
            return None
        a = (first - mean_a) / (spread_a + NOISE_LEVELS)
        b = (laid - mean_b) / (spread_b + NOISE_LEVELS)
        both = (a + b) / 2
        dx = cv2.Sobel(both, -1, 1, 0, ksize=3, scale=1 / 8)
        dy = cv2.Sobel(both, -1, 0, 1, ksize=3, scale=1 / 8)
        apart = a - b
        xx, xy, yy, xt, yt = (
            _grid(_box(p)) for p in (dx * dx, dx * dy, dy * dy, dx * apart, dy * apart)
        )
        weights = np.where(windows.inside, np.maximum(windows.correlation, 0.05) ** 2, 0)
        rest = _rest(xx, xy, yy, xt, yt) * windows.inside
        if step == _STEPS:
            break
        x = ((windows.x - width / 2) / scale)[None, :].astype(np.float64)
        y = ((windows.y - height / 2) / scale)[:, None].astype(np.float64)
        p = _solve(x, y, weights, (xx, xy, yy, xt, yt), with_perspective and step >= 1)
        if p is None:
            break
        moved = max(abs(p[:6]).max() * 1.5, abs(p[6:]).max(initial=0))
        p *= min(1.0, _MAX_STEP_PX / max(moved, 1e-9))
        q = p / scale
        change = np.array(
            [[1 + q[1], q[2], q[0]], [q[4], 1 + q[5], q[3]], [-q[6], -q[7], 1.0]]
        )
        to_unit = np.array([[1 / scale, 0, -width / 2 / scale], [0, 1 / scale, -height / 2 / scale], [0, 0, 1]])
        transform = transform @ np.linalg.inv(to_unit) @ change @ to_unit
        transform = transform / transform[2, 2]
        if not is_sane(transform[:2, :2]):
            return None
        if moved < _STILL_PX and step >= 2:
            break
    assert rest is not None
    return Registration(transform, windows, rest, first, laid, inside)


def _rest(xx: Plane, xy: Plane, yy: Plane, xt: Plane, yt: Plane) -> Plane:
    """Return the length of the step that each window by itself would take."""
    damping = 0.004
    xx, yy = xx + damping, yy + damping
    area = xx * yy - xy * xy
    u, v = (yy * xt - xy * yt) / area, (xx * yt - xy * xt) / area
    return np.hypot(u, v)


def _solve(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: Plane,
    sums: tuple[Plane, Plane, Plane, Plane, Plane],
    with_perspective: bool,
) -> NDArray[np.float64] | None:
    """Return the step of all windows together: 8 numbers, the last two 0 without perspective."""
    xx, xy, yy, xt, yt = ((weights * s).astype(np.float64).ravel() for s in sums)
    x, y = (np.broadcast_to(v, weights.shape).ravel() for v in (x, y))
    one, zero = np.ones_like(x), np.zeros_like(x)
    u = [one, x, y, zero, zero, zero]
    v = [zero, zero, zero, one, x, y]
    if with_perspective:
        u += [x * x, x * y]
        v += [x * y, y * y]
    ju, jv = np.stack(u), np.stack(v)  # (8, n)
    normal = (ju * xx) @ ju.T + (jv * yy) @ jv.T
    cross = (ju * xy) @ jv.T
    normal += cross + cross.T
    right = ju @ xt + jv @ yt
    normal[np.diag_indices_from(normal)] *= 1.001
    normal[np.diag_indices_from(normal)] += 1e-6 * max(float(np.trace(normal)), 1e-9)
    try:
        found = np.linalg.solve(normal, right)
    except np.linalg.LinAlgError:
        return None
    p = np.zeros(8)
    p[: len(found)] = found
    return p
