"""What the older form of press metadata says of a picture: IPTC-IIM."""

from __future__ import annotations

from collections.abc import Iterator

from mobisearch.imaging.facts import decode_text

_TEXTS = {
    (2, 5): "title",
    (2, 15): "category",
    (2, 20): "category",
    (2, 25): "keywords",
    (2, 40): "instructions",
    (2, 55): "date taken",
    (2, 80): "author",
    (2, 90): "place",
    (2, 92): "place",
    (2, 95): "place",
    (2, 100): "place",
    (2, 101): "place",
    (2, 105): "title",
    (2, 110): "credit",
    (2, 115): "source",
    (2, 116): "copyright",
    (2, 120): "description",
}
"""Source: IPTC-NAA Information Interchange Model 4.2, record 2."""

_MARK = 0x1C
_EXTENDED = 0x8000
_MAX_LENGTH_BYTES = 4


def read_iptc(block: bytes) -> Iterator[tuple[str, object]]:
    """Yield names of facts and their values.

    Raises:
        ValueError: it is damaged. What stands before has been given.

    Source: IPTC-NAA Information Interchange Model 4.2, 1.5.
    """
    place, end = 0, len(block.rstrip(b"\0"))
    while place < end:
        head = block[place : place + 5]
        if len(head) < 5 or head[0] != _MARK:
            raise ValueError("no data set of IPTC")
        key, length = (head[1], head[2]), int.from_bytes(head[3:], "big")
        place += 5
        if length & _EXTENDED:
            n_bytes = length - _EXTENDED
            if n_bytes > _MAX_LENGTH_BYTES:
                raise ValueError("a data set of IPTC without end")
            length = int.from_bytes(block[place : place + n_bytes], "big")
            place += n_bytes
        if place + length > len(block):
            raise ValueError("a data set of IPTC beyond the end")
        if name := _TEXTS.get(key):
            yield name, decode_text(block[place : place + length])
        place += length
