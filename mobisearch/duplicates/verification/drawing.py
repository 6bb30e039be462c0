"""What is drawn, and not photographed: few colours, a bar along an edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.overlap import largest
from mobisearch.duplicates.verification.windows import Plane

_PALETTE_PIXELS = 1500
_N_COLOURS = 3
_SAME_COLOUR = 20.0
"""Grey levels, in each of red, green and blue, within which JPEG leaves a colour."""

_DRAWN_COVER = 0.45
_DRAWN_CONTINUES = 0.45
"""A drawn place: three colours cover that much of it, and that little of what is around it."""

FLAT_LEVELS, _FLAT_COVER = 10.0, 0.85
_OWN_COVER, _MOST_AROUND = 0.2, 0.05
"""A sign on a ground like what is around it: so flat are its colours, and that much of it has some
that are hardly around it."""

_LARGE_SHARE, _LARGE_COVER = 0.15, 0.8
"""Of the shared area, from which on a place must have nothing but three colours: a photo shown in
the same window as another one has some."""

_MOST_SHARE = 0.3
"""Nothing but a bar covers more: half of a collage does."""

BAND_LENGTH, BAND_EDGE, _MOST_BAND, _BAND_COVER = 0.75, 0.12, 0.42, 0.75
"""A caption: it reaches along three quarters of a side, lies within an eighth of it, has less than
four tenths of the picture, and three colours cover it."""

_EDGE_PX, _EDGE_LENGTH = 8, 0.4
"""And it ends near there, in a line two fifths as long as the side: most are as long as it is, but
not where the picture has the bar's colour. A sky has no such line."""


def is_band(picture: Plane, box: tuple[int, int, int, int]) -> bool:
    """Return whether a place is part of a bar along an edge of the picture."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    if right - left > BAND_LENGTH * width:
        if bottom > (1 - BAND_EDGE) * height and _is_bar(picture[::-1], height - top):
            return True
        if top < BAND_EDGE * height and _is_bar(picture, bottom):
            return True
    if bottom - top > BAND_LENGTH * height:
        across = picture.swapaxes(0, 1)
        if right > (1 - BAND_EDGE) * width and _is_bar(across[::-1], width - left):
            return True
        if left < BAND_EDGE * width and _is_bar(across, right):
            return True
    return False


def _is_bar(picture: Plane, depth: int) -> bool:
    """Return whether a picture has a bar of about so many pixels along its upper edge."""
    height = picture.shape[0]
    if (
        depth >= _MOST_BAND * height
        or find_palette(picture[:depth].reshape(-1, 3))[0] < _BAND_COVER
    ):
        return False
    start, end = max(1, depth - _EDGE_PX), min(height - 1, depth + _EDGE_PX)
    changes = largest(abs(picture[start + 1 : end + 1] - picture[start - 1 : end - 1]))
    lengths = (changes > _SAME_COLOUR).mean(axis=1)
    return bool(lengths.max(initial=0) >= _EDGE_LENGTH)


def is_drawn(
    picture: Plane, pixels: NDArray[np.bool_], ring: NDArray[np.bool_], share: float
) -> bool:
    """Return whether a place has few colours, which are not those around it."""
    if share > _MOST_SHARE:
        return False
    cover, colours = find_palette(picture[pixels])
    if cover < (_DRAWN_COVER if share < _LARGE_SHARE else _LARGE_COVER):
        return False
    around = picture[ring]
    if not len(around):
        return True
    same = [largest(abs(around - colour)) < _SAME_COLOUR for colour in colours]
    if np.any(same, axis=0).mean() < _DRAWN_CONTINUES:
        return True
    if find_palette(picture[pixels], FLAT_LEVELS)[0] < _FLAT_COVER:
        return False
    own = [
        largest(abs(picture[pixels] - colour)) < _SAME_COLOUR
        for colour, is_around in zip(colours, same, strict=True)
        if is_around.mean() < _MOST_AROUND
    ]
    return bool(own) and bool(np.any(own, axis=0).mean() >= _OWN_COVER)


def find_palette(pixels: Plane, near: float = _SAME_COLOUR) -> tuple[float, list[Plane]]:
    """Return the most common colours of some pixels, (n, 3), and which share of them they cover."""
    pixels = pixels[:: 1 + len(pixels) // _PALETTE_PIXELS]
    left, colours, covered = pixels, [], 0
    for _ in range(_N_COLOURS):
        if not len(left):
            break
        parts = left.astype(np.int32) >> 4
        coarse = parts[:, 0] * 256 + parts[:, 1] * 16 + parts[:, 2]
        common = np.bincount(coarse, minlength=4096).argmax()
        colour = np.median(left[coarse == common], axis=0).astype(np.float32)
        is_near = largest(abs(left - colour)) < near
        colours.append(colour)
        covered += int(is_near.sum())
        left = left[~is_near]
    return covered / max(1, len(pixels)), colours
