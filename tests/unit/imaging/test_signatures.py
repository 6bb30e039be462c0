"""What is taken for a picture by its first bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from mobisearch.imaging.formats import PILLOW_FORMATS, readable_formats
from mobisearch.imaging.signatures import START_BYTES, sniff_format


@pytest.mark.parametrize("name", PILLOW_FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_format_that_is_read_is_known_by_its_first_bytes(name: str, mode: str) -> None:
    readable_formats()  # lets Pillow write HEIC
    buffer = io.BytesIO()
    picture = Image.new("RGB", (40, 30), "red").convert(mode)
    picture.save(buffer, name)
    assert sniff_format(buffer.getvalue()[:START_BYTES]) == name


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"8BPS\x00\x01", "Photoshop"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\x00\x00\x00\x18ftypXXXX\x00\x00\x00\x00mif1heic", "HEIF"),
        (b"P4\n40 30\n", "PPM"),
        (b"P6\n# made by\n# two programs\n4000 3000\n255\n", "PPM"),
        (b"MM\x00*\x00\x00\x00\x08", "TIFF"),
    ],
)
def test_what_is_not_read_is_a_picture_too(start: bytes, name: str) -> None:
    assert sniff_format(start) == name


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\xff\xd8",
        b"BMW, invoice of the second of May, 2019, to be paid",
        b"P1 is the first of the plans",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomavc1",
        b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"%PDF-1.7",
        b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X",
        b"(\x00\x00\x00 and forty spaces",
    ],
)
def test_films_and_texts_are_no_pictures(start: bytes) -> None:
    assert sniff_format(start) is None
