"""Lays one picture exactly on another, from a first guess, by what can be seen in both.

Both are compared after what is locally constant (brightness, contrast) has been taken out of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.voting import Transform, is_sane
from mobisearch.duplicates.verification.windows import (
    CLEAR,
    Grid,
    Plane,
    Sums,
    Windows,
    cell_middles,
    compare,
    find_inside,
    make_grid,
    whole_cells,
)

_STEPS = 10
_STILL_PX = 0.04
"""A step that moves no place further ends the search; of ``_STILL_SIDE_PX``, more of more."""

_STILL_SIDE_PX = 192

_MAX_STEP_PX = 3.0
_LEAST_PX = 16
"""Of each side: below it there are no windows to speak of."""

_HOPEFUL = ((3, 0.12), (5, 0.16))
"""After so many steps, the mean correlation, of windows with something in them in both, below which
no more will come of it. Of 2,850 pairs of copies that were laid on one another, the worst had 0.16
after three steps and 0.19 after five; half of the pairs that had nothing to do with one another had
0.13 and less."""

_LEAST_WEIGHT = 0.05
_LEAST_WINDOWS = 9
"""That must lie in both."""


@dataclass(frozen=True, eq=False, slots=True)
class Registration:
    """How the first picture lies on the second, and what they look like there.

    Attributes:
        transform: from pixels of the first, as compared, to pixels of the second.
        first: the first, whole cells of it.
        second: the second as it lies on the first.
    """

    transform: Transform
    windows: Windows
    first: Grid
    second: Grid

    @property
    def alikeness(self) -> float:
        """Mean correlation of the windows with something in them in both; 1 if none has."""
        windows = self.windows
        seen = windows.inside & (np.minimum(windows.first_spread, windows.second_spread) > CLEAR)
        return float(windows.correlation[seen].mean()) if seen.any() else 1.0

    def is_hopeful(self, step: int = _STEPS) -> bool:
        """Say whether two copies could look no more alike than this after so many steps."""
        return self.alikeness >= max((least for n, least in _HOPEFUL if n <= step), default=-1.0)


def lay(second: NDArray[np.generic], transform: Transform, shape: tuple[int, ...]) -> Plane:
    """Return the second picture as it lies on the first, whose shape is (h, w)."""
    laid: Plane = cv2.warpPerspective(
        second,
        transform,
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return laid


def register(first: Plane, second: Plane, guess: Transform) -> Registration | None:
    """Return how two pictures lie on one another, None if they come to lie apart.

    Gauss-Newton steps on the pixels (Lucas and Kanade), each window weighted by how well it agrees
    already, so that what is only in one of the pictures does not pull.

    Args:
        first: float32, grey levels from -128 to 127, shape (h, w); the coarser of the two.
        second: the same of the other, of about the same resolution.
        guess: from pixels of the first to pixels of the second.

    Source: Baker and Matthews, "Lucas-Kanade 20 years on" (2004).
    """
    if min(*first.shape, *second.shape) < _LEAST_PX:
        return None
    transform = guess / guess[2, 2]
    base = make_grid(whole_cells(first))
    height, width = base.plane.shape
    scale = max(height, width) / 2
    still = _STILL_PX * max(1.0, 2 * scale / _STILL_SIDE_PX)
    to_unit = np.array(
        [[1 / scale, 0, -width / 2 / scale], [0, 1 / scale, -height / 2 / scale], [0, 0, 1]]
    )
    from_unit = np.array([[scale, 0, width / 2], [0, scale, height / 2], [0, 0, 1]])
    x, y = cell_middles(base.plane.shape)
    ways = _find_ways((x - width / 2) / scale, (y - height / 2) / scale)
    for step in range(_STEPS + 1):
        inside = find_inside(base.plane.shape, transform, second.shape)
        if inside.sum() < _LEAST_WINDOWS:
            return None
        laid = make_grid(lay(second, transform, base.plane.shape))
        windows = compare(base, laid, inside)
        made = Registration(transform, windows, base, laid)
        if step == _STEPS:
            break
        if not made.is_hopeful(step):
            break
        weights = np.maximum(windows.correlation, _LEAST_WEIGHT) ** 2 * inside
        p = _solve(ways, weights, windows.sums, with_perspective=step > 0)
        if p is None:
            break
        moved = float(abs(p).max())
        if moved < still:
            break
        q = p * (min(1.0, _MAX_STEP_PX / moved) / scale)
        change = np.array([[1 + q[1], q[2], q[0]], [q[4], 1 + q[5], q[3]], [-q[6], -q[7], 1.0]])
        transform = transform @ from_unit @ change @ to_unit
        if abs(transform[2, 2]) < 1e-6 or not is_sane((transform / transform[2, 2])[:2, :2]):
            return None
        transform = transform / transform[2, 2]
    return made


def _find_ways(x: Plane, y: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how each of 8 numbers moves each window along x, and along y: shape (8, n).

    Args:
        x, y: of the windows, shapes (1, c) and (r, 1).
    """
    u, v = (plane.astype(np.float64).ravel() for plane in np.broadcast_arrays(x, y))
    one, zero = np.ones_like(u), np.zeros_like(u)
    along_x = np.stack([one, u, v, zero, zero, zero, u * u, u * v])
    along_y = np.stack([zero, zero, zero, one, u, v, u * v, v * v])
    return along_x, along_y


def _solve(
    ways: tuple[NDArray[np.float64], NDArray[np.float64]],
    weights: Plane,
    sums: Sums,
    *,
    with_perspective: bool,
) -> NDArray[np.float64] | None:
    """Return the step of all windows together: 8 numbers, the last two 0 without perspective."""
    xx, xy, yy, xt, yt = ((weights * s).astype(np.float64).ravel() for s in sums)
    ju, jv = ways if with_perspective else (way[:6] for way in ways)
    cross = (ju * xy) @ jv.T
    normal = (ju * xx) @ ju.T + (jv * yy) @ jv.T + cross + cross.T
    least = max(1e-6 * float(np.trace(normal)), 1e-12)
    normal.flat[:: len(normal) + 1] *= 1.001
    normal.flat[:: len(normal) + 1] += least
    try:
        found = np.linalg.solve(normal, ju @ xt + jv @ yt)
    except np.linalg.LinAlgError:
        return None
    p = np.zeros(8)
    p[: len(found)] = found
    return p
