"""What a file holds beside its pictures: a film, a second picture, depth, mostly behind the end.

What else is between the pieces of a file is found in ``parts``.

Nothing here decodes; films and pictures are known by the marks that they begin with.
"""

from __future__ import annotations

import re

from PIL import Image

from mobisearch.imaging.annotations import extended_xmp
from mobisearch.imaging.parts import MIN_UNKNOWN_BYTES
from mobisearch.imaging.segments import iter_jpeg_segments

FILM = "a film inside"
SECOND_PICTURE = "a second picture"
DEPTH = "a depth map"
BRIGHTNESS = "a map for bright screens"
SOUND = "sound"
UNKNOWN = "more behind its end"

_FILM = re.compile(rb"\x00\x00[\x00-\x03][\x08-\xff]ftyp", re.DOTALL)
"""The first box of an MP4 or QuickTime file. Source: ISO/IEC 14496-12, 4.3."""

_JPEG = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]", re.DOTALL)
_MAX_BOXES = 100_000
"""Boxes that are looked at; no photo has that many."""

_PNG_END = b"IEND\xaeB`\x82"
_PADDING = b"\0\xff \r\n\t"

_IN_XMP = {b"GDepth:Data": DEPTH, b"GImage:Data": SECOND_PICTURE, b"GAudio:Data": SOUND}
"""What cameras put into XMP, as base64. Source: Google's depth map and panorama metadata."""


def find_attachments(data: bytes, image: Image.Image) -> frozenset[str]:
    """Say what a file holds beside its pictures, in words.

    Args:
        data: the whole file.
        image: opened from it.
    """
    xmp = image.info.get("xmp")
    packets = (extended_xmp(image), xmp if isinstance(xmp, bytes) else b"")
    found = {name for mark, name in _IN_XMP.items() if any(mark in each for each in packets)}
    found |= _in_container(image)
    rest = data[_end_of(data, image) :]
    film = _FILM.search(rest)
    if film is not None or (image.format in ("HEIF", "AVIF") and rest):
        found.add(FILM)
    if image.format == "MPO":  # what is behind the first picture are the others
        return frozenset(found)
    before = rest[: film.start()] if film is not None else rest
    if _JPEG.search(before):
        found.add(SECOND_PICTURE)
    elif film is None and len(before.strip(_PADDING)) >= MIN_UNKNOWN_BYTES:
        found.add(UNKNOWN)
    return frozenset(found)


def _in_container(image: Image.Image) -> set[str]:
    """Say what a HEIF file has beside its pictures."""
    found = {DEPTH} if image.info.get("depth_images") else set()
    kinds = image.info.get("aux")
    if isinstance(kinds, dict) and any("hdrgainmap" in str(kind).lower() for kind in kinds):
        found.add(BRIGHTNESS)
    return found


def _end_of(data: bytes, image: Image.Image) -> int:
    """Return where a picture ends, the end of the file where that cannot be told."""
    if image.format in ("JPEG", "MPO"):
        return _end_of_jpeg(data)
    if image.format == "PNG":
        place = data.find(_PNG_END)
        return len(data) if place < 0 else place + len(_PNG_END)
    if image.format == "WEBP":
        return 8 + int.from_bytes(data[4:8], "little")
    if image.format in ("HEIF", "AVIF"):
        return _start_of_film_box(data)
    return len(data)


def _end_of_jpeg(data: bytes) -> int:
    *_, (_, _, end) = iter_jpeg_segments(data)
    return end


def _start_of_film_box(data: bytes) -> int:
    """Return where the box begins in which phones put a film, among the boxes of a HEIF file."""
    place = 0
    for _ in range(_MAX_BOXES):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind == b"mpvd":
            return place + 8
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        if size < 8:  # 0: to the end of the file
            break
        place += size
    return len(data)
