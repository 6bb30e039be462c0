"""What was done to the colours and to the sharpness of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.windows import Plane

_BLUR_PX = 3.0
"""Colours are compared without details, so that blur, noise and sharpening do not count."""

_SAME_LEVELS = 5.0
"""Three quarters of the pixels of a copy that was only compressed differ by less."""

_LEAST_PIXELS = 60
_GREY_LEVELS = 4.0
_COLOURED_LEVELS = 8.0
_TINT_ERROR = 4.0
_BRIGHTER_LEVELS = 8.0
_CONTRAST = 1.15
_COLOUR = 1.3
_WARMER_LEVELS = 5.0

_SHARPER = 1.3
_SHARPER_RESAMPLED = 1.6
"""How many times more fine detail one must have than the other: more where one of them was scaled
or turned to lie on the other, which blurs it a little."""


@dataclass(frozen=True, slots=True)
class Colouring:
    """How the second picture's colours differ from the first's.

    Attributes:
        levels: by how much, of 255; three quarters of the pixels differ by less.
        words: what it looks like, such as ``("grey",)``; empty if there is no difference.
    """

    levels: float
    words: tuple[str, ...]


def compare_colours(
    first: Plane, second: Plane, seen: NDArray[np.bool_], *, is_negative: bool
) -> Colouring:
    """Return what was done to the colours.

    Args:
        first, second: float32, RGB, (h, w, 3), lying on one another.
        seen: pixels in which both show the same, (h, w).
    """
    if seen.sum() < _LEAST_PIXELS:
        return Colouring(0.0, ("negative",) if is_negative else ())
    a, b = (cv2.GaussianBlur(plane, (0, 0), _BLUR_PX)[seen] for plane in (first, second))  # (n, 3)
    levels = float(np.quantile(abs(a - b).max(axis=1), 0.75))
    if is_negative:
        return Colouring(levels, ("negative",))
    if levels < _SAME_LEVELS:
        return Colouring(levels, ())
    chroma_a, chroma_b = (float(np.ptp(plane, axis=1).mean()) for plane in (a, b))
    if chroma_b < _GREY_LEVELS and chroma_a > chroma_b + _GREY_LEVELS:
        return Colouring(levels, ("grey",))
    if chroma_a < _GREY_LEVELS and chroma_b > _COLOURED_LEVELS:
        return Colouring(levels, ("coloured",))
    if _is_tinted(b) and not _is_tinted(a):
        is_warm = float((b[:, 0] - b[:, 2]).mean()) > 0
        return Colouring(levels, ("sepia",) if is_warm else ("one tint",))
    words = []
    light_a, light_b = a.mean(axis=1), b.mean(axis=1)
    brighter = float(light_b.mean() - light_a.mean())
    if abs(brighter) > _BRIGHTER_LEVELS:
        words.append("brighter" if brighter > 0 else "darker")
    contrast = (float(light_b.std()) + 1) / (float(light_a.std()) + 1)
    if not 1 / _CONTRAST < contrast < _CONTRAST:
        words.append("more contrast" if contrast > 1 else "less contrast")
    colour = (chroma_b + 2) / (chroma_a + 2) / (1 if brighter else 1)
    if not 1 / _COLOUR < colour < _COLOUR and not words:
        words.append("more colour" if colour > 1 else "less colour")
    warmer = float(((b[:, 0] - b[:, 2]) - (a[:, 0] - a[:, 2])).mean())
    if abs(warmer) > _WARMER_LEVELS and not words:
        words.append("warmer" if warmer > 0 else "cooler")
    return Colouring(levels, tuple(words) or ("other colours",))


def _is_tinted(pixels: NDArray[np.float32]) -> bool:
    """Return whether brightness tells the colour, and there is a colour."""
    light = pixels.mean(axis=1)
    powers = np.stack([np.ones_like(light), light, light * light], axis=1)
    chroma = pixels - light[:, None]
    found, *_ = np.linalg.lstsq(powers, chroma, rcond=None)
    error = float(abs(chroma - powers @ found).mean())
    return error < _TINT_ERROR and float(np.ptp(pixels, axis=1).mean()) > _COLOURED_LEVELS


def compare_sharpness(
    first: Plane, second: Plane, seen: NDArray[np.bool_], *, is_resampled: bool
) -> tuple[float, str]:
    """Return how many times more fine detail the second has, and a word for it, "" for the same."""
    if seen.sum() < _LEAST_PIXELS:
        return 1.0, ""
    ratios = []
    for plane in (first, second):
        grey = plane.mean(axis=2)
        fine = cv2.Laplacian(grey, -1, ksize=1)[seen]
        wide = (cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 3.0))[seen]
        ratios.append(float(abs(fine).mean()) / (float(abs(wide).mean()) + 0.5))
    sharper = ratios[1] / max(ratios[0], 1e-3)
    limit = _SHARPER_RESAMPLED if is_resampled else _SHARPER
    if sharper > limit:
        return sharper, "sharper"
    return sharper, "softer" if sharper < 1 / limit else ""
