"""Small pictures for people."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from mobisearch.errors import ImageError
from mobisearch.imaging import read_thumbnail, read_thumbnail_jpeg


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((600, 400), (120, 80)),
        ((400, 600), (80, 120)),
        ((120, 80), (120, 80)),
        ((50, 30), (50, 30)),  # never enlarged
        ((1, 65535), (1, 120)),
        ((65535, 1), (120, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_the_longer_side_is_at_most_what_was_asked(
    size: tuple[int, int], small: tuple[int, int], kind: str
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    thumbnail = read_thumbnail(buffer.getvalue(), max_px=120)
    assert thumbnail.size == small
    assert thumbnail.mode == "RGB"


def test_a_large_jpeg_becomes_small_and_upright() -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    stored = Image.new("RGB", (1600, 800), (0, 0, 255))
    stored.paste((255, 0, 0), (0, 0, 800, 800))  # left, which orientation 6 turns to the top
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", exif=tags)
    thumbnail = read_thumbnail(buffer.getvalue(), max_px=100)
    assert thumbnail.size == (50, 100)
    top, bottom = thumbnail.getpixel((25, 10)), thumbnail.getpixel((25, 90))
    assert top[0] > 200 > 50 > top[2]
    assert bottom[2] > 200 > 50 > bottom[0]


def test_the_jpeg_of_a_thumbnail_carries_nothing_else_from_its_original() -> None:
    secret = b"SECRET of the photographer"
    tags = Image.Exif()
    tags[ExifTags.Base.Artist] = secret.decode()
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(
        buffer, "JPEG", exif=tags, comment=secret, icc_profile=secret * 9, xmp=secret
    )
    assert buffer.getvalue().count(secret) >= 4
    data = read_thumbnail_jpeg(buffer.getvalue(), max_px=100)
    assert b"SECRET" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert image.size == (100, 67)


def test_the_callers_own_picture_stays_as_it_is() -> None:
    image = Image.new("RGB", (300, 200))
    image.info["comment"] = b"mine"
    read_thumbnail_jpeg(image, max_px=10)
    read_thumbnail(np.asarray(image), max_px=10)
    assert image.size == (300, 200)
    assert image.info == {"comment": b"mine"}


def test_what_is_no_picture_is_an_image_error(tmp_path: Path) -> None:
    for source in (b"", b"text", str(tmp_path / "no.jpg"), str(tmp_path)):
        with pytest.raises(ImageError):
            read_thumbnail_jpeg(source, max_px=10)
