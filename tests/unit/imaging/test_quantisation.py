"""By how much a JPEG was rounded, read from its file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from mobisearch.imaging import read_quantisation

GREY = Image.effect_noise((40, 24), 60)


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_steps_of_brightness_are_those_of_the_standard(mode: str) -> None:
    found = read_quantisation(saved(GREY.convert(mode), quality=50))
    assert found is not None
    assert found.steps[0].tolist() == [16, 11, 10, 16, 24, 40, 51, 61]  # ITU-T T.81, table K.1
    assert found.steps[:, 0].tolist() == [16, 12, 14, 14, 18, 24, 49, 72]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_lies_in_the_file_as_it_was_before_it_was_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = np.arange(24 * 40 * 3, dtype=np.uint8).reshape(24, 40, 3)
    found = read_quantisation(saved(Image.fromarray(stored), exif=exif))
    assert found is not None
    picture = Image.fromarray(stored)
    upright = picture if found.turn is None else picture.transpose(found.turn)
    assert (found.turn is None) == (orientation == 1)
    assert np.array_equal(found.as_stored(np.asarray(upright)), stored)


@pytest.mark.parametrize(
    "data",
    [
        saved(GREY, "PNG"),
        saved(GREY.convert("RGB"), "WEBP"),
        saved(GREY.convert("CMYK")),
        saved(GREY.convert("RGB"), keep_rgb=True),
    ],
    ids=["PNG", "WebP", "CMYK", "stored as red, green and blue"],
)
def test_other_files_have_no_brightness_that_was_rounded(data: bytes) -> None:
    assert read_quantisation(data) is None
