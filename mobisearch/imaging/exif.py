"""What EXIF says of a picture: orientation, when, with what, where. Damaged EXIF says nothing."""

from __future__ import annotations

import contextlib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

_MAX_TEXT = 200
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d", re.ASCII)

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a stored picture upright, by EXIF orientation. Source: EXIF 2.32, tag 0x0112."""

SWAPPING_TURNS = frozenset(_TRANSPOSE[orientation] for orientation in (5, 6, 7, 8))
"""The turns after which width is height."""


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """The EXIF values that the catalog keeps; see :class:`mobisearch.types.ImageFacts`."""

    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def read_tags(image: Image.Image) -> Mapping[int, Any]:
    """Return the EXIF tags of an opened picture, empty where there are none or they are damaged."""
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - damaged EXIF raises a dozen kinds; the pixels may be fine
        return {}


def read_turn(tags: Mapping[int, Any]) -> Image.Transpose | None:
    """Return what turns the stored picture upright; None for nothing, or an unknown orientation."""
    try:
        return _TRANSPOSE.get(tags.get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - a damaged tag can be anything, unhashable too
        return None


def read_facts(tags: Mapping[int, Any]) -> ExifFacts:
    """Return date, camera and position, each None where absent or nonsensical."""
    details = _directory(tags, ExifTags.IFD.Exif)
    position = _directory(tags, ExifTags.IFD.GPSInfo)
    latitude = _degrees(position, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    longitude = _degrees(
        position, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180
    )
    if latitude is None or longitude is None:
        latitude = longitude = None
    return ExifFacts(_date(tags, details), _camera(tags), latitude, longitude)


def _directory(tags: Mapping[int, Any], which: int) -> Mapping[int, Any]:
    try:
        return tags.get_ifd(which) if isinstance(tags, Image.Exif) else {}
    except Exception:  # noqa: BLE001 - see read_tags
        return {}


def clean_text(value: Any, max_chars: int = _MAX_TEXT) -> str:
    """Return printable text without control characters, cut to a length; "" for anything else.

    EXIF text is ASCII by its standard and UTF-8 in many cameras; Pillow reads it as Latin-1.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    clean = "".join(c for c in value if unicodedata.category(c)[0] != "C")
    return " ".join(clean.split())[:max_chars]


def read_date_taken(details: Mapping[int, Any]) -> str | None:
    """Return when the picture was taken or scanned, by its Exif directory: never when changed."""
    return _first_date(
        details,
        (details.get(ExifTags.Base.DateTimeOriginal), ExifTags.Base.OffsetTimeOriginal),
        (details.get(ExifTags.Base.DateTimeDigitized), ExifTags.Base.OffsetTimeDigitized),
    )


def _date(tags: Mapping[int, Any], details: Mapping[int, Any]) -> str | None:
    changed = (tags.get(ExifTags.Base.DateTime), ExifTags.Base.OffsetTime)
    return read_date_taken(details) or _first_date(details, changed)


def _first_date(details: Mapping[int, Any], *candidates: tuple[Any, int]) -> str | None:
    for value, offset_tag in candidates:
        try:
            date = datetime.strptime(clean_text(value)[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - EXIF
        except ValueError:
            continue
        offset = clean_text(details.get(offset_tag))
        return date.isoformat() + (offset if _OFFSET.fullmatch(offset) else "")
    return None


def _camera(tags: Mapping[int, Any]) -> str | None:
    make, model = (
        clean_text(tags.get(ExifTags.Base.Make)),
        clean_text(tags.get(ExifTags.Base.Model)),
    )
    if model.lower().startswith(make.lower()):
        return model or None
    return f"{make} {model}".strip()


def _degrees(
    position: Mapping[int, Any], value_tag: int, side_tag: int, negative: str, limit: int
) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in position[value_tag])
        value = degrees + minutes / 60 + seconds / 3600
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if not math.isfinite(value) or not 0 <= value <= limit:
        return None
    return round(-value if clean_text(position.get(side_tag)).upper() == negative else value, 7)
