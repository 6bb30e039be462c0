"""Texts of a PNG: what people write, and what ImageMagick puts there in hexadecimal digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_NAMES = {
    "title": "title",
    "description": "description",
    "author": "author",
    "copyright": "copyright",
    "comment": "comment",
    "creation time": "date taken",
}
"""Source: W3C PNG, 11.3.3.1. Other keywords are told as text."""

_OF_PROGRAMS = re.compile(
    r"(software|source|warning|disclaimer|signature|icc_profile_name|date:.*|exif:.*|png:.*|"
    r"tiff:.*|icc:.*|xmp:.*|jpeg:.*|thumb::.*|raw profile type.*|xml:.*)",
    re.IGNORECASE,
)
"""What programs write by themselves, and what is read elsewhere."""

_RAW = "raw profile type "
_COLOURS = ("icc", "icm")

_MIN_UNKNOWN_CHARS = 8192
"""Less than these are segments of a JPEG that say nothing of the picture."""


def iter_texts(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names of facts and their values, raw profiles left out."""
    for key, value in texts.items():
        if not _OF_PROGRAMS.fullmatch(key):
            yield _NAMES.get(key.lower(), "text"), value


def iter_raw_profiles(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield kinds of raw profiles, such as ``iptc``, and their text. Colours are left out.

    A kind that is not known is told as ``text`` if it is large.
    """
    for key, value in texts.items():
        if not key.lower().startswith(_RAW):
            continue
        kind = key.lower().removeprefix(_RAW).strip()
        if kind in ("exif", "app1", "xmp", "iptc", "8bim"):
            yield kind, value
        elif kind not in _COLOURS and len(value) >= _MIN_UNKNOWN_CHARS:
            yield "text", value


def decode_raw_profile(text: str) -> bytes:
    """Return the bytes of a raw profile: lines with a name, a length, and hexadecimal digits.

    Raises:
        ValueError: it is damaged.

    Source: ImageMagick, coders/png.c, Magick_png_write_raw_profile.
    """
    _, length, *lines = text.strip().split("\n")
    data = bytes.fromhex("".join(lines))
    if len(data) != int(length):
        raise ValueError("a raw profile of another length")
    return data
