"""What EXIF says of how a picture was taken, and of where beyond two numbers: in words as facts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import ExifTags

from mobisearch.imaging import exif
from mobisearch.imaging.facts import MAX_TEXT
from mobisearch.imaging.formats import READ_EXTENSIONS

_PAGE_TEXTS: dict[int, str] = {
    ExifTags.Base.DocumentName: "document name",
    ExifTags.Base.PageName: "page name",
    ExifTags.Base.CameraSerialNumber: "serial number",
}
_DETAILS: dict[int, str] = {
    ExifTags.Base.ExposureTime: "exposure time",
    ExifTags.Base.FNumber: "aperture",
    ExifTags.Base.ISOSpeedRatings: "sensitivity",
    ExifTags.Base.FocalLength: "focal length",
    ExifTags.Base.LensModel: "lens",
    ExifTags.Base.BodySerialNumber: "serial number",
    ExifTags.Base.LensSerialNumber: "lens's serial number",
    ExifTags.Base.RelatedSoundFile: "sound recording's name",
    0xFDE8: "author",
    0xFDE9: "serial number",
    0xFDEA: "lens",
}
"""Source: EXIF 3.0, 4.6.5; https://exiftool.org/TagNames/EXIF.html for those from 0xFDE8 on, which
Adobe's programs write."""

_PLACES: dict[int, str] = {
    ExifTags.GPS.GPSAltitude: "altitude",
    ExifTags.GPS.GPSImgDirection: "direction",
    ExifTags.GPS.GPSAreaInformation: "area's name",
}

_CHARSETS = {b"ASCII\0\0\0": "utf-8", b"UNICODE\0": "utf-16", b"\0" * 8: "utf-8"}
"""How EXIF says what a comment is written in. Source: EXIF 2.32, 4.6.5, tag 0x9286."""


def read_taking(
    tags: Mapping[int, Any], details: Mapping[int, Any], position: Mapping[int, Any]
) -> Iterator[tuple[str, object]]:
    """Yield names of facts and their values.

    Args:
        tags: of the first directory of EXIF.
        details: of the one named after EXIF.
        position: of the one of GPS.
    """
    for number, name in _PAGE_TEXTS.items():
        text = exif.clean_text(tags.get(number))
        if os.path.splitext(text)[1].lower() not in READ_EXTENSIONS:  # programs write where it was
            yield name, text
    for number, name in _DETAILS.items():
        yield name, _text_of(details.get(number))
    for number, name in _PLACES.items():
        yield name, _text_of(position.get(number))
    yield "position's time", _time_of(position)


def comment_text(value: object) -> str:
    """Return a text that begins with what it is written in, as comments do."""
    if isinstance(value, bytes) and value[:8] in _CHARSETS:
        charset = _CHARSETS[value[:8]]
        if charset == "utf-16" and value[8:10] not in (b"\xff\xfe", b"\xfe\xff"):
            # Both orders are found, and most comments have characters below 256.
            charset = "utf-16-le" if value[9:10] == b"\0" else "utf-16-be"
        value = value[8:].decode(charset, "replace")
    return exif.clean_text(value, MAX_TEXT)


def _text_of(value: object) -> str:
    return comment_text(value) if value is None or isinstance(value, bytes | str) else str(value)


def _time_of(position: Mapping[int, Any]) -> str:
    """Return when the satellites were heard, in universal time, as far as that is told."""
    day = exif.clean_text(position.get(ExifTags.GPS.GPSDateStamp)).replace(":", "-")
    try:
        hours, minutes, seconds = (int(part) for part in position[ExifTags.GPS.GPSTimeStamp])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return day
    time = f"{hours:02}:{minutes:02}:{seconds:02}"
    return f"{day}T{time}Z" if day else time
