"""The picture by which a network is known again."""

from __future__ import annotations

import functools

import numpy as np

from mobisearch.types import Pixels


@functools.cache
def probe_picture() -> Pixels:
    """Return 600 x 400 pixels of waves and an edge: what resizing and normalisation act on.

    Always the same array, which cannot be written: each sync asks for it twice.
    """
    y, x = np.mgrid[0:400, 0:600]
    red = 127 + 120 * np.sin(x / 9.0) * np.cos(y / 31.0)
    green = (x * 255 // 599) ^ (y & 63)
    blue = np.where((x - 300) ** 2 + (y - 200) ** 2 < 120**2, 240, 20 + y // 4)
    picture = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    picture.flags.writeable = False
    return picture
