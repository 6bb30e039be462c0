"""What tests of the second look share: photos, pictures as callers prepare them, a whole look."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from mobisearch.duplicates.verification import (
    CLOSE_PX,
    THUMBNAIL_PX,
    THUMBNAIL_QUALITY,
    Picture,
    Prepared,
    look,
    look_closer,
    needs_closer_look,
    prepare,
)
from mobisearch.types.duplicates import Relation

PHOTO_PX = 600


def shipped(folder: Path) -> dict[str, Image.Image]:
    """Return the photographs of the repository, at a size that is quickly altered."""
    found = {}
    for path in sorted(folder.glob("*.jpg")):
        photo = Image.open(path).convert("RGB")
        photo.thumbnail((PHOTO_PX, PHOTO_PX), Image.Resampling.LANCZOS)
        found[path.stem] = photo
    return found


def look_at(image: Image.Image, px: int = THUMBNAIL_PX, **facts: str) -> Prepared:
    """Prepare a picture from a thumbnail, as a catalog keeps it."""
    small = image.copy()
    small.thumbnail((px, px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    pixels = np.asarray(Image.open(buffer))
    return prepare(Picture(pixels, image.width, image.height, **facts))


def decide(first: Image.Image, second: Image.Image) -> Relation:
    """Do what callers do: thumbnails first, larger pixels where those cannot settle it."""
    a, b = look_at(first), look_at(second)
    outcome = look(a, b)
    if needs_closer_look(a, b, outcome):
        return look_closer(look_at(first, CLOSE_PX), look_at(second, CLOSE_PX), outcome)
    return outcome.relation
