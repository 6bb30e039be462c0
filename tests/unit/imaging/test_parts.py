"""What is inside files and not read elsewhere: it counts, unless the other file has the same."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from mobisearch.imaging.holdings import Holdings, find_missing
from mobisearch.imaging.parts import find_parts
from mobisearch.imaging.segments import iter_jpeg_segments, iter_tiff_tags

Held = Callable[[bytes], Holdings]

PICTURE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
).resize((64, 48))

NOISE = np.random.default_rng(1).bytes(60_000)

MAX_SECONDS = 5
"""For a hostile file that is read in a moment; much more would be one that is walked for ever."""


def saved(kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, kind, **options)
    return buffer.getvalue()


def with_segments(number: int, *contents: bytes) -> bytes:
    plain = saved()
    segments = b"".join(
        bytes((0xFF, 0xE0 + number)) + struct.pack(">H", len(content) + 2) + content
        for content in contents
    )
    return plain[:2] + segments + plain[2:]


def in_order(*segments: tuple[int, bytes]) -> bytes:
    """Return a JPEG with segments of several numbers."""
    data = saved()
    for number, content in reversed(segments):
        data = data[:2] + with_segments(number, content)[2 : 6 + len(content)] + data[2:]
    return data


def with_chunk(name: bytes, content: bytes, *, copies: int = 1) -> bytes:
    plain = saved("PNG")
    place = plain.index(b"IDAT") - 4
    made = struct.pack(">I", len(content)) + name + content
    made += struct.pack(">I", zlib.crc32(name + content))
    return plain[:place] + made * copies + plain[place:]


def with_riff_chunk(name: bytes, content: bytes) -> bytes:
    plain = saved("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")  # with it comes VP8X
    made = name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    body = plain[8:] + made
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_tags(*tags: tuple[int, int, Any]) -> bytes:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for number, kind, value in tags:
        directory.tagtype[number] = kind
        directory[number] = value
    return saved("TIFF", tiffinfo=directory)


def resources(*each: tuple[int, bytes], is_even: bool = True) -> bytes:
    return b"".join(
        b"8BIM"
        + struct.pack(">HHI", number, 0, len(content))
        + content
        + b"\0" * (len(content) % 2 if is_even else 0)
        for number, content in each
    )


COUNTING: dict[str, tuple[bytes, str]] = {
    "heat": (
        with_segments(1, *(b"FLIR\0\1" + bytes((n, 2)) + NOISE[n:] for n in range(3))),
        "more inside it (APP1 FLIR, 180 kB)",
    ),
    "heat without a name": (with_segments(3, b"\x90\x01" + NOISE), "more inside it (APP3, 60 kB)"),
    "credentials": (
        with_segments(11, b"JP\0\1\0\0\0\1" + NOISE),
        "more inside it (APP11 JUMBF, 60 kB)",
    ),
    "light": (
        with_segments(11, b"HDR_RI ver=11" + NOISE[:5000]),
        "more inside it (APP11 HDR_RI, 5 kB)",
    ),
    "sound": (with_segments(2, b"FPXR\0\2" + NOISE), "more inside it (APP2 FPXR, 60 kB)"),
    "sound beside a preview": (
        with_segments(
            2,
            b"FPXR\0\1\0\2" + "Screen Nail, Audio Stream".encode("utf-16-le"),
            b"FPXR\0\2" + NOISE,
        ),
        "more inside it (APP2 FPXR, 60 kB)",
    ),
    "what is behind a preview that has ended": (
        in_order((3, b"\xff\xd8\xff\xdb" + NOISE[:500] + b"\xff\xd9"), (4, b"\1\2" + NOISE)),
        "more inside it (APP4, 60 kB)",
    ),
    "heat behind a preview": (
        in_order((2, b"\xff\xd8\xff\xdb" + NOISE[:500]), (3, b"\1\2" + NOISE)),
        "more inside it (APP3, 60 kB)",
    ),
    "Fireworks": (with_chunk(b"mkBT", NOISE), "more inside it (chunk mkBT, 60 kB)"),
    "chunks": (with_chunk(b"maZQ", NOISE[:3000], copies=2), "more inside it (chunk maZQ, 6 kB)"),
    "WebP": (with_riff_chunk(b"ABCD", NOISE), "more inside it (chunk ABCD, 60 kB)"),
    "layers": (with_tags((37724, 7, b"Adobe Photoshop Document Data Block\0" + NOISE)), "layers"),
    "a place on a map": (with_tags((33550, 12, (1.0, 1.0, 0.0))), "a geographic reference"),
    "keys of a map": (with_tags((34735, 3, (1, 1, 0, 0))), "a geographic reference"),
    "bands": (with_tags((42112, 2, "<GDALMetadata/>")), "data of GDAL"),
    "a tag": (with_tags((65000, 7, NOISE)), "more inside it (tag 65000, 60 kB)"),
    "a large tag": (
        with_tags((65000, 7, NOISE * 30)),
        "more inside it (tag 65000, 1.8 MB)",
    ),
    "a shape": (
        with_segments(13, b"Photoshop 3.0\0" + resources((1036, b"x" * 5), (2000, b"a" * 52))),
        "paths",
    ),
    "a shape behind an odd length": (
        with_segments(
            13,
            b"Photoshop 3.0\0" + resources((1036, b"x" * 5), is_even=False),
            b"Photoshop 3.0\0" + resources((2000, b"a" * 52)),
        ),
        "paths",
    ),
    "a shape in a TIFF": (with_tags((34377, 1, resources((2001, b"a" * 52)))), "paths"),
}


@pytest.mark.parametrize("kind", COUNTING)
def test_what_is_not_known_to_be_harmless_counts(held: Held, kind: str) -> None:
    data, words = COUNTING[kind]
    made = held(data)
    assert find_missing(made, held(saved())) == words
    assert find_missing(held(saved()), made) == ""


@pytest.mark.parametrize("kind", COUNTING)
def test_what_the_other_file_has_too_is_not_missed(held: Held, kind: str) -> None:
    made = held(COUNTING[kind][0])
    again = Holdings(format="PNG", parts=frozenset(made.parts))
    assert find_missing(made, again) == ""


def test_another_of_its_kind_is_not_the_same(held: Held) -> None:
    first, second = (
        held(with_segments(1, b"FLIR\0" + bytes((n,)) * 9000, b"FLIR\0" + NOISE)) for n in range(2)
    )
    assert find_missing(first, second) == "more inside it (APP1 FLIR, 69 kB)"
    assert find_missing(first, first) == ""


def bare_tiff(order: str, scale: float) -> bytes:
    """Return a TIFF of nothing but a map's scale and keys, in an order of bytes."""
    place = 8 + 2 + 2 * 12 + 4
    entries = struct.pack(f"{order}HHII", 33550, 12, 3, place)
    entries += struct.pack(f"{order}HHIHH", 34735, 3, 2, 7, 8)
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, 2)
    return start + entries + bytes(4) + struct.pack(f"{order}3d", scale, scale, 0)


def test_the_same_place_on_a_map_is_the_same_in_either_order_of_bytes() -> None:
    image = Image.new("RGB", (9, 9))
    image.format = "TIFF"
    little, big, other = (
        find_parts(bare_tiff(order, scale), image)
        for order, scale in (("<", 0.5), (">", 0.5), (">", 0.6))
    )
    assert little == big != other
    assert len(little) == len(other) == 1


HARMLESS: dict[str, bytes] = {
    "a thumbnail": with_segments(0, b"JFXX\0\x10" + NOISE),
    "a preview": with_segments(2, b"\xff\xd8\xff\xdb" + NOISE, NOISE),
    "a preview with a name": with_segments(2, b"BGTH\xff\xd8\xff\xdb" + NOISE),
    "a preview in several kinds": in_order(
        (3, b"\xff\xd8\xff\xdb" + NOISE), (4, NOISE), (5, NOISE + b"\xff\xd9\0")
    ),
    "a preview in FlashPix": with_segments(
        2, b"FPXR\0\1\0\1" + "/\5Screen Nail_bd01".encode("utf-16-le"), b"FPXR\0\2" + NOISE
    ),
    "notes of a phone": in_order(
        (4, b"Qualcomm Camera Debug\0" + NOISE),
        (5, b"\x1dQualcomm Camera Attributes v2" + NOISE),
        (6, b"QTI Debug Metadata\0" + NOISE),
    ),
    "a curve of light": with_segments(10, b"AROT\0\0" + NOISE[:9000]),
    "an index of previews": with_segments(2, b"MPF\0II*\0" + NOISE[:9000]),
    "a profile": with_segments(2, b"ICC_PROFILE\0\1\1" + NOISE),
    "thumbnails of Photoshop": with_segments(
        13, b"Photoshop 3.0\0" + resources((1036, NOISE[:30_000]), (1085, NOISE[:20_000]))
    ),
    "a colour table": with_segments(13, b"Adobe_CM\0" + NOISE),
    "save for web": with_segments(12, b"Ducky\0\1\0\4\0\0\0\x3c" + NOISE[:5000]),
    "Adobe": with_segments(14, b"Adobe\0d\0\0\0\0\1"),
    "notes of a camera": with_segments(7, b"HUAWEI\0\0" + NOISE),
    "a place to begin at": with_segments(4, b"SCALADO\0" + NOISE),
    "a little of anything": with_segments(5, b"Times\0" + NOISE[:3000]),
    "a little in a PNG": with_chunk(b"maZQ", NOISE[:3000]),
    "how to decode a PNG": with_chunk(b"iDOT", NOISE),
    "a small form in a PNG": with_chunk(b"prVW", NOISE),
    "a little in a WebP": with_riff_chunk(b"ABCD", b"abc"),
    "a little in a TIFF": with_tags((65000, 7, NOISE[:3000])),
    "no layers": with_tags((37724, 7, b"Adobe Photoshop Document Data Block\0" + bytes(900))),
    "notes in a TIFF": with_tags((37500, 7, NOISE)),
}


@pytest.mark.parametrize("kind", HARMLESS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of the index that is none
def test_what_programs_and_cameras_leave_by_themselves_is_nothing(kind: str) -> None:
    data = HARMLESS[kind]
    image = Image.new("RGB", (9, 9))
    for start, name in ((b"\xff\xd8", "JPEG"), (b"\x89P", "PNG"), (b"RI", "WEBP"), (b"II", "TIFF")):
        if data.startswith(start):
            image.format = name
    assert image.format
    assert find_parts(data, image) == frozenset()


def test_segments_behind_the_first_pixels_are_seen(held: Held) -> None:
    plain = saved(progressive=True)
    place = plain.rindex(b"\xff\xda")
    segment = b"\xff\xe1" + struct.pack(">H", 60_002) + NOISE
    made = held(plain[:place] + segment + plain[place:])
    assert find_missing(made, held(saved())) == "more inside it (APP1, 60 kB)"


def test_tags_of_the_larger_form_of_tiff_are_read(held: Held) -> None:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory.tagtype[65000] = 7
    directory[65000] = NOISE
    made = held(saved("TIFF", tiffinfo=directory, big_tiff=True))
    assert find_missing(made, held(saved())) == "more inside it (tag 65000, 60 kB)"


def test_a_file_of_tags_that_lie_over_one_another_is_read_in_a_moment() -> None:
    n_tags = 60_000
    entries = b"".join(struct.pack("<HHII", 65000, 7, 20_000_000, 8) for _ in range(n_tags))
    data = b"II*\0" + struct.pack("<IH", 8, n_tags) + entries + bytes(20_000_000)
    started = time.monotonic()
    assert len(list(iter_tiff_tags(data))) == 1
    assert time.monotonic() - started < MAX_SECONDS


def test_a_file_of_nothing_but_segments_ends() -> None:
    data = b"\xff\xd8" + b"\xff\xe1\0\2" * 500_000
    started = time.monotonic()
    assert len(list(iter_jpeg_segments(data))) == 100_000
    assert time.monotonic() - started < MAX_SECONDS


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(COUNTING)), st.integers(0, 100_000), st.binary(max_size=6))
def test_whatever_is_in_a_file_nothing_is_raised(kind: str, place: int, junk: bytes) -> None:
    data = COUNTING[kind][0]
    place %= len(data)
    for changed in (data[:place], data[:place] + junk + data[place + len(junk) :]):
        image = Image.new("RGB", (9, 9))
        for name in ("JPEG", "PNG", "WEBP", "TIFF"):
            image.format = name
            find_parts(changed, image)
