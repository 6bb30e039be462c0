"""Guesses how one picture may lie on another, each tried on the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.frames import match_frames
from mobisearch.duplicates.verification.points import match_points
from mobisearch.duplicates.verification.preparation import Prepared
from mobisearch.duplicates.verification.registration import Registration, register
from mobisearch.duplicates.verification.voting import Transform, vote

_FRAME_CORRELATION = 0.45
_SHRINK = 1.15


@dataclass(frozen=True, eq=False, slots=True)
class Alignment:
    """One picture laid on another.

    Attributes:
        transform: from pixels of the first picture to pixels of the second.
        is_swapped: the second was the coarser one, and the registration is seen from it.
        votes: pairs of key points that agree; 0 for whole frames.
        spread: share of the picture that they span.
        is_negative: bright is dark.
    """

    transform: Transform
    registration: Registration
    is_swapped: bool
    votes: int = 0
    spread: float = 0.0
    is_negative: bool = False


def iter_alignments(first: Prepared, second: Prepared) -> Iterator[Alignment]:
    """Give alignments worth a look, the cheap ones first."""
    correlation, orientation = match_frames(first.frame, second.frame)[0]
    if abs(correlation) > _FRAME_CORRELATION:
        guess = orientation.transform(first.size, second.size)
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
    is_swapped = scale < 1
    coarse, fine = (second, first) if is_swapped else (first, second)
    if is_swapped:
        guess = np.linalg.inv(guess)
        guess = guess / guess[2, 2]
        scale = 1 / scale
    shrunk, shrink = _shrink(fine.grey, scale)
    base = coarse.grey.astype(np.float32)
    if is_negative:
        shrunk = 255 - shrunk
    made = register(base, shrunk, shrink @ guess)
    if made is None:
        return None
    whole = np.linalg.inv(shrink) @ made.transform
    if is_swapped:
        whole = np.linalg.inv(whole)
    whole = whole / whole[2, 2]
    return Alignment(whole, made, is_swapped, votes, spread, is_negative)


def _shrink(grey: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.float32], Transform]:
    """Return a picture with sides divided by a scale, and what takes its pixels there."""
    height, width = grey.shape
    if scale < _SHRINK:
        return grey.astype(np.float32), np.eye(3)
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    shrunk = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    fx, fy = size[0] / width, size[1] / height
    return shrunk, np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
