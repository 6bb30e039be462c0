"""What a picture has around the part that another picture shows too: more of it, or a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.drawing import find_palette
from mobisearch.duplicates.verification.overlap import largest
from mobisearch.duplicates.verification.voting import Transform, frame_corners

_MARGIN_PX = 2
_NEAR_PX, _REACH_PX = 2, 8
_LEAST_SAMPLES = 12
_SOFT = 4.0
"""Grey levels of change that are nothing, added to both sides of a ratio."""

_FRAME_LEVELS = 10.0
"""By which the colours of a frame differ: those of a plain wall in a photo differ more."""

_PLAIN_COVER = 0.6
"""Three colours cover as much of a border, of bars, or of an application's window."""

_ONE_COLOUR_COVER = 0.85
_SEAM = 2.0
"""Some crops in a hundred have such an edge by chance; thin bars in the colours of the picture have
less."""

_LEAST_SEAM = 1.3
"""At each edge of the shared part that lies inside: another picture begins at all of them. Where a
photo was cut by chance along a line of its own, it is one edge that has a seam."""

_COLLAGE_SHARE = 0.15
"""Of the picture's area, that others must have to make it a collage."""

_SEAM_OF_ONE_COLOUR = 1.4
_SMOOTH_LEVELS = 3.0
_SMOOTH_SHARE = 0.9
"""Blurred bars: nearly nowhere is there a contrast between pixels next to one another."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around the shared part.

    Attributes:
        share: of the picture's area, what lies outside.
        seam: how much more changes across the edge of the shared part than beside it; about 1
            where the picture goes on.
        least_seam: the same at the edge where it is least.
        is_plain: a few colours, or nothing sharp.
        is_one_colour: nearly all of it.
    """

    share: float
    seam: float
    least_seam: float
    is_plain: bool
    is_one_colour: bool

    @property
    def is_collage(self) -> bool:
        """Whether other pictures are around: a seam, and more than a few colours."""
        has_seam = self.seam > _SEAM and self.least_seam > _LEAST_SEAM
        return self.share > _COLLAGE_SHARE and has_seam and not self.is_plain

    @property
    def is_frame(self) -> bool:
        """Whether it is something put around a picture, and not more of the picture."""
        if self.is_one_colour:
            return self.seam > _SEAM_OF_ONE_COLOUR
        return self.is_plain and self.seam > _SEAM


def look_around(
    pixels: NDArray[np.uint8], other: tuple[int, int], to_here: Transform
) -> Surroundings:
    """Look at what a picture has outside of another one that lies in it.

    Args:
        pixels: uint8, RGB, (h, w, 3).
        other: width and height of the other picture, in the pixels that ``to_here`` takes.
        to_here: from pixels of the other picture to pixels of this one.
    """
    height, width = pixels.shape[:2]
    corners = frame_corners(other, to_here)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    share = 1 - float(mask.mean())
    margin = 2 * _MARGIN_PX + 1
    outside = cv2.dilate(mask, np.ones((margin, margin), np.uint8)) == 0
    if outside.sum() < _LEAST_SAMPLES:
        return Surroundings(share, 1.0, 1.0, False, False)
    around = pixels[outside].astype(np.float32)
    cover, colours = find_palette(around, _FRAME_LEVELS)
    one = float((largest(abs(around - colours[0])) < 20).mean())
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    rough = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    smooth = float((rough[outside] < 2 * _SMOOTH_LEVELS).mean())
    seam, least_seam = _measure_seams(pixels.astype(np.float32), corners)
    is_plain = cover > _PLAIN_COVER or smooth > _SMOOTH_SHARE
    return Surroundings(share, seam, least_seam, is_plain, one > _ONE_COLOUR_COVER)


def _measure_seams(
    pixels: NDArray[np.float32], corners: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the change across the edges that lie inside, over the change on either side.

    First of all of them together, then of the one with the least; 1 without any.
    """
    height, width = pixels.shape[:2]
    centre = corners.mean(axis=0)
    starts, normals, sides = [], [], []
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        length = float(np.hypot(*(b - a)))
        n = int(length // 2)
        if n < 2:
            continue
        t = (np.arange(n) + 0.5) / n
        points = a + t[:, None] * (b - a)
        normal = np.array([b[1] - a[1], a[0] - b[0]]) / length
        if (a - centre) @ normal < 0:
            normal = -normal
        starts.append(points)
        normals.append(np.broadcast_to(normal, points.shape))
        sides.append(np.full(n, k))
    if not starts:
        return 1.0, 1.0
    points, normal, side = np.concatenate(starts), np.concatenate(normals), np.concatenate(sides)
    steps = np.arange(-_REACH_PX - 1, _REACH_PX + 2)  # (k,)
    places = np.rint(points[None] + steps[:, None, None] * normal[None]).astype(int)  # (k, n, 2)
    x, y = places[..., 0], places[..., 1]
    fits = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    seen = fits[: _REACH_PX + 1 + _NEAR_PX + 2].all(axis=0)
    if seen.sum() < _LEAST_SAMPLES:
        return 1.0, 1.0
    fits, side = fits[:, seen], side[seen]
    x, y = x[:, seen].clip(0, width - 1), y[:, seen].clip(0, height - 1)
    lines = pixels[y, x]  # (k, n, 3)
    changes = largest(abs(lines[2:] - lines[:-2]))  # (k - 2, n), of each place to the next but one
    weights = fits[2:] & fits[:-2]
    near = abs(steps[1:-1]) <= _NEAR_PX
    of_sides = [
        _seam(changes[:, side == k], weights[:, side == k], near)
        for k in range(4)
        if (side == k).sum() >= _LEAST_SAMPLES
    ]
    seam = _seam(changes, weights, near)
    return seam, min(of_sides, default=seam)


def _seam(
    changes: NDArray[np.float32], weights: NDArray[np.bool_], near: NDArray[np.bool_]
) -> float:
    """Return the change near an edge over that further away; both of shape (k, n)."""
    profile = (changes * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    far = ~near & (weights.sum(axis=1) >= _LEAST_SAMPLES)
    beside = float(profile[far].mean()) if far.any() else 0.0
    return (float(profile[near].max()) + _SOFT) / (beside + _SOFT)
