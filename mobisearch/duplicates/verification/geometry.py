"""What a transform between the pixels of two files says: scale, turn, mirror, stretch, shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.duplicates.verification.voting import Transform, frame_corners


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the first picture lies on the second, in pixels of the files.

    Attributes:
        scale: sides of the second over sides of the first, of what both show.
        turn_degrees: clockwise, after mirroring.
        stretch: the longer over the shorter of the two axes of what was a circle; 1 or more.
        bend: the largest scale of area over the smallest, within what both show; 1 or more.
        first_share, second_share: of the area of each, what lies in the other.
        shift: how far a corner of the first is from one of the second, of the longer side.
    """

    scale: float
    turn_degrees: float
    is_mirrored: bool
    stretch: float
    bend: float
    first_share: float
    second_share: float
    shift: float


def measure_geometry(first: Picture, second: Picture, transform: Transform) -> Geometry | None:
    """Return what a transform from the first's to the second's pixels means for their files.

    None if it turns a part of the picture inside out.
    """
    whole = _to_file(second) @ transform @ np.linalg.inv(_to_file(first))
    whole = whole / whole[2, 2]
    size, other = (first.width, first.height), (second.width, second.height)
    moved = frame_corners(size, whole).astype(np.float32)
    frame = frame_corners(other, np.eye(3)).astype(np.float32)
    area, shared = cv2.intersectConvexConvex(moved, frame)
    if shared is None or len(shared) < 3 or area <= 0:
        return None
    back = np.linalg.inv(whole)
    there = shared.reshape(-1, 2).astype(np.float64)
    here = _apply(back, there)
    middle = here.mean(axis=0)
    near = np.vstack([middle, 0.9 * here + 0.1 * middle])
    areas = np.array([np.linalg.det(_slope(whole, point)) for point in near])
    if (areas > 0).any() and (areas < 0).any():
        return None
    slope = _slope(whole, middle)
    is_mirrored = bool(areas[0] < 0)
    turned = slope @ np.diag([-1.0, 1.0]) if is_mirrored else slope
    turn = math.degrees(math.atan2(turned[1, 0] - turned[0, 1], turned[0, 0] + turned[1, 1]))
    lengths = np.linalg.svd(slope, compute_uv=False)
    own = cv2.contourArea(here.astype(np.float32))
    apart = np.hypot(*(moved[:, None] - frame[None]).transpose(2, 0, 1)).min(axis=1)
    return Geometry(
        scale=float(abs(areas[0]) ** 0.5),
        turn_degrees=180.0 if turn <= -179.999 else turn,
        is_mirrored=is_mirrored,
        stretch=float(lengths[0] / max(lengths[1], 1e-9)),
        bend=float(abs(areas).max() / max(abs(areas).min(), 1e-9)),
        first_share=min(1.0, float(own) / (size[0] * size[1])),
        second_share=min(1.0, float(area) / (other[0] * other[1])),
        shift=float(apart.max()) / max(other),
    )


def _to_file(picture: Picture) -> Transform:
    height, width = picture.pixels.shape[:2]
    fx, fy = picture.width / width, picture.height / height
    return np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])


def _apply(transform: Transform, points: Transform) -> Transform:
    moved = points @ transform[:, :2].T + transform[:, 2]
    places: Transform = moved[:, :2] / moved[:, 2:]
    return places


def _slope(transform: Transform, point: Transform) -> Transform:
    """Return the 2 x 2 derivative of a transform at a point."""
    x = transform @ np.array([point[0], point[1], 1.0])
    place = x[:2] / x[2]
    slope: Transform = (transform[:2, :2] - np.outer(place, transform[2, :2])) / x[2]
    return slope
