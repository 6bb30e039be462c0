"""Where two pictures that lie on one another differ, drawn for people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.algebra import use_one_thread
from mobisearch.duplicates.verification.alignment import find_alignment
from mobisearch.duplicates.verification.overlap import make_overlap
from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.duplicates.verification.preparation import prepare
from mobisearch.duplicates.verification.windows import Plane
from mobisearch.types import Pixels

_SEEN_LEVELS, _FULL_LEVELS = 10.0, 70.0
"""Grey levels of difference that begin to be tinted, and that are tinted wholly."""

_TINT = (230.0, 30.0, 60.0)
_OUTSIDE = (60.0, 90.0, 200.0)
_PALE = 0.35
_LEAST_SHARE = 0.25


def draw_difference(first: Pixels, second: Pixels) -> tuple[Pixels, bool]:
    """Return the second picture in pale grey, what differs from the first in red.

    The colours of the first are fitted to the second's before, so that a recoloured copy does not
    differ everywhere. Blue is what only one of them shows. Drawn in the frame of the smaller one.

    Args:
        first, second: uint8, RGB, shape (h, w, 3), of any sizes.

    Returns:
        uint8, shape (h, w, 3); and whether they were found to lie on one another. If not, the two
        are squeezed onto one another as they are.
    """
    use_one_thread()
    pictures = [Picture(pixels, pixels.shape[1], pixels.shape[0]) for pixels in (first, second)]
    one, other = (prepare(picture) for picture in pictures)
    best = find_alignment(one, other, _LEAST_SHARE)
    if best is None:
        return _paint(*_squeezed(first, second)), False
    overlap = make_overlap(best)
    return _paint(overlap.recoloured, overlap.second, overlap.inside), True


def _squeezed(first: Pixels, second: Pixels) -> tuple[Plane, Plane, NDArray[np.bool_]]:
    height, width = second.shape[:2]
    moved = cv2.resize(first, (width, height), interpolation=cv2.INTER_AREA)
    inside = np.ones((height, width), bool)
    return moved.astype(np.float32), second.astype(np.float32), inside


def _paint(first: Plane, second: Plane, inside: NDArray[np.bool_]) -> Pixels:
    apart = np.abs(first - second).max(axis=2)
    strength = np.clip((apart - _SEEN_LEVELS) / (_FULL_LEVELS - _SEEN_LEVELS), 0, 1)[..., None]
    grey = second.mean(axis=2, keepdims=True)
    pale = 255 - (255 - grey) * _PALE
    drawn = pale * (1 - strength) + np.array(_TINT, np.float32) * strength
    outside = pale * 0.6 + np.array(_OUTSIDE, np.float32) * 0.4
    painted: Pixels = np.where(inside[..., None], drawn, outside).clip(0, 255).astype(np.uint8)
    return painted
