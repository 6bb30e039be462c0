"""The area that two pictures share, in colour, and what the colours of one become in the other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.alignment import Alignment
from mobisearch.duplicates.verification.registration import lay
from mobisearch.duplicates.verification.windows import FIRST_PX, STRIDE_PX, Plane

_BLUR_PX = 2.0
"""Colours are compared without details, so that blur, noise and sharpening do not count."""

_LEAST_PIXELS = 60
_UNEVEN_ERROR = 4.0
_UNEVEN_GAIN = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """Two pictures on one another, seen in the frame of the coarse one.

    Attributes:
        first, second: float32, RGB, shape (h, w, 3): the coarse picture, and the fine one as it
            lies on it.
        inside: where it does, (h, w).
        agreeing: pixels in windows that agree.
        colours: shape (4, 3): takes red, green, blue and 1 of the first to the second's.
        recoloured: the first as it would look in the colours of the second.
        error: grey levels by which that differs from the second, in the median.
        uneven: by how much the light differs from place to place: 0 if it does not, 1 for twice.
    """

    first: Plane
    second: Plane
    inside: NDArray[np.bool_]
    agreeing: NDArray[np.bool_]
    colours: NDArray[np.float64]
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
    second, inside = lay(pixels.astype(np.float32), alignment.registration.transform, shape)
    agreeing = to_pixels(alignment.evidence.agreeing, shape) & (inside > 0.99)
    colours = _fit_colours(first, second, agreeing)
    flat = first.reshape(-1, 3)
    moved = flat @ colours[:3].astype(np.float32) + colours[3].astype(np.float32)
    recoloured = np.clip(moved, 0, 255).reshape(first.shape).astype(np.float32)
    error, uneven = _error(recoloured, second, agreeing), 0.0
    if error > _UNEVEN_ERROR:
        shaded, ratio = _shade(recoloured, second, agreeing)
        shaded_error = _error(shaded, second, agreeing)
        if shaded_error < _UNEVEN_GAIN * error:
            recoloured, error, uneven = shaded, shaded_error, ratio
    return Overlap(first, second, inside > 0.99, agreeing, colours, recoloured, error, uneven)


def _error(recoloured: Plane, second: Plane, agreeing: NDArray[np.bool_]) -> float:
    apart = abs(recoloured - second).mean(axis=2)
    return float(np.median(apart[agreeing])) if agreeing.any() else 255.0


def _shade(
    first: Plane, second: Plane, agreeing: NDArray[np.bool_]
) -> tuple[Plane, float]:
    """Return the first in the light of the second, and how uneven that is, as for a vignette.

    The light is a polynomial of second degree of the place.
    """
    height, width = agreeing.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    powers = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    light = first.mean(axis=2)
    target = second.mean(axis=2)
    a, b = powers[agreeing] * light[agreeing][:, None], target[agreeing]
    moments = a.T @ a
    found = np.linalg.solve(moments + 1e-4 * np.trace(moments) * np.eye(6), a.T @ b)
    gains = np.clip(powers @ found, 0.0, 4.0).astype(np.float32)
    low, high = np.quantile(gains[agreeing], (0.05, 0.95))
    return np.clip(first * gains[..., None], 0, 255), float(high / max(low, 0.05)) - 1


def to_pixels(windows: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels in the middle of some windows, (h, w)."""
    large = np.repeat(np.repeat(windows, STRIDE_PX, axis=0), STRIDE_PX, axis=1)
    start = FIRST_PX - STRIDE_PX // 2
    pixels = np.zeros(shape, bool)
    part = pixels[start : start + large.shape[0], start : start + large.shape[1]]
    part[:] = large[: part.shape[0], : part.shape[1]]
    return pixels


def _fit_colours(
    first: Plane, second: Plane, agreeing: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the affine change of colours of least squares, none if there is too little to see."""
    unchanged = np.vstack([np.eye(3), np.zeros(3)])
    if agreeing.sum() < _LEAST_PIXELS:
        return unchanged
    x = cv2.GaussianBlur(first, (0, 0), _BLUR_PX)[agreeing].astype(np.float64)
    y = cv2.GaussianBlur(second, (0, 0), _BLUR_PX)[agreeing].astype(np.float64)
    is_clipped = ((y < 3) | (y > 252)).all(axis=1)
    if (~is_clipped).sum() >= _LEAST_PIXELS:
        x, y = x[~is_clipped], y[~is_clipped]
    middle, target = x.mean(axis=0), y.mean(axis=0)
    x, y = x - middle, y - target
    moments = x.T @ x
    # What the first picture's colours do not tell apart is taken to stay as it is.
    keep = 0.5 * len(x) * np.eye(3)
    matrix = np.linalg.solve(moments + keep, x.T @ y + keep)
    return np.vstack([matrix, target - middle @ matrix])
