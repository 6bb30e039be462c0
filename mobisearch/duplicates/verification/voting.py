"""From pairs of key points to how one picture lies on the other: every pair votes for itself."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.points import KeyPoints

Transform = NDArray[np.float64]
"""Shape (3, 3): takes homogeneous x and y of one picture to those of the other."""

_MAX_VOTERS = 160
_NEAR = 0.04
"""How far a pair may be from where another pair expects it, of the longer side of the picture: a
single point knows its size to some 10 % and its direction to some degrees."""

_NEARER = (0.025, 0.015)
"""The same once many points have been fitted: perspective and rounding remain."""

MIN_VOTES = 4
"""Pairs that must agree before pixels are looked at. Few, as pixels are what proves."""

_MIN_FOR_PERSPECTIVE = 12
_GAIN = 1.1
"""How many more pairs perspective must bring together: it can be bent to anything."""

_MIN_SINE = 0.3
"""Of the two axes of a fit: a copy is never sheared more."""


@dataclass(frozen=True, eq=False, slots=True)
class Placement:
    """A guess how the first picture lies on the second.

    Attributes:
        transform: from pixels of the first to pixels of the second.
        votes: how many pairs of key points agree.
        spread: share of the first picture's area that the box around those has, and of the
            second's: the smaller one.
    """

    transform: Transform
    votes: int
    spread: float


def vote(
    first: KeyPoints, second: KeyPoints, pairs: NDArray[np.intp], sizes: tuple[int, int, int, int]
) -> Placement | None:
    """Return the placement that most pairs agree with, None if hardly any agree.

    Args:
        pairs: shape (m, 2), as :func:`match_points` gives them.
        sizes: width and height of the first picture, then of the second.
    """
    pairs = pairs[:_MAX_VOTERS]
    if len(pairs) < MIN_VOTES:
        return None
    a, b = first.places[pairs[:, 0]], second.places[pairs[:, 1]]  # (m, 2)
    side = float(max(sizes[2:]))
    agree = _agreement(first, second, pairs) < _NEAR * side  # (m, m)
    counts = agree.sum(axis=1)
    if counts.max() < MIN_VOTES:
        return None
    chosen = agree[int(counts.argmax())]
    transform = np.eye(3)
    for near in _NEARER:
        fitted = _fit_affine(a[chosen], b[chosen])
        if fitted is None:
            return None
        transform = fitted
        distances = np.hypot(*(a @ transform[:2, :2].T + transform[:2, 2] - b).T)
        chosen = distances < near * side
        if chosen.sum() < MIN_VOTES:
            return None
    transform, chosen = _add_perspective(a, b, transform, chosen, _NEARER[-1] * side)
    spread = min(_box_share(a[chosen], *sizes[:2]), _box_share(b[chosen], *sizes[2:]))
    return Placement(transform, int(chosen.sum()), spread)


def _add_perspective(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    transform: Transform,
    chosen: NDArray[np.bool_],
    near: float,
) -> tuple[Transform, NDArray[np.bool_]]:
    """Return a transform with perspective if that brings more pairs together."""
    for _ in range(2):
        wide = _distances(transform, a, b) < 3 * near
        if wide.sum() < max(_MIN_FOR_PERSPECTIVE, _GAIN * chosen.sum()):
            break
        fitted, _mask = cv2.findHomography(a[wide], b[wide], cv2.LMEDS)
        if fitted is None or not is_sane(fitted[:2, :2]):
            break
        gained = _distances(fitted, a, b) < near
        if gained.sum() < _GAIN * chosen.sum():
            break
        transform, chosen = fitted, gained
    return transform, chosen


def _distances(
    transform: Transform, a: NDArray[np.float32], b: NDArray[np.float32]
) -> NDArray[np.float64]:
    moved = a @ transform[:, :2].T + transform[:, 2]  # (m, 3)
    depth = np.where(abs(moved[:, 2:]) < 1e-6, 1e-6, moved[:, 2:])
    distances: NDArray[np.float64] = np.hypot(*(moved[:, :2] / depth - b).T)
    return distances


def _agreement(first: KeyPoints, second: KeyPoints, pairs: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how far pair j is from where pair i expects it: shape (m, m), pixels of the second."""
    a, b = first.places[pairs[:, 0]], second.places[pairs[:, 1]]
    turn = second.angles[pairs[:, 1]] - first.angles[pairs[:, 0]]
    scale = second.sizes[pairs[:, 1]] / first.sizes[pairs[:, 0]]
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)  # (m,)
    dx, dy = (a[None, :, axis] - a[:, None, axis] for axis in (0, 1))  # (m, m)
    x = cosine[:, None] * dx - sine[:, None] * dy + b[:, None, 0]
    y = sine[:, None] * dx + cosine[:, None] * dy + b[:, None, 1]
    distances: NDArray[np.float64] = np.hypot(x - b[None, :, 0], y - b[None, :, 1])
    return distances


def _fit_affine(a: NDArray[np.float32], b: NDArray[np.float32]) -> Transform | None:
    """Return the affine transform of least squares, or a turn and a scale if points are too few.

    None if it makes nothing of the picture, or shears it.
    """
    centre, target = a.mean(axis=0), b.mean(axis=0)
    x, y = (a - centre).astype(np.float64), (b - target).astype(np.float64)
    moments = x.T @ x
    spread = np.linalg.eigvalsh(moments)
    if spread[1] < 1e-6:
        return None
    if len(a) >= 6 and spread[0] > 0.02 * spread[1]:
        linear = np.linalg.solve(moments, x.T @ y).T
    else:  # one turn and one scale: x as a complex number times another
        p, q = x[:, 0] + 1j * x[:, 1], y[:, 0] + 1j * y[:, 1]
        factor = (q * p.conj()).sum() / (abs(p) ** 2).sum()
        linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    if not is_sane(linear):
        return None
    transform = np.eye(3)
    transform[:2, :2] = linear
    transform[:2, 2] = target - linear @ centre
    return transform


def is_sane(linear: NDArray[np.float64]) -> bool:
    """Return whether a 2 x 2 part turns and scales, without a shear that no copy has."""
    lengths = np.hypot(*linear)  # of the two columns
    area = abs(linear[0, 0] * linear[1, 1] - linear[0, 1] * linear[1, 0])
    return bool(lengths.min() > 0.05 and lengths.max() < 20 and area > _MIN_SINE * lengths.prod())


def _box_share(places: NDArray[np.float32], width: int, height: int) -> float:
    return float(np.ptp(places, axis=0).prod()) / (width * height)


def invert(transform: Transform) -> Transform:
    """Return the way back."""
    inverse = np.linalg.inv(transform)
    scaled: Transform = (inverse / inverse[2, 2]).astype(np.float64)
    return scaled


def frame_corners(size: tuple[int, int], transform: Transform) -> NDArray[np.float64]:
    """Return where the corners of a picture come to lie, (4, 2), in turn."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    corners = np.array([[-0.5, -0.5, 1], [right, -0.5, 1], [right, bottom, 1], [-0.5, bottom, 1]])
    moved = corners @ transform.T
    places: NDArray[np.float64] = moved[:, :2] / moved[:, 2:]
    return places
