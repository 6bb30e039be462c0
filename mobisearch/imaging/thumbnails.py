"""Small pictures: for people, in notebooks and on contact sheets, and to compare."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from mobisearch.imaging.decoding import decode
from mobisearch.imaging.sources import ImageSource, open_source
from mobisearch.types import DecodeSettings, Pixels

_SETTINGS = DecodeSettings()


def read_thumbnail(source: ImageSource, *, max_px: int) -> Image.Image:
    """Return an upright RGB picture whose longer side is at most ``max_px``.

    Raises:
        ImageError: it cannot be read.
    """
    image = open_source(source, settings=_SETTINGS, need_px=max_px).copy()
    image.thumbnail((max_px, max_px), Image.Resampling.LANCZOS)
    return image


def encode_jpeg(pixels: Pixels, *, quality: int) -> bytes:
    """Return uint8 RGB pixels, shape (h, w, 3), as a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def decode_jpeg(data: bytes, *, name: str, max_px: int) -> Pixels:
    """Return the pixels of a small JPEG of our own: uint8, RGB, shape (h, w, 3).

    Raises:
        ImageError: it is damaged, no JPEG, or larger than ``max_px`` on a side.
    """
    limits = DecodeSettings(max_pixels=max_px**2, max_pixels_other=1)
    return np.asarray(decode(data, name=name, settings=limits)[0])


def resize_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return uint8 RGB pixels, shape (h, w, 3), squeezed or stretched to another size."""
    size = (width, height)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def read_thumbnail_jpeg(source: ImageSource, *, max_px: int) -> bytes:
    """Return the same as JPEG bytes without any metadata of the original."""
    buffer = io.BytesIO()
    picture = read_thumbnail(source, max_px=max_px)
    picture.info.clear()  # Pillow would write a JPEG's comment again
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
