"""What pictures hold beyond 8 bits a colour is compared too, whatever the file they are in."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from mobisearch.errors import ImageError
from mobisearch.imaging.holdings import Holdings, find_missing

Held = Callable[[bytes], Holdings]
Values = NDArray[np.uint16]

OTHERS = "more than 8 bits a colour (the one kept has others, perhaps)"

MAX_BAND_BYTES = 40_000_000
"""For the values of a quarter of a million pixels in a few forms; those of all would take 72 MB in
the first of them."""

SHAPE = (41, 37)
COLOURS = np.random.default_rng(0).integers(0, 65536, (*SHAPE, 3), dtype=np.uint16)
WITH_ALPHA = np.random.default_rng(1).integers(0, 65536, (*SHAPE, 4), dtype=np.uint16)
GREY = np.random.default_rng(2).integers(0, 65536, SHAPE, dtype=np.uint16)

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Of a PNG by number of colours. Source: W3C PNG, 11.2.1."""


def png_of(values: Values, *, is_filtered: bool = False) -> bytes:
    """Return a PNG of 16 bits a colour, each row as it is or as what it adds to the one above."""
    values = values.reshape(*values.shape[:2], -1)
    rows = values.astype(">u2").view(np.uint8).reshape(len(values), -1)  # (h, bytes of a row)
    if is_filtered:
        rows = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    kind = b"\2" if is_filtered else b"\0"
    height, width, n_colours = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[n_colours], 0, 0, 0)
    pixels = zlib.compress(b"".join(kind + row.tobytes() for row in rows))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", pixels),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def tiff_of(values: Values, *, order: str = "<", is_deflated: bool = False) -> bytes:
    """Return a TIFF of one strip. Source: TIFF 6.0, sections 2 to 6 and 18."""
    values = values.reshape(*values.shape[:2], -1)
    height, width, n_colours = values.shape
    pixels = values.astype(f"{order}u2").tobytes()
    if is_deflated:
        pixels = zlib.compress(pixels)
    depths = struct.pack(f"{order}{n_colours}H", *[16] * n_colours)
    start = 8 + len(depths)
    numbers = {
        256: width,
        257: height,
        259: 8 if is_deflated else 1,
        262: 1 if n_colours == 1 else 2,
        273: start,
        277: n_colours,
        278: height,
        279: len(pixels),
    }
    entries = {tag: struct.pack(f"{order}HHII", tag, 4, 1, n) for tag, n in numbers.items()}
    entries[258] = (
        struct.pack(f"{order}HHII", 258, 3, n_colours, 8)
        if n_colours > 2
        else struct.pack(f"{order}HHI4s", 258, 3, n_colours, depths)
    )
    if n_colours == 4:
        entries[338] = struct.pack(f"{order}HHIHH", 338, 3, 1, 2, 0)
    place = start + len(pixels)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, place)
    directory = struct.pack(f"{order}H", len(entries))
    directory += b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return head + depths + pixels + directory


def heif_of(values: Values) -> bytes:
    buffer = io.BytesIO()
    height, width, _ = values.shape
    made = pillow_heif.from_bytes(mode="RGB;16", size=(width, height), data=values.tobytes())
    made.save(buffer, quality=-1)
    return buffer.getvalue()


def saved(kind: str, picture: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def finest(values: Values) -> Values:
    """Return values that differ in their last bit, and in no more."""
    return values ^ np.uint16(1)


def coarse(values: Values) -> Values:
    """Return the form of 8 bits, as programs put it into 16."""
    return values // 256 * 257


MAKERS: dict[str, tuple[Callable[[Values], bytes], Values]] = {
    "PNG": (png_of, COLOURS),
    "filtered PNG": (lambda values: png_of(values, is_filtered=True), COLOURS),
    "PNG with alpha": (png_of, WITH_ALPHA),
    "grey PNG": (png_of, GREY),
    "grey PNG with alpha": (png_of, WITH_ALPHA[..., :2]),
    "TIFF": (tiff_of, COLOURS),
    "TIFF of the other order": (lambda values: tiff_of(values, order=">"), COLOURS),
    "deflated TIFF": (lambda values: tiff_of(values, is_deflated=True), COLOURS),
    "deflated TIFF of the other order": (
        lambda values: tiff_of(values, order=">", is_deflated=True),
        COLOURS,
    ),
    "TIFF with alpha": (tiff_of, WITH_ALPHA),
    "grey TIFF": (tiff_of, GREY),
    "grey TIFF of the other order": (lambda values: tiff_of(values, order=">"), GREY),
    "HEIF": (heif_of, COLOURS),
    "grey JPEG 2000": (lambda values: saved("JPEG2000", Image.fromarray(values)), GREY),
    "float": (lambda values: saved("TIFF", Image.fromarray(values / np.float32(65536))), GREY),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_other_values_beyond_eight_bits_are_missed(held: Held, kind: str) -> None:
    make, values = MAKERS[kind]
    change = coarse if kind == "HEIF" else finest  # which has 10 bits, of 16 given to it
    true, other = held(make(values)), held(make(change(values)))
    assert true.is_deep
    assert find_missing(true, other) == OTHERS
    assert find_missing(true, true) == ""


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind not in ("HEIF", "float")])
def test_what_eight_bits_would_do_for_is_not_missed_in_another_deep_file(
    held: Held, kind: str
) -> None:
    make, values = MAKERS[kind]
    true = held(make(values))
    for plain in (coarse(values), values // 256 * 256):
        assert find_missing(held(make(plain)), true) == ""
        assert find_missing(true, held(make(plain))) == OTHERS


SAME = [
    ["PNG", "filtered PNG", "TIFF", "TIFF of the other order", "deflated TIFF"],
    ["PNG", "deflated TIFF of the other order"],
    ["PNG with alpha", "TIFF with alpha"],
    ["grey PNG", "grey TIFF", "grey TIFF of the other order", "grey JPEG 2000"],
]


@pytest.mark.parametrize("kinds", SAME)
def test_the_same_values_in_another_form_are_not_missed(held: Held, kinds: list[str]) -> None:
    made = [held(make(values)) for make, values in map(MAKERS.__getitem__, kinds)]
    assert len({each.depth for each in made}) == 1
    for first in made:
        for second in made:
            assert find_missing(first, second) == ""


def test_depths_of_small_numbers_are_not_all_alike(held: Held) -> None:
    near = np.full(SHAPE, 500, dtype=np.uint16)
    far = near.copy()
    far[10:20, 10:20] += 40
    assert find_missing(held(png_of(near)), held(png_of(far))) == OTHERS


def test_where_values_cannot_be_had_others_are_taken_for_others(held: Held) -> None:
    first, second = (b"P6 2 2 65535\n" + bytes(range(n, n + 24)) for n in range(2))
    assert find_missing(held(first), held(second)) == OTHERS


def test_eight_bits_are_as_before(held: Held) -> None:
    flat = held(saved("PNG", Image.fromarray((COLOURS >> 8).astype(np.uint8))))
    true = held(png_of(COLOURS))
    assert find_missing(true, flat) == "more than 8 bits a colour"
    assert find_missing(flat, true) == ""
    assert flat.depth == ""


@pytest.mark.parametrize("kind", ["PNG", "grey PNG", "grey PNG with alpha", "deflated TIFF"])
def test_damaged_pixels_are_an_error_as_elsewhere(held: Held, kind: str) -> None:
    make, values = MAKERS[kind]
    data = make(values)
    middle = len(data) // 2
    with pytest.raises(ImageError):
        held(data[:middle] + bytes(64) + data[middle + 64 :])


def test_a_large_picture_is_looked_at_a_few_rows_at_a_time(held: Held) -> None:
    values = np.zeros((3000, 2000, 3), dtype=np.uint16)
    values[-1, -1, 0] = 1
    data = tiff_of(values)
    tracemalloc.start()
    try:
        made = held(data)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.depth
    assert peak_bytes < len(data) + MAX_BAND_BYTES
