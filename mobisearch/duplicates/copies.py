"""Altered copies of a library's own pictures, to measure with how many copies are found there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from mobisearch.imaging import decode_jpeg, encode_jpeg, resize_pixels
from mobisearch.types import Pixels

_QUALITY = 40
_MIN_SIDE_PX = 8


def crop(pixels: Pixels, share: float, x: float, y: float) -> Pixels:
    """Return a part with this share of the area; x and y from 0 to 1 say where it lies."""
    height, width = pixels.shape[:2]
    new_height, new_width = (max(1, round(side * share**0.5)) for side in (height, width))
    top, left = round((height - new_height) * y), round((width - new_width) * x)
    return pixels[top : top + new_height, left : left + new_width]


def recompress(pixels: Pixels) -> Pixels:
    """Return the pixels as a JPEG of low quality has them."""
    side = max(pixels.shape)
    data = encode_jpeg(np.ascontiguousarray(pixels), quality=_QUALITY)
    return decode_jpeg(data, name="copy", max_px=side)


def shrink(pixels: Pixels) -> Pixels:
    """Return the picture at half the size."""
    height, width = pixels.shape[:2]
    return resize_pixels(
        np.ascontiguousarray(pixels), max(_MIN_SIDE_PX, width // 2), max(_MIN_SIDE_PX, height // 2)
    )


def grey(pixels: Pixels) -> Pixels:
    """Return the picture without colours."""
    light = pixels @ np.array([0.299, 0.587, 0.114])
    return np.repeat(np.rint(light).astype(np.uint8)[:, :, None], 3, axis=2)


def lighten(pixels: Pixels) -> Pixels:
    """Return the picture with lighter shadows."""
    return np.rint(255 * (pixels / 255.0) ** 0.7).astype(np.uint8)


def band(pixels: Pixels) -> Pixels:
    """Return the picture with a dark band over its lower fifth, as captions have."""
    changed = pixels.copy()
    changed[pixels.shape[0] * 4 // 5 :] = 20
    return changed


def frame(pixels: Pixels) -> Pixels:
    """Return the picture with a white border."""
    margin = max(1, min(pixels.shape[:2]) // 10)
    return np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), constant_values=255)


COPIES: Mapping[str, Callable[[Pixels], Pixels]] = MappingProxyType(
    {
        "recompressed": recompress,
        "half the size": shrink,
        "cropped to 70 %": lambda pixels: crop(pixels, 0.7, 0.3, 0.6),
        "cropped to half, a corner": lambda pixels: crop(pixels, 0.5, 1.0, 0.0),
        "turned by 90 degrees": lambda pixels: np.rot90(pixels),
        "mirrored": lambda pixels: pixels[:, ::-1],
        "grey": grey,
        "lighter": lighten,
        "caption": band,
        "border": frame,
        "mirrored and cropped to 70 %": lambda pixels: crop(pixels[:, ::-1], 0.7, 0.0, 0.0),
    }
)
"""By name: from the pixels of a thumbnail to those of a copy; both uint8, shape (h, w, 3)."""
