"""The area that two pictures share, in colour, and what the colours of one become in the other."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.alignment import Alignment
from mobisearch.duplicates.verification.registration import lay
from mobisearch.duplicates.verification.voting import Transform, frame_corners, invert
from mobisearch.duplicates.verification.windows import CELL_PX, Plane

_BLUR_PX = 5
"""Colours are compared without details, so that blur, noise and sharpening do not count."""

_LEAST_EVERY, _SAMPLED_PX = 2, 96
"""One pixel in two, along both sides, tells what became of the colours; of larger pictures one in
more, so that about this many along the longer side do."""

_LEAST_PIXELS = 60
_UNEVEN_ERROR = 4.0
_UNEVEN_GAIN = 0.8
_NO_ERROR = 255.0
"""Where nothing agrees that could be compared."""

_MOST_ROUNDS, _MOST_GAIN = 4, 0.5
"""What a half-transparent panel recolours must not count, if without it the error is halved."""

_LOOKED_AT_PX = 192
"""Longer side of what is looked at to find out how light falls, and how much differs."""


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """Two pictures on one another, seen in the frame of the coarse one.

    Attributes:
        first, second: float32, RGB, shape (h, w, 3): the coarse picture, and the fine one as it
            lies on it.
        inside: where it does, (h, w).
        agreeing: pixels in windows that agree.
        colours: shape (4, 3): takes red, green, blue and 1 of the first to the second's.
        expected: the first in the colours of the second, beyond 0 and 255 too.
        recoloured: the same, as it can be shown, and in the second's light.
        error: grey levels by which that differs from the second, in the median.
        uneven: by how much the light differs from place to place: 0 if it does not, 1 for twice.
    """

    first: Plane
    second: Plane
    inside: NDArray[np.bool_]
    agreeing: NDArray[np.bool_]
    colours: NDArray[np.float64]
    expected: Plane
    recoloured: Plane
    error: float
    uneven: float


def make_overlap(alignment: Alignment) -> Overlap:
    """Lay the colours of one picture on the other's."""
    scale = 1 / abs(alignment.shrink[0, 0])
    first = alignment.coarse.picture.pixels.astype(np.float32)
    pixels = alignment.fine.picture.pixels
    if scale > 1:
        height, width = pixels.shape[:2]
        size = (
            round(width * alignment.shrink[0, 0]),
            round(height * alignment.shrink[1, 1]),
        )
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    shape = (first.shape[0], first.shape[1])
    transform = alignment.registration.transform
    second = lay(pixels, transform, shape).astype(np.float32)
    inside = lay_mask(pixels.shape, transform, shape)
    agreeing = to_pixels(alignment.evidence.agreeing, shape) & inside
    soft = _Soft.of(first, second, agreeing)
    colours = _fit_colours(soft, soft.agreeing)
    moved = cv2.transform(first, np.ascontiguousarray(colours.T))
    recoloured = np.clip(moved, 0, 255)
    error, uneven = _error(recoloured, second, agreeing), 0.0
    if error > _UNEVEN_ERROR:
        shaded, ratio = _shade(recoloured, second, agreeing)
        shaded_error = _error(shaded, second, agreeing)
        if shaded_error < _UNEVEN_GAIN * error:
            recoloured, error, uneven = shaded, shaded_error, ratio
    if _UNEVEN_ERROR < error < _NO_ERROR:
        other = _fit_most(first, second, soft, colours)
        most_moved = cv2.transform(first, np.ascontiguousarray(other.T))
        most_error = _error(np.clip(most_moved, 0, 255), second, agreeing)
        if most_error < _MOST_GAIN * error:
            colours, moved, error, uneven = other, most_moved, most_error, 0.0
            recoloured = np.clip(moved, 0, 255)
    return Overlap(first, second, inside, agreeing, colours, moved, recoloured, error, uneven)


def _error(recoloured: Plane, second: Plane, agreeing: NDArray[np.bool_]) -> float:
    if not agreeing.any():
        return _NO_ERROR
    first, second, some = _look_at(recoloured, second, agreeing)
    return float(np.median(brightness(abs(first - second))[some])) if some.any() else _NO_ERROR


def _look_at(*planes: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return as few pixels of planes as tell how light falls."""
    step = max(1, max(planes[0].shape[:2]) // _LOOKED_AT_PX)
    return tuple(plane[::step, ::step] for plane in planes)


def _shade(first: Plane, second: Plane, agreeing: NDArray[np.bool_]) -> tuple[Plane, float]:
    """Return the first in the light of the second, and how uneven that is, as for a vignette.

    The light is a polynomial of second degree of the place.
    """
    height, width = agreeing.shape
    powers = _powers(height, width)
    dark, bright, few, some = _look_at(first, second, powers, agreeing)
    if not some.any():
        return first, 0.0
    light, target, few = brightness(dark)[some], brightness(bright)[some], few[some]  # few: (n, 6)
    a, b = few * light[:, None], target
    moments = a.T @ a + 1e-3 * np.eye(6)
    found = np.linalg.solve(moments + 1e-4 * np.trace(moments) * np.eye(6), a.T @ b)
    gains = np.clip(powers @ found, 0.0, 4.0).astype(np.float32)
    low, high = np.quantile(np.clip(few @ found, 0.0, 4.0), (0.05, 0.95))
    return np.clip(first * gains[..., None], 0, 255), float(high / max(low, 0.05)) - 1


@functools.lru_cache(maxsize=4)
def _powers(height: int, width: int) -> Plane:
    """Return 1, x, y, x^2, xy and y^2 of each place, (h, w, 6), both from -1 to 1."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    powers: Plane = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    return powers


def lay_mask(
    size: tuple[int, ...], transform: Transform, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return the pixels of a plane that lie in another one of a size, (h, w)."""
    corners = frame_corners((size[1], size[0]), invert(transform))
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners * 16).astype(np.int32), 1, shift=4)
    return mask > 0


def to_pixels(windows: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels in the middle of some windows, (h, w)."""
    large = np.repeat(np.repeat(windows, CELL_PX, axis=0), CELL_PX, axis=1)
    pixels = np.zeros(shape, bool)
    pixels[: large.shape[0], : large.shape[1]] = large
    return pixels


def largest(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest of the three values of each colour, the last axis."""
    most: NDArray[np.float32] = np.maximum(colours[..., 0], colours[..., 1])
    return np.maximum(most, colours[..., 2])


def brightness(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the three values of each colour, the last axis."""
    total: NDArray[np.float32] = colours[..., 0] + colours[..., 1] + colours[..., 2]
    return total / np.float32(3)


@dataclass(frozen=True, eq=False, slots=True)
class _Soft:
    """Two pictures on one another without details, and few of their pixels.

    Attributes:
        every: of so many pixels one, along both sides.
        agreeing: pixels in windows that agree, of those.
    """

    every: int
    first: Plane
    second: Plane
    agreeing: NDArray[np.bool_]

    @classmethod
    def of(cls, first: Plane, second: Plane, agreeing: NDArray[np.bool_]) -> _Soft:
        every = max(_LEAST_EVERY, max(agreeing.shape) // _SAMPLED_PX)
        a, b = (
            np.ascontiguousarray(cv2.blur(plane, (_BLUR_PX, _BLUR_PX))[::every, ::every])
            for plane in (first, second)
        )
        return cls(every, a, b, agreeing[::every, ::every])


def _fit_colours(soft: _Soft, some: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the affine change of colours of least squares, none if there is too little to see."""
    if some.sum() * soft.every**2 < _LEAST_PIXELS:
        return np.vstack([np.eye(3), np.zeros(3)])
    x, y = (plane[some].astype(np.float64) for plane in (soft.first, soft.second))
    is_clipped = _is_clipped(x) | _is_clipped(y)
    if (~is_clipped).sum() >= _LEAST_PIXELS:
        x, y = x[~is_clipped], y[~is_clipped]
    middle, target = x.mean(axis=0), y.mean(axis=0)
    x, y = x - middle, y - target
    moments = x.T @ x
    # What the first picture's colours do not tell apart is taken to stay as it is.
    keep = 0.5 * len(x) * np.eye(3)
    matrix = np.linalg.solve(moments + keep, x.T @ y + keep)
    return np.vstack([matrix, target - middle @ matrix])


def _fit_most(
    first: Plane, second: Plane, soft: _Soft, colours: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the change of colours of the larger half, which is not what a panel makes of some."""
    every = soft.every
    a, b = (np.ascontiguousarray(plane[::every, ::every]) for plane in (first, second))
    for _ in range(_MOST_ROUNDS):
        moved = np.clip(cv2.transform(a, np.ascontiguousarray(colours.T)), 0, 255)
        apart = largest(cv2.absdiff(moved, b))
        if not soft.agreeing.any():
            break
        most = soft.agreeing & (apart <= np.median(apart[soft.agreeing]))
        colours = _fit_colours(soft, most)
    return colours


def _is_clipped(colours: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which colours, (n, 3), are at an end of the scale in one of their values."""
    ends = (colours < 3) | (colours > 252)
    clipped: NDArray[np.bool_] = ends[:, 0] | ends[:, 1] | ends[:, 2]
    return clipped
