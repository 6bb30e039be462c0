"""What was done to the colours and to the sharpness of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.overlap import brightness, largest
from mobisearch.duplicates.verification.windows import Plane

_CELL_PX = 8
"""Colours are compared without details, as means of such squares, so that blur, noise and
sharpening do not count."""

_SAME_LEVELS = 5.5
"""Three quarters of a copy that was only compressed, however much, differ by less."""

_SAME_SHARPENED_LEVELS = 20.0
"""The same of a copy that was sharpened, as that brightens and darkens what lies on edges."""

_LEAST_PIXELS = 60
_LEAST_CELLS = 6
_GREY_LEVELS = 4.0
_COLOURED_LEVELS = 8.0
_TINT_ERROR = 4.0
_BRIGHTER_LEVELS = 8.0
_CONTRAST = 1.15
_COLOUR = 1.3
_WARMER_LEVELS = 5.0

_SHARPER, _SHARPER_RESAMPLED = 1.18, 1.5
"""How many times more fine detail one must have than the other. Compression changes it by a tenth;
scaling or turning one of them to lie on the other, by a third."""

_BANDS_PX = (0.0, 0.6, 1.0, 3.0)
_BANDS_RESAMPLED_PX = (0.9, 1.8, 1.8, 4.0)
"""Blurs between which lie what is called fine detail, and what it is measured by."""


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
    first: Plane,
    second: Plane,
    seen: NDArray[np.bool_],
    *,
    is_negative: bool,
    is_sharpened: bool,
) -> Colouring:
    """Return what was done to the colours.

    Args:
        first, second: float32, RGB, (h, w, 3), lying on one another.
        seen: pixels in which both show the same, (h, w).
    """
    size = (max(1, seen.shape[1] // _CELL_PX), max(1, seen.shape[0] // _CELL_PX))
    some = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    if some.sum() < _LEAST_CELLS:
        return Colouring(0.0, ("negative",) if is_negative else ())
    a, b = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA)[some] for plane in (first, second)
    )  # (n, 3)
    levels = float(np.quantile(largest(abs(a - b)), 0.75))
    if is_negative:
        return Colouring(levels, ("negative",))
    if levels < (_SAME_SHARPENED_LEVELS if is_sharpened else _SAME_LEVELS):
        return Colouring(levels, ())
    chroma_a, chroma_b = (float((largest(plane) + largest(-plane)).mean()) for plane in (a, b))
    if chroma_b < _GREY_LEVELS and chroma_a > chroma_b + _GREY_LEVELS:
        return Colouring(levels, ("grey",))
    if chroma_a < _GREY_LEVELS and chroma_b > _COLOURED_LEVELS:
        return Colouring(levels, ("coloured",))
    if _is_tinted(b) and not _is_tinted(a):
        is_warm = float((b[:, 0] - b[:, 2]).mean()) > 0
        return Colouring(levels, ("sepia",) if is_warm else ("one tint",))
    words = []
    light_a, light_b = brightness(a), brightness(b)
    brighter = float(light_b.mean() - light_a.mean())
    if abs(brighter) > _BRIGHTER_LEVELS:
        words.append("brighter" if brighter > 0 else "darker")
    contrast = (float(light_b.std()) + 1) / (float(light_a.std()) + 1)
    if not 1 / _CONTRAST < contrast < _CONTRAST:
        words.append("more contrast" if contrast > 1 else "less contrast")
    colour = (chroma_b + 2) / (chroma_a + 2)
    if not 1 / _COLOUR < colour < _COLOUR and not words:
        words.append("more colour" if colour > 1 else "less colour")
    warmer = float(((b[:, 0] - b[:, 2]) - (a[:, 0] - a[:, 2])).mean())
    if abs(warmer) > _WARMER_LEVELS and not words:
        words.append("warmer" if warmer > 0 else "cooler")
    return Colouring(levels, tuple(words) or ("other colours",))


def _is_tinted(pixels: NDArray[np.float32]) -> bool:
    """Return whether brightness tells the colour, and there is a colour."""
    light = brightness(pixels)
    powers = np.stack([np.ones_like(light), light, light * light], axis=1)
    chroma = pixels - light[:, None]
    found, *_ = np.linalg.lstsq(powers, chroma, rcond=None)
    error = float(abs(chroma - powers @ found).mean())
    return (
        error < _TINT_ERROR
        and float((largest(pixels) + largest(-pixels)).mean()) > _COLOURED_LEVELS
    )


def compare_sharpness(
    first: Plane, second: Plane, seen: NDArray[np.bool_], *, is_resampled: bool
) -> tuple[float, str]:
    """Return how many times more fine detail the second has, and a word for it, "" for the same."""
    if seen.sum() < _LEAST_PIXELS:
        return 1.0, ""
    blurs = _BANDS_RESAMPLED_PX if is_resampled else _BANDS_PX
    ratios = []
    for plane in (first, second):
        grey = brightness(plane)
        a, b, c, d = (cv2.GaussianBlur(grey, (0, 0), blur) if blur else grey for blur in blurs)
        fine, wide = (cv2.absdiff(p, q)[seen] for p, q in ((a, b), (c, d)))
        ratios.append(float(fine.mean()) / (float(wide.mean()) + 0.5))
    sharper = ratios[1] / max(ratios[0], 1e-3)
    limit = _SHARPER_RESAMPLED if is_resampled else _SHARPER
    if sharper > limit:
        return sharper, "sharper"
    return sharper, "softer" if sharper < 1 / limit else ""
