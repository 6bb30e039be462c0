"""Whether two whole pictures that should show the same do, looked at closely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mobisearch.errors import ImageError
from mobisearch.imaging.decoding import decode
from mobisearch.imaging.reading import read_file
from mobisearch.types import DecodeSettings

_LONGER_PX = 1024
"""One digit in a page of text is a block or two at this size."""

_BLOCK_PX = 8
_MAX_LEVELS = 36
"""Of 255: the mean difference of the block that differs most. Measured with 100 photos saved again:
99 % stay below 28 at JPEG quality 80 and below 21 at a quarter of the size; at quality 30 the
median is 22. One other digit in a form makes 43 and more."""


def find_difference(path: str, keeper: str, settings: DecodeSettings) -> str:
    """Say that two pictures that should show the same do not, nothing if they do.

    A picture that was stretched is compared as if it were not.
    """
    try:
        first, second = (_open(name, settings) for name in (path, keeper))
    except ImageError as error:
        return f"it cannot be compared with the one kept: {error.reason}"
    size = _common_size(first, second)
    difference = abs(_pixels(first, size) - _pixels(second, size)).mean(axis=2)  # (h, w)
    height, width = (max(1, side // _BLOCK_PX) for side in difference.shape)
    rows = np.array_split(difference, height)
    blocks = [block.mean() for row in rows for block in np.array_split(row, width, axis=1)]
    if max(blocks) > _MAX_LEVELS:
        return "looked at closely, it differs from the one kept in places"
    return ""


def _open(path: str, settings: DecodeSettings) -> Image.Image:
    content = read_file(path, max_bytes=settings.max_bytes)
    return decode(content.data, name=path, settings=settings, need_px=_LONGER_PX)[0]


def _common_size(first: Image.Image, second: Image.Image) -> tuple[int, int]:
    width, height = min(first.width, second.width), min(first.height, second.height)
    shrink = min(1.0, _LONGER_PX / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


def _pixels(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(picture.resize(size), dtype=np.float32)  # (h, w, 3)
