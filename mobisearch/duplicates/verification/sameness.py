"""Whether one picture shows, at full size, all that another one does: down to a digit in a page.

Thumbnails prove that two pictures are copies, and are blind to what is smaller than a pixel of
theirs. Here one is laid on the other, whole, and no place may differ more than saving it again, or
scaling it, makes any place differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.algebra import use_one_thread
from mobisearch.duplicates.verification.alignment import find_alignment
from mobisearch.duplicates.verification.comparison import look
from mobisearch.duplicates.verification.pictures import CLOSE_PX, Picture
from mobisearch.duplicates.verification.preparation import Prepared, prepare
from mobisearch.duplicates.verification.rounding import is_saved_from
from mobisearch.duplicates.verification.spotting import differ
from mobisearch.duplicates.verification.voting import Transform
from mobisearch.imaging import Quantisation, iter_resized
from mobisearch.types import Pixels

_SMALL_PX = 48
_LIKE, _SAME_FRAME = 0.9, 0.995
"""Correlation of very small pictures from which on it is worth to look at all of the pixels; and
from which on both show the same part of the scene, so that no other way to lay them is tried."""

_ASPECT, _ROUNDED_PX = 0.01, 1.5
"""By which width over height of two pictures of one frame may differ; or this many pixels."""

_WARPS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_LEAST_SHARE = 0.5
_REFINED_PX, _REFINED_STEPS, _REFINED_CHANGE = 1024, 60, 1e-5
_LEAST_INSIDE = 0.97
_LEAST_SCALE, _MOST_SCALE = 0.98, 20.0
"""Pixels of the kept picture for one of a part of it: with fewer, details of the part are lost."""

_T = TypeVar("_T", np.uint8, np.float64)


def is_version(kept: Pixels, copy: Pixels) -> bool:
    """Return whether a picture is a copy of another one, whatever was done to it.

    Args:
        kept, copy: uint8, RGB, shape (h, w, 3).
    """
    prepared = [_prepared(picture)[0] for picture in (kept, copy)]
    return look(prepared[0], prepared[1]).relation.is_copy


def shows_all(kept: Pixels, copy: Pixels, saved: Quantisation | None = None) -> bool:
    """Return whether all that a copy shows is to be seen in the picture that is kept, as it is.

    The kept one may be turned, mirrored, larger, show more around it, or be saved with less loss;
    not recoloured, and nothing laid over. Compared at the size of the smaller one.

    Args:
        kept, copy: uint8, RGB, shape (h, w, 3), whole.
        saved: how the copy was, if it is a JPEG: at the size of the kept one, nothing may differ
            that saving it like that does not explain.
    """
    use_one_thread()
    for likeness, turned in iter_turned(kept, copy):
        if _is_same(turned, copy, saved):
            return True
        if likeness > _SAME_FRAME:
            return False
    return _lies_in(kept, copy, saved)


def iter_turned(picture: Pixels, other: Pixels) -> Iterator[tuple[float, Pixels]]:
    """Give a picture turned, and mirrored, in each way in which it looks much like another one.

    With each goes the correlation of the two, very small.
    """
    small, tiny = _tiny(other), _tiny(picture)
    for is_mirrored in (False, True):
        for quarter in range(4):
            likeness = _correlation(_turned(tiny, is_mirrored, quarter), small)
            if likeness > _LIKE:
                yield likeness, _turned(picture, is_mirrored, quarter)


def _turned(picture: NDArray[_T], is_mirrored: bool, quarter: int) -> NDArray[_T]:
    mirrored = picture[:, ::-1] if is_mirrored else picture
    return np.ascontiguousarray(np.rot90(mirrored, quarter))


def _tiny(picture: Pixels) -> NDArray[np.float64]:
    small = cv2.resize(picture, (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small.mean(axis=2), np.float64)


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    a, b = first - first.mean(), second - second.mean()
    sizes = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if sizes < 1e-6 or min(a.std(), b.std()) < 2:  # of one colour: nothing tells them apart
        return 1.0
    return float((a * b).sum()) / sizes


def _is_same(kept: Pixels, copy: Pixels, saved: Quantisation | None) -> bool:
    """Return whether two pictures of the same frame show the same, at the size of the smaller."""
    if kept.shape == copy.shape:
        if saved is not None and not is_saved_from(kept, copy, saved):
            return False
        return not differ(kept, copy, is_scaled=False)
    if _is_stretched(kept, copy):
        return False
    is_scaled = copy.shape[0] * copy.shape[1] < kept.shape[0] * kept.shape[1]
    large, small = (kept, copy) if is_scaled else (copy, kept)
    scaled = _most_like(_scaled(large, (small.shape[1], small.shape[0])), small)
    return not differ(scaled, small, is_scaled=is_scaled)


def _is_stretched(one: Pixels, other: Pixels) -> bool:
    """Return whether sides of two pictures have other proportions, but for rounding."""
    (height, width), (high, wide) = one.shape[:2], other.shape[:2]
    apart = abs(float(np.log(width * high / (height * wide))))
    return bool(apart > max(_ASPECT, _ROUNDED_PX / min(height, width, high, wide)))


def _scaled(picture: Pixels, size: tuple[int, int]) -> Iterator[Pixels]:
    """Give a picture at another size, (w, h), in all ways in which copies are made."""
    yield from iter_resized(picture, *size)
    yield cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def _most_like(pictures: Iterator[Pixels], other: Pixels) -> Pixels:
    best, least = other, np.inf
    for picture in pictures:
        apart = float(cv2.norm(picture, other, cv2.NORM_L2))
        if apart < least:
            best, least = picture, apart
    return best


def _lies_in(kept: Pixels, copy: Pixels, saved: Quantisation | None) -> bool:
    """Return whether a copy shows the same as a part of the kept picture, turned by any angle."""
    transform = _find_transform(copy, kept)
    if transform is None:
        return False
    scale = float(np.sqrt(abs(np.linalg.det(transform[:2, :2]))))  # kept pixels for one of copy's
    if not _LEAST_SCALE < scale < _MOST_SCALE:
        return False
    size = (max(1, round(kept.shape[1] / scale)), max(1, round(kept.shape[0] / scale)))
    shrink = np.diag([size[0] / kept.shape[1], size[1] / kept.shape[0], 1.0])
    transform = shrink @ transform
    pictures = _scaled(kept, size) if size != (kept.shape[1], kept.shape[0]) else iter([kept])
    transform = _shifted(transform)
    refined: Transform | None = None
    best, least, mask = copy, np.inf, np.zeros(copy.shape[:2], bool)
    for picture in pictures:
        if refined is None:
            refined = _refine(picture, copy, transform)
            if refined is None:
                return False
            mask = _inside(picture, copy, refined)
            if mask.mean() < _LEAST_INSIDE:
                return False
        for warp in _WARPS:
            laid = _lay(picture, copy, refined, warp)
            apart = float(cv2.norm(laid, copy, cv2.NORM_L2, mask.astype(np.uint8)))
            if apart < least:
                best, least = laid, apart
    is_part = size == (kept.shape[1], kept.shape[0]) and _is_shift(refined)
    if saved is not None and is_part and mask.all() and not is_saved_from(best, copy, saved):
        return False
    return not differ(best, copy, is_scaled=scale > 1 / _LEAST_SCALE, mask=mask)


def _find_transform(first: Pixels, second: Pixels) -> Transform | None:
    """Return what takes pixels of the first to the second's, None if they are not alike."""
    (one, by_first), (other, by_second) = _prepared(first), _prepared(second)
    found = find_alignment(one, other, _LEAST_SHARE)
    if found is None:
        return None
    return _normal(np.linalg.inv(by_second) @ found.first_to_second @ by_first)


def _prepared(picture: Pixels) -> tuple[Prepared, Transform]:
    """Return a picture made small enough to be registered, and what takes its pixels there."""
    height, width = picture.shape[:2]
    by = min(1.0, CLOSE_PX / max(width, height))
    size = (max(1, round(width * by)), max(1, round(height * by)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    shrink = np.diag([size[0] / width, size[1] / height, 1.0])
    return prepare(Picture(small, width, height)), shrink


def _normal(transform: Transform) -> Transform:
    normal: Transform = transform / transform[2, 2]
    return normal


def _shifted(transform: Transform) -> Transform:
    """Return a transform whose shift is whole pixels, where it is hardly anything but a shift."""
    by = transform - np.eye(3)
    by[:2, 2] = 0
    if abs(by).max() > 2e-3:
        return transform
    shift = np.eye(3)
    shift[:2, 2] = np.rint(transform[:2, 2])
    return shift


def _is_shift(transform: Transform | None) -> bool:
    """Say whether a transform moves whole pixels, and nothing else."""
    if transform is None:
        return False
    moved = transform - np.eye(3)
    shift = moved[:2, 2].copy()
    moved[:2, 2] = 0
    return not moved.any() and bool((shift == np.rint(shift)).all())


def _refine(kept: Pixels, copy: Pixels, transform: Transform) -> Transform | None:
    """Return a transform from the copy's pixels to the kept one's, exact to part of a pixel."""
    by = min(1.0, _REFINED_PX / max(copy.shape[:2]))
    small, large = (_grey(picture, by) for picture in (copy, kept))
    to_small = np.diag([by, by, 1.0])
    start = (to_small @ transform @ np.linalg.inv(to_small)).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _REFINED_STEPS, _REFINED_CHANGE)
    try:
        _, found = cv2.findTransformECC(
            small, large, start / start[2, 2], cv2.MOTION_HOMOGRAPHY, stop, None, 3
        )
    except cv2.error:
        return None
    return _shifted(_normal(np.linalg.inv(to_small) @ found.astype(np.float64) @ to_small))


def _grey(picture: Pixels, by: float) -> NDArray[np.uint8]:
    grey: NDArray[np.uint8] = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    if by == 1.0:
        return grey
    size = (max(1, round(grey.shape[1] * by)), max(1, round(grey.shape[0] * by)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _lay(kept: Pixels, copy: Pixels, transform: Transform, warp: int) -> Pixels:
    size = (copy.shape[1], copy.shape[0])
    laid = cv2.warpPerspective(kept, transform, size, flags=warp | cv2.WARP_INVERSE_MAP)
    return np.asarray(laid, np.uint8)


def _inside(kept: Pixels, copy: Pixels, transform: Transform) -> NDArray[np.bool_]:
    """Return the copy's pixels that lie in the kept picture, (h, w)."""
    whole = np.full(kept.shape[:2], 255, np.uint8)
    laid = _lay(whole, copy, transform, cv2.INTER_LINEAR)
    mask: NDArray[np.bool_] = cv2.erode(laid, np.ones((5, 5), np.uint8)) == 255
    return mask
