"""Guesses how one picture may lie on another, each tried on the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.frames import Orientation, match_frames
from mobisearch.duplicates.verification.points import match_points
from mobisearch.duplicates.verification.preparation import Prepared
from mobisearch.duplicates.verification.proof import Evidence, equalise, weigh
from mobisearch.duplicates.verification.registration import Registration, register
from mobisearch.duplicates.verification.voting import Transform, invert, vote

_FRAME_CORRELATION, _SURE_CORRELATION = 0.45, 0.9
"""Of two whole frames, from which on it is worth to lay one on the other; and to do so as they are.
"""

_NEAR_CORRELATION, _NEAR_PX, _LEAST_ALIKE = 0.3, 64, 0.4
"""Of two whole frames, from which on one may be the other cut a little; the longer side at which
that is tried, where steps reach three times as far; and the mean correlation of the windows that
have something in them, below which it came to nothing. Of 37 copies among thumbnails that had
needed key points, most of them cut, 30 need none now, and an eighth of the time."""

_SHRINK = 1.15
"""How much finer a picture must be to be scaled down first."""

_GOOD_SHARE = 0.95
"""Of agreeing windows: above it there is no need to make both equally sharp."""


@dataclass(frozen=True, eq=False, slots=True)
class Start:
    """How one picture was found to lie on the other, for a look at more pixels to begin with.

    Attributes:
        transform: from the first picture to the second, sides counted as 1.
        share: of the telling windows, what agreed.
        votes, spread, is_negative: see :class:`Alignment`.
    """

    transform: Transform
    share: float
    votes: int
    spread: float
    is_negative: bool

    def align(self, first: Prepared, second: Prepared) -> Alignment | None:
        """Lay two pictures on one another, beginning here."""
        guess = np.linalg.inv(_to_unit(second)) @ self.transform @ _to_unit(first)
        return align(
            first,
            second,
            guess / guess[2, 2],
            votes=self.votes,
            spread=self.spread,
            is_negative=self.is_negative,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Alignment:
    """One picture laid on another.

    Attributes:
        coarse, fine: the two pictures; the fine one lies on the coarse one.
        transform: from pixels of the coarse picture to pixels of the fine one.
        shrink: what was done to the fine one first.
        is_swapped: the coarse one is the second of the pair.
        votes: pairs of key points that agree; 0 for whole frames.
        spread: share of the picture that they span.
        is_negative: bright is dark.
    """

    coarse: Prepared
    fine: Prepared
    transform: Transform
    shrink: Transform
    registration: Registration
    evidence: Evidence
    is_swapped: bool
    votes: int = 0
    spread: float = 0.0
    is_negative: bool = False

    @property
    def first_to_second(self) -> Transform:
        """From pixels of the first picture of the pair to pixels of the second."""
        if not self.is_swapped:
            return self.transform
        return invert(self.transform)

    @property
    def start(self) -> Start:
        """What another look at the same two can begin with."""
        first, second = self.coarse, self.fine
        if self.is_swapped:
            first, second = second, first
        transform = _to_unit(second) @ self.first_to_second @ np.linalg.inv(_to_unit(first))
        return Start(transform, self.evidence.share, self.votes, self.spread, self.is_negative)


def _to_unit(prepared: Prepared) -> Transform:
    width, height = prepared.size
    return np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])


def iter_alignments(
    first: Prepared, second: Prepared, *, with_cuts: bool = True
) -> Iterator[Alignment]:
    """Give alignments worth a look, the cheap ones first.

    Args:
        with_cuts: one may be the other cut a little, which is looked for without key points too.
    """
    correlation, orientation = match_frames(first.frame, second.frame)[0]
    guesses = []
    if with_cuts and _NEAR_CORRELATION < abs(correlation) < _SURE_CORRELATION:
        guesses += _guess_cut(first, second, orientation, is_negative=correlation < 0)
    if abs(correlation) > _FRAME_CORRELATION:
        guesses.append(orientation.transform(first.size, second.size))
    for guess in guesses:
        made = align(first, second, guess, is_negative=correlation < 0)
        if made is not None:
            yield made
    for is_mirrored in (False, True):
        points = first.points.mirrored(first.size[0]) if is_mirrored else first.points
        pairs = match_points(points, second.points)
        placement = vote(points, second.points, pairs, (*first.size, *second.size))
        if placement is None:
            continue
        guess = placement.transform
        if is_mirrored:
            guess = guess @ np.array([[-1.0, 0, first.size[0] - 1], [0, 1, 0], [0, 0, 1]])
        made = align(first, second, guess, votes=placement.votes, spread=placement.spread)
        if made is not None:
            yield made


def _guess_cut(
    first: Prepared, second: Prepared, orientation: Orientation, *, is_negative: bool
) -> list[Transform]:
    """Return how the first lies on the second if one is the other cut a little, if it is."""
    (a, to_a), (b, to_b) = (
        shrink_picture(prepared.grey, max(prepared.size) / _NEAR_PX) for prepared in (first, second)
    )
    below, above = (plane.astype(np.float32) - 127.5 for plane in (a, b))
    guess = to_b @ orientation.transform(first.size, second.size) @ np.linalg.inv(to_a)
    near = register(below, -above if is_negative else above, guess)
    if near is None or near.alikeness < _LEAST_ALIKE:
        return []
    found = np.linalg.inv(to_b) @ near.transform @ to_a
    return [found / found[2, 2]]


def find_alignment(first: Prepared, second: Prepared, least_share: float) -> Alignment | None:
    """Return the alignment in which most of the telling windows agree, if a share of them does.

    Cuts are left to key points, with which the limits of those who ask this were found.
    """
    best = max(
        iter_alignments(first, second, with_cuts=False),
        key=lambda alignment: alignment.evidence.share,
        default=None,
    )
    return None if best is None or best.evidence.share < least_share else best


def align(
    first: Prepared,
    second: Prepared,
    guess: Transform,
    *,
    votes: int = 0,
    spread: float = 0.0,
    is_negative: bool = False,
) -> Alignment | None:
    """Lay the finer picture on the coarser one and refine how it lies."""
    scale = abs(np.linalg.det(guess[:2, :2])) ** 0.5
    is_swapped = bool(scale < 1)
    coarse, fine = (second, first) if is_swapped else (first, second)
    if is_swapped:
        guess = invert(guess)
        scale = 1 / scale
    shrunk, shrink = shrink_picture(fine.grey, scale)
    below, above = (plane.astype(np.float32) - 127.5 for plane in (coarse.grey, shrunk))
    registration = register(below, -above if is_negative else above, shrink @ guess)
    if registration is None:
        return None
    evidence = weigh(registration.windows)
    if evidence.share < _GOOD_SHARE and registration.is_hopeful():
        evidence = equalise(registration, evidence)
    transform = np.linalg.inv(shrink) @ registration.transform
    transform = transform / transform[2, 2]
    return Alignment(
        coarse,
        fine,
        transform,
        shrink,
        registration,
        evidence,
        is_swapped,
        votes,
        spread,
        is_negative,
    )


def shrink_picture(pixels: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.uint8], Transform]:
    """Return a picture with sides divided by a scale, and what takes its pixels there."""
    height, width = pixels.shape[:2]
    if scale < _SHRINK:
        return pixels, np.eye(3)
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    fx, fy = size[0] / width, size[1] / height
    return shrunk, np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
