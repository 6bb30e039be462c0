"""Small pictures for people: notebooks and contact sheets."""

from __future__ import annotations

import io

from PIL import Image

from mobisearch.imaging.sources import ImageSource, open_source
from mobisearch.types import DecodeSettings

_SETTINGS = DecodeSettings()


def read_thumbnail(source: ImageSource, *, max_px: int) -> Image.Image:
    """Return an upright RGB picture whose longer side is at most ``max_px``.

    Raises:
        ImageError: it cannot be read.
    """
    image = open_source(source, settings=_SETTINGS, need_px=max_px).copy()
    image.thumbnail((max_px, max_px), Image.Resampling.LANCZOS)
    return image


def read_thumbnail_jpeg(source: ImageSource, *, max_px: int) -> bytes:
    """Return the same as JPEG bytes without any metadata of the original."""
    buffer = io.BytesIO()
    picture = read_thumbnail(source, max_px=max_px)
    picture.info.clear()  # Pillow would write a JPEG's comment again
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
