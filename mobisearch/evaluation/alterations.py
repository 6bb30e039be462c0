"""What people do to photos: twelve ways to make an altered copy, each the same on every run."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageOps

Alteration: TypeAlias = Callable[[Image.Image], tuple[Image.Image, int]]
"""From an upright RGB picture to the altered one, and the JPEG quality to save it with."""

_QUALITY = 90


def crop(photo: Image.Image, share: float, x: float, y: float) -> Image.Image:
    """Return a part with this share of the area; x and y from 0 to 1 say where it lies."""
    width, height = (max(1, round(side * share**0.5)) for side in photo.size)
    left, top = round((photo.width - width) * x), round((photo.height - height) * y)
    return photo.crop((left, top, left + width, top + height))


def resize(photo: Image.Image, factor: float) -> Image.Image:
    """Return the photo with its sides multiplied by a factor."""
    size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
    return photo.resize(size, Image.Resampling.LANCZOS)


def caption(photo: Image.Image) -> Image.Image:
    """Return the photo with a dark bar and white text over its lower sixth."""
    changed = photo.copy()
    draw = ImageDraw.Draw(changed)
    top = photo.height * 5 // 6
    draw.rectangle((0, top, photo.width, photo.height), fill="black")
    draw.text((photo.width // 20, top + 4), "A caption over the picture", fill="white")
    return changed


def border(photo: Image.Image) -> Image.Image:
    """Return the photo with a white border of a tenth of its shorter side."""
    return ImageOps.expand(photo, min(photo.size) // 10, "white")


ALTERATIONS: Mapping[str, Alteration] = MappingProxyType(
    {
        "recompressed, JPEG quality 30": lambda photo: (photo, 30),
        "resized to half": lambda photo: (resize(photo, 0.5), _QUALITY),
        "resized to a quarter": lambda photo: (resize(photo, 0.25), _QUALITY),
        "cropped to half the area, middle": lambda photo: (crop(photo, 0.5, 0.5, 0.5), _QUALITY),
        "cropped to half the area, a corner": lambda photo: (crop(photo, 0.5, 0.0, 1.0), _QUALITY),
        "cropped to a quarter of the area, middle": lambda photo: (
            crop(photo, 0.25, 0.5, 0.5),
            _QUALITY,
        ),
        "white border of a tenth": lambda photo: (border(photo), _QUALITY),
        "caption over the lower sixth": lambda photo: (caption(photo), _QUALITY),
        "grey": lambda photo: (ImageOps.grayscale(photo).convert("RGB"), _QUALITY),
        "mirrored": lambda photo: (ImageOps.mirror(photo), _QUALITY),
        "rotated by 90 degrees": lambda photo: (
            photo.transpose(Image.Transpose.ROTATE_90),
            _QUALITY,
        ),
        "upside down": lambda photo: (photo.transpose(Image.Transpose.ROTATE_180), _QUALITY),
    }
)


def alter(photo: Image.Image, alteration: Alteration) -> bytes:
    """Return an altered copy of an upright RGB picture as JPEG bytes."""
    picture, quality = alteration(photo)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
