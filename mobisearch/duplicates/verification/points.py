"""Key points: places of a picture that are found again after crops, turns and changes of size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.algebra import multiply

MAX_POINTS = 320
_CONTRAST = 0.02
"""Half of what SIFT has by default: thumbnails are small, and wrong matches are outvoted."""

_ROOT_SCALE = 512.0
"""Brings the square roots of a SIFT histogram of sum one, most below 0.5, into a byte."""

_CELLS, _DIRECTIONS = 4, 8
"""Of a SIFT vector: cells in each direction, directions in each cell."""

MAX_RATIO = 0.9
"""Of the distances of the best and the second best match. Lowe's 0.8 loses half of the true ones
where the picture repeats itself; those added are outvoted."""


@dataclass(frozen=True, eq=False, slots=True)
class KeyPoints:
    """Key points of a picture.

    Attributes:
        places: float32, shape (n, 2), x and y in pixels of the picture.
        sizes: float32, shape (n,), in pixels.
        angles: float32, shape (n,), radians, from x towards y.
        vectors: uint8, shape (n, 128), what it looks like around each.
    """

    places: NDArray[np.float32]
    sizes: NDArray[np.float32]
    angles: NDArray[np.float32]
    vectors: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.places)

    def mirrored(self, width: int) -> KeyPoints:
        """Return what would be found in the picture mirrored left to right."""
        places = self.places.copy()
        places[:, 0] = width - 1 - places[:, 0]
        angles = (np.pi - self.angles).astype(np.float32)
        return KeyPoints(places, self.sizes, angles, self.vectors[:, _MIRRORED])


def _mirrored_order() -> NDArray[np.intp]:
    """Return which value of a SIFT vector goes where when the picture is mirrored.

    A patch is described along its own main direction, so mirroring exchanges what is left and
    right of that: rows of cells, and directions around it.
    """
    order = np.arange(_CELLS * _CELLS * _DIRECTIONS).reshape(_CELLS, _CELLS, _DIRECTIONS)
    turned = (-np.arange(_DIRECTIONS)) % _DIRECTIONS
    return np.ascontiguousarray(order[::-1][:, :, turned]).ravel()


_MIRRORED = _mirrored_order()


def find_points(grey: NDArray[np.uint8]) -> KeyPoints:
    """Return the strongest key points of a grey picture, in a fixed order.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints" (2004); square roots
    from Arandjelović and Zisserman, "Three things everyone should know to improve object retrieval"
    (2012).
    """
    detector = cv2.SIFT_create(  # type: ignore[attr-defined, unused-ignore]
        nfeatures=MAX_POINTS, contrastThreshold=_CONTRAST
    )
    found, vectors = detector.detectAndCompute(grey, None)
    if not found:
        none = np.zeros(0, np.float32)
        return KeyPoints(none.reshape(0, 2), none, none, np.zeros((0, 128), np.uint8))
    found, vectors = found[:MAX_POINTS], vectors[:MAX_POINTS]
    values = np.array([(p.pt[0], p.pt[1], p.size, p.angle) for p in found], np.float32)
    roots = np.sqrt(vectors / np.maximum(vectors.sum(axis=1, keepdims=True), 1.0))
    return KeyPoints(
        np.ascontiguousarray(values[:, :2]),
        values[:, 2],
        np.radians(values[:, 3]),
        np.minimum(np.rint(roots * _ROOT_SCALE), 255).astype(np.uint8),
    )


def match_points(first: KeyPoints, second: KeyPoints) -> NDArray[np.intp]:
    """Return pairs of points that look alike, shape (m, 2), the surest first.

    Each is the other's best, and clearly better than the next best.
    """
    if len(first) < 2 or len(second) < 2:
        return np.zeros((0, 2), np.intp)
    a, b = (points.vectors.astype(np.float32) for points in (first, second))
    likeness = multiply(a, b)  # (n, m), whole numbers of at most 128 * 255^2
    rows = np.arange(len(first))
    best = likeness.argmax(axis=1)
    is_mutual = likeness.argmax(axis=0)[best] == rows
    top = likeness[rows, best]
    likeness[rows, best] = -1
    next_best = likeness.max(axis=1)
    whole = _ROOT_SCALE**2
    ratio = np.sqrt(np.maximum(whole - top, 1e-3) / np.maximum(whole - next_best, 1e-3))
    chosen = np.flatnonzero(is_mutual & (ratio < MAX_RATIO))
    order = np.argsort(ratio[chosen], kind="stable")
    return np.stack([chosen, best[chosen]], axis=1)[order]
