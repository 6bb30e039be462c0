"""The plainest copies: the same whole picture, pixel on pixel, with no place that differs.

Most copies are rescaled, recompressed or turned by right angles and nothing else. What tells is at
hand before any key points are: the two are held against each other as they lie. The limits are
tighter than those of a proof, so what is found here would be proved there; all else is left to it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.frames import AS_IT_IS, Orientation, match_frames
from mobisearch.duplicates.verification.judgement import LEAST_SPREAD, LEAST_TELLING
from mobisearch.duplicates.verification.patches import LEAST_WINDOWS
from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.duplicates.verification.preparation import Prepared
from mobisearch.duplicates.verification.proof import AGREEMENT, VISIBLE, measure_noise
from mobisearch.duplicates.verification.windows import (
    NOISE_LEVELS,
    correlate,
    make_levels,
    whole_cells,
)
from mobisearch.types.duplicates import Relation, Verdict

_FRAME_CORRELATION = 0.97
_LEAST_PX = 64
_ASPECT = 0.01
"""By which width over height may differ: rounding to whole pixels remains."""

_ROUNDED_PX = 1.5
_SHARE = 0.97
"""Of telling windows that agree."""

_MEAN_LEVELS, _MOST_LEVELS = 4.5, 32.0
"""Of 255, by which pixels differ on average, and in no place more, each with those around it."""

_COLOUR_LEVELS = 2.0
"""By which the means of red, green and blue differ."""

_SCALE = 0.02
_SHARPNESS, _SHARPNESS_RESIZED = 1.15, 1.4
"""How many times more fine detail one may have: what has more may have been sharpened."""


def find_plain_copy(first: Prepared, second: Prepared) -> Relation | None:
    """Return the relation of two pictures that differ in size, compression and orientation at most.

    None for all others, and for those of one camera, which may be two shots.
    """
    one, other = first.picture, second.picture
    if one.camera and one.camera == other.camera:
        return None
    ways = [way for c, way in match_frames(first.frame, second.frame) if c >= _FRAME_CORRELATION]
    for way in sorted(ways, key=lambda way: way != AS_IT_IS):  # of a picture that is symmetrical
        found = _compare(one, other, way)
        if found is not None:
            return found
    return None


def _compare(one: Picture, other: Picture, orientation: Orientation) -> Relation | None:
    """Return the relation of two pictures, the first of which is turned to lie like the second."""
    turned = np.ascontiguousarray(orientation.apply(one.pixels))
    width, height = (one.height, one.width) if orientation.swaps else (one.width, one.height)
    if not _is_one_shape((width, height), (other.width, other.height)):
        return None
    small, large = sorted((turned, other.pixels), key=lambda pixels: pixels.shape[1])
    if min(small.shape[:2]) < _LEAST_PX:
        return None
    large = _fit(large, small.shape)
    apart = cv2.blur(cv2.absdiff(small, large), (3, 3))
    if apart.max() > _MOST_LEVELS or apart.mean() > _MEAN_LEVELS:
        return None
    means = np.abs(np.subtract(cv2.mean(small), cv2.mean(large)))
    if means.max() > _COLOUR_LEVELS:
        return None
    scale = math.sqrt(other.width * other.height / (one.width * one.height))
    is_resized = abs(math.log(scale)) > _SCALE
    a, b = (cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) for pixels in (small, large))
    if not _is_as_sharp(a, b, _SHARPNESS_RESIZED if is_resized else _SHARPNESS):
        return None
    share = _share(a, b)
    if share < _SHARE:
        return None
    turn, is_mirrored = orientation.turn_degrees, orientation.is_mirrored
    changes = [
        verdict
        for verdict, is_so in (
            (Verdict.RESIZED, is_resized),
            (Verdict.ROTATED, turn != 0),
            (Verdict.MIRRORED, is_mirrored),
        )
        if is_so
    ]
    ordered = tuple(sorted(changes, key=tuple(Verdict).index)) or (Verdict.RECOMPRESSED,)
    return Relation(
        ordered[-1],
        ordered,
        round(share, 4),
        scale=round(scale, 4),
        turn_degrees=turn,
        is_mirrored=is_mirrored,
    )


def _is_one_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether two sizes, width and height, are of one shape."""
    apart = abs(math.log(one[0] * other[1] / (one[1] * other[0])))
    return apart < max(_ASPECT, _ROUNDED_PX / min(*one, *other))


def _fit(pixels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a picture scaled to the size of the other one, which is no larger but by rounding."""
    if pixels.shape == shape:
        return pixels
    is_much = pixels.shape[1] > shape[1] + _ROUNDED_PX
    kind = cv2.INTER_AREA if is_much else cv2.INTER_LINEAR
    fitted: NDArray[np.uint8] = cv2.resize(pixels, (shape[1], shape[0]), interpolation=kind)
    return fitted


def _is_as_sharp(first: NDArray[np.uint8], second: NDArray[np.uint8], limit: float) -> bool:
    a, b = (
        float(cv2.absdiff(grey, cv2.GaussianBlur(grey, (3, 3), 0)).mean()) + 0.1
        for grey in (first, second)
    )
    return 1 / limit < a / b < limit


def _share(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return which share of the telling windows agrees.

    0 if those are too few or in one place, or if what disagrees could be a place that differs.
    """
    a, b = (make_levels(whole_cells(g.astype(np.float32) - 127.5)) for g in (first, second))
    correlation = correlate(a, b)
    noise = max(NOISE_LEVELS, measure_noise(b.spread, correlation))
    telling = np.maximum(a.spread, b.spread) > VISIBLE * noise
    agreeing = telling & (correlation > AGREEMENT)
    n_telling, n_agreeing = int(telling.sum()), int(agreeing.sum())
    if n_telling < LEAST_TELLING or n_telling - n_agreeing >= LEAST_WINDOWS or not n_agreeing:
        return 0.0
    rows, columns = np.flatnonzero(agreeing.any(axis=1)), np.flatnonzero(agreeing.any(axis=0))
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return n_agreeing / n_telling if box >= LEAST_SPREAD * telling.size else 0.0
