"""Altered copies and lookalikes: the same each time, of any picture, and true to what they say."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from mobisearch.evaluation.lookalikes import LOOKALIKES, make_lookalikes
from mobisearch.evaluation.variations import MAKERS, STRENGTHS, make_copy
from mobisearch.types.duplicates import Verdict


def make_photo(width: int, height: int, seed: int = 0) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("name", MAKERS)
def test_a_copy_is_the_same_each_time_and_can_be_opened(name: str, strength: str) -> None:
    photo = make_photo(120, 90)
    copy = make_copy(photo, name, strength, seed=5)
    assert make_copy(photo, name, strength, seed=5) == copy
    assert 0 < copy.share <= 1
    assert all(verdict.is_copy for verdict in copy.verdicts)
    assert min(Image.open(io.BytesIO(copy.data)).size) >= 1


@pytest.mark.parametrize("name", MAKERS)
def test_pictures_of_few_pixels_can_be_altered(name: str) -> None:
    for size in ((8, 8), (30, 9)):
        data = make_copy(make_photo(*size), name, "strong").data
        assert min(Image.open(io.BytesIO(data)).size) >= 1


def test_there_are_at_least_25_ways() -> None:
    assert len(MAKERS) >= 25


def test_the_share_of_a_crop_is_what_is_left() -> None:
    photo = make_photo(400, 300)
    copy = make_copy(photo, "cropped, middle", "medium")
    width, height = Image.open(io.BytesIO(copy.data)).size
    assert copy.share == pytest.approx(width * height / (400 * 300), abs=0.01)
    assert copy.verdicts == (Verdict.CROPPED,)


def test_an_exif_rotated_copy_shows_the_same_once_it_is_turned() -> None:
    photo = make_photo(200, 100)
    opened = Image.open(io.BytesIO(make_copy(photo, "EXIF-rotated", "mild").data))
    assert opened.size == (100, 200)
    upright = ImageOps.exif_transpose(opened)
    assert np.abs(np.asarray(upright).astype(int) - np.asarray(photo)).mean() < 3


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_are_the_same_each_time(name: str) -> None:
    first, second = make_photo(160, 120, seed=1), make_photo(120, 160, seed=2)
    pair = make_lookalikes(first, second, name, seed=3)
    again = make_lookalikes(first, second, name, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(pair, again, strict=True))
    assert not np.array_equal(*pair)
