"""What colours a picture's embedded profile is for, by the profile's own description."""

from __future__ import annotations

import re
import struct

_DEFAULT = re.compile(
    r"\bs ?rgb|61966-2[-.]1|\bc2(ci)?\b|\burgb|gr[ae]y gamma 2\.2|gamma 2\.2 gr[ae]y|\bsgr[ae]?y",
    re.IGNORECASE,
)
"""In descriptions of sRGB, and of grey as light as sRGB: what a picture without a profile has."""

_MAX_TAGS = 1000


def read_profile_name(profile: bytes) -> str:
    """Return the description of an ICC profile; empty for sRGB and its like.

    Source: ICC.1:2022, 7.3 and 9.2.41; ICC.1:2001-04, 6.5.17.
    """
    try:
        name = _description(profile)
    except (struct.error, UnicodeDecodeError):
        name = ""
    name = " ".join(name.replace("\0", " ").split())
    if not name:
        return "one that cannot be read"
    return "" if _DEFAULT.search(name) else name


def _description(profile: bytes) -> str:
    (n_tags,) = struct.unpack_from(">I", profile, 128)
    for number in range(min(n_tags, _MAX_TAGS)):
        signature, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if signature != b"desc":
            continue
        tag = profile[offset : offset + size]
        if tag[:4] == b"mluc":
            length, place = struct.unpack_from(">II", tag, 20)
            return tag[place : place + length].decode("utf-16-be")
        (length,) = struct.unpack_from(">I", tag, 8)
        return tag[12 : 12 + length].decode("latin-1")
    return ""
