"""The pieces that files of pictures are made of: segments, chunks and tags, as bytes.

What is in them is told elsewhere. Nothing here raises for a damaged file: what there is of it is
given. Nothing is copied; a file of a hundred megabytes costs its pieces only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

END_OF_IMAGE = 0xD9
NO_MORE_MARKERS = 0x00

MAX_PIECES = 100_000
"""Segments and chunks that are looked at; no photo has that many."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
"""What ends a stretch of a JPEG's pixels. Source: ITU-T T.81, B.1.1.2."""

_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that no length follows."""

_UNIT_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
"""Of each type of a tag's values. Source: TIFF 6.0, section 2; 13 and from 16 on: BigTIFF."""

_PARTS_OF_UNIT = {5: 2, 10: 2}
"""Types whose values are two numbers."""


def iter_jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment, and where what is in it begins and ends.

    Ends with ``END_OF_IMAGE``, or with ``NO_MORE_MARKERS`` at the end of the file where that is
    missing, or with neither after ``MAX_PIECES``.
    """
    place = 2
    for _ in range(MAX_PIECES):
        found = _MARKER.search(data, place)
        if found is None:
            yield NO_MORE_MARKERS, len(data), len(data)
            return
        marker, start = data[found.end() - 1], found.end()
        if marker == END_OF_IMAGE:
            yield marker, start, start
            return
        if marker in _ALONE:
            place = start
        else:
            place = start + max(2, int.from_bytes(data[start : start + 2], "big"))
            start += 2
        yield marker, start, place


def iter_png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the name and the content of each chunk, to the end. Source: W3C PNG, 5.3."""
    view, place = memoryview(data), 8
    for _ in range(MAX_PIECES):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if len(name) < 4:
            return
        yield name, view[place + 8 : place + 8 + size]
        if name == b"IEND":
            return
        place += 12 + size


def iter_riff_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the name and the content of each chunk of a WebP file. Source: RFC 9649, 2.3."""
    view, place = memoryview(data)[: 8 + int.from_bytes(data[4:8], "little")], 12
    for _ in range(MAX_PIECES):
        name, size = bytes(view[place : place + 4]), bytes(view[place + 4 : place + 8])
        if len(size) < 4:
            return
        length = int.from_bytes(size, "little")
        yield name, view[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def iter_tiff_tags(data: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """Yield the number, the bytes of a number and the content of each tag of the first page.

    Stops where the tags together have more bytes than the file: they lie over one another.

    Source: TIFF 6.0, section 2; BigTIFF.
    """
    order = ">" if data[:2] == b"MM" else "<"
    is_big = data[2:4] in (b"\x00+", b"+\x00")
    entry, count_format, place_format = ("HHQ8s", "Q", "Q") if is_big else ("HHI4s", "H", "I")
    view, left = memoryview(data), len(data)
    try:
        (place,) = struct.unpack_from(order + place_format, data, 8 if is_big else 4)
        (count,) = struct.unpack_from(order + count_format, data, place)
        place += struct.calcsize(count_format)
        for _ in range(min(count, MAX_PIECES)):
            tag, kind, n_values, inside = struct.unpack_from(order + entry, data, place)
            unit = _UNIT_BYTES[kind] if kind < len(_UNIT_BYTES) else 0
            size = unit * n_values
            if size <= len(inside):
                content = memoryview(inside)[:size]
            else:
                (start,) = struct.unpack(order + place_format, inside)
                content = view[start : start + size]
            left -= len(content)
            if left < 0:
                return
            yield tag, unit // _PARTS_OF_UNIT.get(kind, 1), content
            place += struct.calcsize(order + entry)
    except struct.error:
        return
