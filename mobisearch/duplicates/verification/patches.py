"""Places where two pictures that agree elsewhere differ: something laid over, or something moved.

What is laid over a picture (a caption, a mark, a sticker) is drawn: it has few colours, and they
end where it ends. What has moved in a scene is neither, or is seen in both pictures in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.drawing import (
    BAND_EDGE,
    BAND_LENGTH,
    FLAT_LEVELS,
    find_palette,
    is_band,
    is_drawn,
)
from mobisearch.duplicates.verification.fading import find_faded
from mobisearch.duplicates.verification.overlap import Overlap, largest, to_pixels
from mobisearch.duplicates.verification.proof import Evidence
from mobisearch.duplicates.verification.veils import find_veiled, is_veiled
from mobisearch.duplicates.verification.windows import (
    CELL_PX,
    Plane,
    whole_cells,
    window_mean,
)

LEAST_WINDOWS = 9
"""Of a place that differs: fewer are noise."""

_LEAST_PIXELS = 15
_LEAST_SHARE = 0.1
_LEAST_LEVELS = 24.0
_ERRORS = 4.0
"""A pixel differs if it does so by more than 24 levels and more than four times the usual error."""

_CLIPPED_LEVELS = 4.0
_MOST_CLIPPED = 0.3
"""Of a window's pixels, what may be black or white in one picture because it was made darker or
brighter: more, and the window says nothing, unless more than few pixels differ all the same."""

_MOST_APART = 0.05

_LARGE_COVERED = 0.2
"""Of the area, from which on more must be known of what covers it than that it is drawn."""

_BAR_WINDOWS = 2
"""By which pieces of a bar may differ in how far they reach into the picture."""

_REACH_PX = 20
"""How far around a place is looked at: more than all that is done there reaches."""


@dataclass(frozen=True, eq=False, slots=True)
class Patch:
    """One place where the two differ.

    Attributes:
        area_px: of the place, with what lies between them.
        box: left, top, right, bottom.
        drawn_in_first, drawn_in_second: something is drawn there in either.
        is_band: it is a bar along an edge.
    """

    area_px: int
    box: tuple[int, int, int, int]
    drawn_in_first: bool
    drawn_in_second: bool
    is_band: bool


@dataclass(frozen=True, eq=False, slots=True)
class Differences:
    """All places where two pictures differ, and how well they agree elsewhere.

    Attributes:
        outside_share: of telling windows outside of the patches, how many agree.
        covered_share: of the area that both show, what the patches have, or what is faded.
        marked_share: what the patches have, without bars along an edge.
        rest_cover: how much of the rest three colours cover; 0 without patches.
        faded_share: of the area that both show, where one fades into black or white.
        is_veiled: one half-transparent ink explains all patches: the same picture is under them.
    """

    patches: Sequence[Patch]
    outside_share: float
    covered_share: float
    marked_share: float
    rest_cover: float
    faded_share: float
    is_veiled: bool = False

    @property
    def drawn_share(self) -> float:
        """Of the patches' area, what is drawn in one and the same picture."""
        return max(self.drawn_shares)

    @property
    def drawn_shares(self) -> tuple[float, float]:
        """Of the patches' area, what is drawn in the first picture, and what in the second."""
        total = sum(patch.area_px for patch in self.patches)
        if not total:
            return 1.0, 1.0
        first = sum(patch.area_px for patch in self.patches if patch.drawn_in_first)
        second = sum(patch.area_px for patch in self.patches if patch.drawn_in_second)
        return first / total, second / total


def find_differences(overlap: Overlap, evidence: Evidence) -> Differences:
    """Find the places where many windows next to one another disagree, and pixels do too."""
    apart = largest(cv2.absdiff(overlap.recoloured, overlap.second))
    differs = (apart > max(_LEAST_LEVELS, _ERRORS * overlap.error)) & overlap.inside
    telling = evidence.telling
    if (telling & ~evidence.agreeing).any():
        telling = telling & ~_find_clipped(overlap, differs)
    faded = np.zeros(telling.shape, bool)
    disagreeing = telling & ~evidence.agreeing
    if disagreeing.sum() >= LEAST_WINDOWS:
        faded = find_faded(overlap, evidence.windows, evidence.agreeing, disagreeing)
        telling, disagreeing = telling & ~faded, disagreeing & ~faded
    failing = disagreeing.astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(failing, connectivity=8)
    _join_pieces_of_bar(labels, stats, (overlap.first, overlap.second))
    shared = max(1, int(overlap.inside.sum()))
    patches, pixels_of = [], []
    excluded = np.zeros(failing.shape, bool)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < LEAST_WINDOWS:
            continue
        windows = labels == label
        part = _around(stats[label], differs.shape)
        near = to_pixels(windows, differs.shape)[part].astype(np.uint8)
        pixels = (cv2.dilate(near, np.ones((5, 5), np.uint8)) > 0) & differs[part]
        area = int(stats[label, cv2.CC_STAT_AREA]) * CELL_PX * CELL_PX
        if pixels.sum() < max(_LEAST_PIXELS, _LEAST_SHARE * area):
            continue
        excluded |= windows
        patches.append(_describe(overlap, part, pixels, area, area / shared))
        pixels_of.append((overlap.recoloured[part][pixels], overlap.second[part][pixels]))
    wide = cv2.dilate(excluded.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outside = telling & ~wide
    agreeing = float((evidence.agreeing & outside).sum() / max(1, outside.sum()))
    inside = evidence.windows.inside
    covered, faded_share = (
        float((some & inside).sum() / max(1, inside.sum())) for some in (excluded, faded)
    )
    rest_cover, is_one_mark = 0.0, False
    if patches:
        patches, is_one_mark = _see_through(patches, pixels_of, covered > _LARGE_COVERED)
        shape = differs.shape
        near = cv2.dilate(to_pixels(excluded, shape).astype(np.uint8), np.ones((9, 9), np.uint8))
        rest = overlap.inside & (near == 0)
        rest_cover = find_palette(overlap.first[rest], FLAT_LEVELS)[0] if rest.any() else 1.0
    total = sum(patch.area_px for patch in patches)
    marks = sum(patch.area_px for patch in patches if not patch.is_band)
    return Differences(
        patches,
        agreeing if outside.any() else 0.0,
        covered + faded_share,
        covered * marks / max(1, total),
        rest_cover,
        faded_share,
        is_one_mark,
    )


def _see_through(
    patches: list[Patch], pixels_of: Sequence[tuple[Plane, Plane]], is_large: bool
) -> tuple[list[Patch], bool]:
    """Return the patches, those taken for drawn too over which all share one mark; and if all do.

    Args:
        pixels_of: of each, what differs in it in the first picture and the second, (n, 3).
        is_large: they cover much, so that it matters what is under what is drawn.
    """
    if not is_large and all(patch.drawn_in_first or patch.drawn_in_second for patch in patches):
        return patches, False
    first, second = zip(*pixels_of, strict=True)
    in_first, in_second = find_veiled(second, first), find_veiled(first, second)
    seen = [
        replace(
            patch,
            drawn_in_first=patch.drawn_in_first or is_first,
            drawn_in_second=patch.drawn_in_second or is_second,
        )
        for patch, is_first, is_second in zip(patches, in_first, in_second, strict=True)
    ]
    return seen, all(in_first) or all(in_second)


def _join_pieces_of_bar(
    labels: NDArray[np.int32], stats: NDArray[np.int32], pictures: Sequence[Plane]
) -> None:
    """Make one place of those that are one bar along an edge: parts of what it hides are like it.

    Args:
        labels: of windows, (r, c).
        stats: of places, (n, 5): left, top, width, height and area, in windows. As labels, changed.
    """
    height, width = labels.shape
    left, top, wide, high, area = stats.T
    right, bottom = left + wide, top + high
    is_large = (area >= LEAST_WINDOWS) & (np.arange(len(stats)) > 0)
    for near, far, across, along, side in (
        (top, bottom, height, wide, width),
        (height - bottom, height - top, height, wide, width),
        (left, right, width, high, height),
        (width - right, width - left, width, high, height),
    ):
        pieces = np.flatnonzero(is_large & (near < BAND_EDGE * across))
        if len(pieces) < 2:
            continue
        longest = pieces[along[pieces].argmax()]
        pieces = pieces[abs(far[pieces] - far[longest]) <= _BAR_WINDOWS]
        edges = (left[pieces].min(), top[pieces].min(), right[pieces].max(), bottom[pieces].max())
        x0, y0, x1, y1 = (int(edge) for edge in edges)
        box = (CELL_PX * x0, CELL_PX * y0, CELL_PX * x1, CELL_PX * y1)
        is_long = along[pieces].sum() > BAND_LENGTH * side
        if len(pieces) > 1 and is_long and any(is_band(picture, box) for picture in pictures):
            labels[np.isin(labels, pieces)] = pieces[0]
            total = int(area[pieces].sum())
            stats[pieces] = 0
            stats[pieces[0]] = x0, y0, x1 - x0, y1 - y0, total
            return


def _find_clipped(overlap: Overlap, differs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the windows, (r, c), in which one picture lost at 0 or 255 what the other shows.

    A place counts only where the colours of all the rest say that it comes to lie at the end of the
    scale, or beyond, and where nothing else differs: neither white that was laid over something
    grey, nor writing on a page that was made whiter.
    """
    low, high = _CLIPPED_LEVELS, 255 - _CLIPPED_LEVELS
    first, second, expected = overlap.first, overlap.second, overlap.expected
    is_lost = (second >= high) & (expected >= high) & (first < high)
    is_lost |= (second <= low) & (expected <= low) & (first > low)
    is_lost |= (first >= high) & (second >= expected - _LEAST_LEVELS) & (second < high)
    is_lost |= (first <= low) & (second <= expected + _LEAST_LEVELS) & (second > low)
    is_any = is_lost[..., 0] | is_lost[..., 1] | is_lost[..., 2]
    lost, apart = (window_mean(whole_cells(mask.astype(np.float32))) for mask in (is_any, differs))
    found: NDArray[np.bool_] = (lost > _MOST_CLIPPED) & (apart < _MOST_APART)
    return found


def _around(stats: NDArray[np.int32], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of pixels that a place, and what is around it, lies in."""
    left, top, width, height = (int(number) * CELL_PX for number in stats[:4])
    rows = slice(max(0, top - _REACH_PX), min(shape[0], top + height + _REACH_PX))
    return rows, slice(max(0, left - _REACH_PX), min(shape[1], left + width + _REACH_PX))


def _describe(
    overlap: Overlap, part: tuple[slice, slice], pixels: NDArray[np.bool_], area: int, share: float
) -> Patch:
    """Return a place: of a part of the picture, the pixels that differ."""
    small = pixels.astype(np.uint8)
    filled = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    around = cv2.dilate(filled, np.ones((9, 9), np.uint8)) > 0
    ring = around & ~(cv2.dilate(filled, np.ones((3, 3), np.uint8)) > 0) & overlap.inside[part]
    rows = np.flatnonzero(pixels.any(axis=1)) + part[0].start
    columns = np.flatnonzero(pixels.any(axis=0)) + part[1].start
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    shows_through = is_veiled(overlap.recoloured[part][pixels], overlap.second[part][pixels])
    bands = [is_band(picture, box) for picture in (overlap.first, overlap.second)]
    first, second = (
        shows_through or is_bar or is_drawn(picture[part], pixels, ring, share)
        for picture, is_bar in zip((overlap.first, overlap.second), bands, strict=True)
    )
    return Patch(area, box, first, second, any(bands))
