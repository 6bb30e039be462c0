"""What else is inside a picture's file: layers, heat, sound, whatever a program put there.

Whatever is not known to be harmless counts, if it is large enough to be something: a list of what
may be in a file is never complete. Small forms of the picture, notes of cameras to themselves and
what is read elsewhere, such as EXIF, do not count.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mobisearch.imaging import photoshop
from mobisearch.imaging.segments import (
    iter_jpeg_segments,
    iter_png_chunks,
    iter_riff_chunks,
    iter_tiff_tags,
)

MIN_UNKNOWN_BYTES = 4096
"""Less than this are times, numbers and settings that phones and programs leave."""

_GEOGRAPHY = "a geographic reference"
_LAYERS = "layers"
_PATHS = "paths"

_KNOWN_SEGMENTS: dict[int, tuple[bytes, ...]] = {
    0: (b"JFIF\0", b"JFXX\0", b"AVI1", b"II\x1a\0\0\0HEAP", b"MM\0\0\0\x1aHEAP"),
    1: (b"Exif\0", b"http://ns.adobe.com/", b"QVCI\0"),
    2: (b"ICC_PROFILE\0", b"MPF\0", b"urn:iso:std:iso:ts:21496"),
    3: (b"Meta\0", b"META\0", b"Exif\0"),
    4: (b"SCALADO\0",),
    5: (b"RMETA\0", b"ssuniqueid\0"),
    6: (b"EPPIM\0", b"GoPro\0", b"TDHD\x01"),
    7: (b"PENTAX ", b"RICOH\0", b"HUAWEI\0", b"DJI-DBG\0"),
    8: (b"SPIFF\0",),
    10: (b"AROT\0\0",),
    12: (b"Ducky", b"[picture info]"),
    13: (b"Photoshop 3.0\0", b"Adobe_CM", b"Adobe_Photoshop2.5", b"Adobe Photoshop2.5"),
    14: (b"Adobe",),
}
"""How application segments begin that are read elsewhere, or hold small forms of the picture and
notes of cameras. Source: https://exiftool.org/TagNames/JPEG.html."""

_NOTES = re.compile(
    rb"[\0-\x1f]?(Qualcomm (Dual )?Camera |QTI Debug Metadata|OEM Camera Image Data Attributes)",
    re.DOTALL,
)
"""How notes to itself of a camera begin, in whichever segment: of most phones that are not Apple's.
Source: as above; camxjpegexifcomposer.cpp of Qualcomm's camera driver."""

_SMALL_FORM = re.compile(rb"(QVGA\0|BGTH)?\xff\xd8\xff", re.DOTALL)
"""A segment that begins as a JPEG is a preview: of Samsung, Hewlett-Packard, BenQ. What there is no
room for goes on in others of its number, or of the next one of some. Source: as above."""

_GOING_ON = (4, 5)

_END = b"\xff\xd9"

_SOUND = "Audio".encode("utf-16-le")
_SCREEN_FORM = "Screen Nail".encode("utf-16-le")
"""Streams of FlashPix: one is a preview. Source: https://exiftool.org/TagNames/FlashPix.html."""

_NAME = re.compile(rb"([!-~][ -~]{1,39})\0|([A-Za-z][A-Za-z0-9_]{2,31})")
_NAMES = {"APP11 JP": "APP11 JUMBF"}
"""Source: ISO/IEC 19566-5, annex D."""

_KNOWN_CHUNKS = frozenset(
    (
        b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI mDCv cLLi tEXt zTXt iTXt"
        b" bKGD hIST pHYs sPLT eXIf tIME acTL fcTL fdAT oFFs pCAL sCAL gIFg gIFx sTER dSIG"
        b" iDOT CgBI prVW"
    ).split()
)
"""Of the standard, of its extensions, and of two that help to decode and one with a small form.
Source: W3C PNG, 11; Extensions to the PNG Specification 1.5.0."""

_KNOWN_RIFF = frozenset(
    {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "}
)
"""Source: RFC 9649, 2."""

_GEOGRAPHIC_TAGS = frozenset({33550, 33922, 34264, 34735, 34736, 34737})
"""Source: OGC GeoTIFF 1.1, 7.1."""

_NAMED_TAGS = {37724: (_LAYERS, MIN_UNKNOWN_BYTES), 42112: ("data of GDAL", 1)}
"""Names, and from how many bytes on they count. Source: Adobe Photoshop TIFF technical notes,
ImageSourceData; https://gdal.org/drivers/raster/gtiff.html."""

_KNOWN_TAGS = frozenset(
    {
        *range(254, 533),  # TIFF 6.0
        *(700, 33432, 33723, photoshop.TIFF_TAG, 34665, 34675, 34853),  # read elsewhere, or sRGB
        *(18246, 18249, *range(40091, 40096)),  # of Windows
        *(33434, 33437, 34850, 34852, *range(34855, 34870), *range(36864, 37522)),  # EXIF
        *(*range(40960, 42083), 42240),  # EXIF
        *(50341, 50740),  # notes for printers, and of cameras
    }
)
"""Source: TIFF 6.0; EXIF 2.32, 4.6; DNG 1.7, DNGPrivateData."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing inside a file. Two with the same bytes are equal.

    Attributes:
        name: such as ``layers`` or ``APP1 FLIR``.
        n_bytes: its size.
        sha256: of all that is in it.
        is_known: it has a name that people know; else the name is that of its place.
    """

    name: str
    n_bytes: int
    sha256: str
    is_known: bool = False

    def __str__(self) -> str:
        if self.is_known:
            return self.name
        kilobytes = round(self.n_bytes / 1000)
        size = f"{kilobytes:,} kB" if kilobytes < 1000 else f"{kilobytes / 1000:,.1f} MB"
        return f"more inside it ({self.name}, {size})"


def find_parts(data: bytes, image: Image.Image) -> frozenset[Part]:
    """Return what is inside a file and is not read elsewhere; what belongs together as one.

    Args:
        data: the whole file.
        image: opened from it.
    """
    if image.format in ("JPEG", "MPO"):
        return frozenset(_parts_of_jpeg(data))
    if image.format == "PNG":
        return frozenset(_unknown(_without(_KNOWN_CHUNKS, iter_png_chunks(data))))
    if image.format == "WEBP":
        return frozenset(_unknown(_without(_KNOWN_RIFF, iter_riff_chunks(data))))
    if image.format == "TIFF":
        return frozenset(_parts_of_tiff(data))
    return frozenset()


def _parts_of_jpeg(data: bytes) -> Iterator[Part]:
    view = memoryview(data)
    unknown: list[tuple[str, memoryview]] = []
    flashpix: list[tuple[str, memoryview]] = []
    resources: list[bytes] = []
    preview = -2  # the number of the last segment of a preview that has not ended
    for marker, start, end in iter_jpeg_segments(data):
        number = marker - 0xE0
        if not 0 <= number <= 15:
            continue
        if data.startswith(photoshop.JPEG_MARK, start):
            resources.append(data[start + len(photoshop.JPEG_MARK) : end])
        if data.startswith(_KNOWN_SEGMENTS.get(number, ()), start) or _NOTES.match(data, start):
            continue
        goes_on = number == preview or (number == preview + 1 and number in _GOING_ON)
        if _SMALL_FORM.match(data, start) or goes_on:
            has_ended = data[start:end].rstrip(b"\0").endswith(_END)
            preview = -2 if has_ended else number
            continue
        preview = -2
        name = _name_of_segment(number, data[start : min(end, start + 64)])
        (flashpix if data.startswith(b"FPXR\0", start) else unknown).append((name, view[start:end]))
    yield from _unknown(unknown)
    streams = b"".join(content for _, content in flashpix)
    if _SCREEN_FORM not in streams or _SOUND in streams:
        yield from _unknown(flashpix)
    yield from _drawn_paths(b"".join(resources))


def _name_of_segment(number: int, start: bytes) -> str:
    found = _NAME.match(start)
    name = f"APP{number}"
    if found is not None:
        name += f" {(found[1] or found[2]).decode('ascii')}"
    return _NAMES.get(name, name)


def _parts_of_tiff(data: bytes) -> Iterator[Part]:
    geography: list[bytes] = []
    for tag, unit_bytes, content in iter_tiff_tags(data):
        if tag in _GEOGRAPHIC_TAGS:
            geography += [b"%d:" % tag, _in_one_order(data, unit_bytes, content)]
        elif tag in _NAMED_TAGS:
            name, min_bytes = _NAMED_TAGS[tag]
            if len(content) >= min_bytes:
                yield _part(name, [content], is_known=True)
        elif tag == photoshop.TIFF_TAG:
            yield from _drawn_paths(bytes(content))
        elif tag not in _KNOWN_TAGS and len(content) >= MIN_UNKNOWN_BYTES:
            yield _part(f"tag {tag}", [_in_one_order(data, unit_bytes, content)])
    if geography:
        yield _part(_GEOGRAPHY, geography, is_known=True)


def _in_one_order(data: bytes, unit_bytes: int, content: memoryview) -> bytes:
    """Return numbers as they are in a file of the other order of bytes, if this one has that."""
    if data[:2] != b"MM" or unit_bytes < 2:
        return bytes(content)
    whole = content[: len(content) // unit_bytes * unit_bytes]
    return np.frombuffer(whole, f"u{unit_bytes}").byteswap().tobytes()


def _drawn_paths(resources: bytes) -> Iterator[Part]:
    paths = [
        content
        for number, content in photoshop.iter_resources(resources)
        if number in photoshop.PATHS and content
    ]
    if paths:
        yield _part(_PATHS, paths, is_known=True)


def _without(
    known: frozenset[bytes], chunks: Iterable[tuple[bytes, memoryview]]
) -> Iterator[tuple[str, memoryview]]:
    for name, content in chunks:
        if name not in known:
            shown = name.decode("ascii", "replace")
            yield (f"chunk {shown}" if shown.isalnum() else "a chunk"), content


def _unknown(pieces: Iterable[tuple[str, memoryview]]) -> Iterator[Part]:
    """Yield those that are large enough when all of one name are put together."""
    by_name: dict[str, list[memoryview]] = {}
    for name, content in pieces:
        by_name.setdefault(name, []).append(content)
    for name, contents in by_name.items():
        if sum(map(len, contents)) >= MIN_UNKNOWN_BYTES:
            yield _part(name, contents)


def _part(name: str, contents: Iterable[bytes | memoryview], *, is_known: bool = False) -> Part:
    digest, n_bytes = hashlib.sha256(), 0
    for content in contents:
        digest.update(content)
        n_bytes += len(content)
    return Part(name, n_bytes, digest.hexdigest(), is_known)
