"""What Photoshop and its like put into files of other formats: resources, each with a number."""

from __future__ import annotations

from collections.abc import Iterator

IPTC = 0x0404

PATHS = range(2000, 2998)
"""Shapes that somebody drew, to cut out what a picture shows."""

TIFF_TAG = 34377
JPEG_MARK = b"Photoshop 3.0\0"

_MARKS = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
_MAX_RESOURCES = 10_000


def iter_resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers and contents of resources, as far as they can be read.

    Args:
        block: all of them; of a JPEG the contents of its segments one after the other, without
            their marks.

    Source: Adobe Photoshop file formats specification, image resource blocks.
    """
    place = 0
    for _ in range(_MAX_RESOURCES):
        if block[place : place + 4] not in _MARKS:
            place -= 1  # some leave out the byte that makes a length even
            if place < 0 or block[place : place + 4] not in _MARKS:
                return
        number = int.from_bytes(block[place + 4 : place + 6], "big")
        name_bytes = 1 + (block[place + 6] if place + 6 < len(block) else 0)
        place += 6 + name_bytes + name_bytes % 2
        size = int.from_bytes(block[place : place + 4], "big")
        place += 4
        yield number, block[place : place + size]
        place += size + size % 2
