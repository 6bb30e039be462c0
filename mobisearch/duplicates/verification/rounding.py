"""Whether a picture, saved again as a copy of it was, would give that copy.

A JPEG rounds each value to a multiple of a step that its file names, so that what saving explains
is known exactly: half a step. What differs by more was changed, or is finer in the copy: a picture
that was saved with much loss, and again with little, takes as many bytes as the one that it was
made from, and so does one in a format without loss.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.imaging import Quantisation
from mobisearch.types import Pixels

_T = TypeVar("_T", np.float32, np.bool_)

_SIDE = 8
"""Of the blocks in which a JPEG is saved. Source: ITU-T T.81, A.1.3."""

_BAND_BLOCKS = 64
_SLACK = 1.5
"""What rounding pixels to whole levels, twice, adds to a value."""

_MOST_BEYOND = 0.06
"""Of the values that a copy has, how many may be further from the kept one's than rounding takes
them: some programs round the other way where that saves bytes."""

_LEAST_VALUES = 200

_MOST_STEPS = 6.0
"""By how many steps the values of two by two blocks may be beyond that, in all. Sixteen photos
saved again in 30 ways at quality 40 to 95, with noise and without, stay below; another digit in
faint writing makes 8 and more at quality 75, and 17 at 85."""

_TELLING_STEP, _FINER = 4.0, 2.5
"""Of a copy's steps, the least that tells anything, and how many times the kept picture's own step
it must be: below, those cannot be told apart."""

_ON_STEPS = 0.18
"""Of a step, how far values lie from its multiples on average if they were rounded to it once. Of
20 photos saved at 60 to 90 and again at 85 to 98, or as PNG, the worst had 0.17, most less than
0.12; of those that were saved at 85 to 98 only, none less than 0.23."""

_DARKEST, _BRIGHTEST = 1, 254
"""Beyond these pixels were cut off, and a block says nothing."""


def is_saved_from(kept: Pixels, copy: Pixels, saved: Quantisation) -> bool:
    """Return whether saving a picture once more explains all that differs in a copy of it.

    Where hardly anything can be compared, it does.

    Args:
        kept, copy: uint8, RGB, of one shape (h, w, 3), one lying on the other.
        saved: how the copy was.

    Source: ITU-T T.81, A.3.3 and A.3.4: the transform and the rounding of its values.
    """
    n_values = n_beyond = 0
    steps: list[NDArray[np.float32]] = []
    half = saved.steps / np.float32(2)
    if min(copy.shape[:2]) < _SIDE:
        return True
    stored = saved.as_stored(kept), saved.as_stored(copy)
    n_across = stored[0].shape[1] // _SIDE
    for theirs, own, is_whole in _bands(*stored):
        values, apart = _transform(own), abs(_transform(theirs - own))
        has_value = abs(values) > half
        has_value[:, 0, 0] = apart[:, 0, 0] = 0  # the mean, which a change of colours moves
        beyond = np.maximum(apart - half - _SLACK, 0)
        n_values += int(has_value[is_whole].sum())
        n_beyond += int((has_value & (beyond > 0))[is_whole].sum())
        in_steps = np.where(is_whole, (beyond / saved.steps).sum(axis=(1, 2)), 0)
        steps.append(np.asarray(in_steps.reshape(-1, n_across), np.float32))
    if n_values < _LEAST_VALUES:
        return True
    places = cv2.boxFilter(np.concatenate(steps), -1, (2, 2), normalize=False)
    return n_beyond <= _MOST_BEYOND * n_values and float(places.max()) <= _MOST_STEPS


def was_rounded(picture: Pixels, own: Quantisation | None, saved: Quantisation) -> bool:
    """Return whether a picture was made from a JPEG with other steps than it has itself.

    Its values are then still near to the multiples of those. False where too little can be seen.

    Args:
        picture: uint8, RGB, (h, w, 3).
        own: how it was saved, None if it is no JPEG.
        saved: of the JPEG in question, of the same size.
    """
    finest = own.steps if own is not None else np.ones_like(saved.steps)
    is_telling = saved.steps >= np.maximum(_TELLING_STEP, _FINER * finest)
    is_telling[0, 0] = False
    stored = saved.as_stored(picture)
    n_values, total = 0, 0.0
    for blocks, _, is_whole in _bands(stored, stored):
        values = _transform(blocks)[is_whole] / saved.steps
        some = values[(abs(values) > 0.5) & is_telling]
        n_values += len(some)
        total += float(abs(some - np.rint(some)).sum())
    return n_values >= _LEAST_VALUES and total < _ON_STEPS * n_values


def _bands(
    kept: Pixels, copy: Pixels
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]]:
    """Give blocks of brightness of both pictures, and which were not cut off.

    Some rows at a time: floating-point numbers take much more than pixels.
    """
    band = _SIDE * _BAND_BLOCKS
    for top in range(0, kept.shape[0] - _SIDE + 1, band):
        rows = [picture[top : top + band] for picture in (kept, copy)]
        theirs, own = (_blocks(_brightness(picture)) for picture in rows)
        clipped = np.logical_or.reduce([_is_clipped(picture) for picture in rows])
        yield theirs, own, np.asarray(~_blocks(clipped).any(axis=(1, 2)))


def _is_clipped(picture: Pixels) -> NDArray[np.bool_]:
    low, high = picture.min(axis=2), picture.max(axis=2)
    clipped: NDArray[np.bool_] = (low < _DARKEST) | (high > _BRIGHTEST)
    return clipped


def _brightness(picture: Pixels) -> NDArray[np.float32]:
    levels = cv2.transform(picture.astype(np.float32), np.array([[0.299, 0.587, 0.114]]))
    return np.asarray(levels, np.float32).reshape(picture.shape[:2])


def _blocks(plane: NDArray[_T]) -> NDArray[_T]:
    """Return the whole blocks of a plane, shape (n, 8, 8)."""
    down, across = (side // _SIDE for side in plane.shape)
    cut = plane[: down * _SIDE, : across * _SIDE].reshape(down, _SIDE, across, _SIDE)
    return cut.transpose(0, 2, 1, 3).reshape(-1, _SIDE, _SIDE)


def _cosines() -> NDArray[np.float32]:
    table = np.empty((_SIDE, _SIDE), np.float32)
    for k, n in itertools.product(range(_SIDE), repeat=2):
        size = np.sqrt((1 if k == 0 else 2) / _SIDE)
        table[k, n] = size * np.cos(np.pi * (2 * n + 1) * k / (2 * _SIDE))
    return table


_COSINES = _cosines()


def _transform(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine transform of blocks, (n, 8, 8), as JPEG scales it."""
    return np.asarray(_COSINES @ blocks @ _COSINES.T, np.float32)
