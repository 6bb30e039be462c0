"""A picture that was made from its copy is told from one that the copy was made from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mobisearch.duplicates import find_descent
from mobisearch.imaging import Quantisation, read_quantisation
from mobisearch.types import Pixels

Saved = tuple[Pixels, Quantisation | None]
SIZE = (360, 270)
NAMES = ("boats", "cat", "shack")


def save(picture: Image.Image, quality: int, kind: str = "JPEG") -> Saved:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    shown = np.asarray(Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"))
    return shown, read_quantisation(buffer.getvalue())


def shown(saved: Saved) -> Image.Image:
    return Image.fromarray(saved[0])


def open_photo(folder: Path, name: str) -> Image.Image:
    photo = Image.open(folder / f"{name}.jpg").convert("RGB")
    return photo.resize(SIZE, Image.Resampling.LANCZOS)


@pytest.fixture(params=NAMES)
def photo(request: pytest.FixtureRequest, shipped_photos: Path) -> Image.Image:
    return open_photo(shipped_photos, request.param)


@pytest.mark.parametrize("scale", [1.25, 1.5, 2, 3])
@pytest.mark.parametrize("kernel", [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
def test_an_enlarged_picture_is_known_as_made_from_the_small_one(
    photo: Image.Image, scale: float, kernel: Image.Resampling
) -> None:
    small = save(photo, 85)
    size = (round(scale * SIZE[0]), round(scale * SIZE[1]))
    large = save(shown(small).resize(size, kernel), 95)
    assert find_descent(*large, *small) == "shows no more detail, as if enlarged"
    assert find_descent(*small, *large) == ""


@pytest.mark.parametrize("blur_px", [0, 0.8])
@pytest.mark.parametrize("scale", [1.25, 2, 3])
@pytest.mark.parametrize("quality", [60, 90])
def test_a_picture_is_not_taken_for_one_enlarged_from_its_small_copy(
    photo: Image.Image, scale: float, quality: int, blur_px: float
) -> None:
    """Not even if it is as soft as what cameras make."""
    soft = photo.filter(ImageFilter.GaussianBlur(blur_px))
    large = save(soft, 92)
    size = (round(SIZE[0] / scale), round(SIZE[1] / scale))
    assert find_descent(*large, *save(soft.resize(size), quality)) == ""


@pytest.mark.parametrize(("quality", "again"), [(60, 85), (75, 92), (85, 95), (85, 98)])
def test_a_picture_that_was_saved_again_is_known_as_made_from_the_coarser_one(
    photo: Image.Image, quality: int, again: int
) -> None:
    coarse = save(photo, quality)
    fine = save(shown(coarse), again)
    assert find_descent(*fine, *coarse) == "seems to have been saved again"
    # The other way round nothing shows: the coarser one could have been saved from the finer.
    assert find_descent(*coarse, *fine) == ""
    assert find_descent(*save(photo, again), *coarse) == ""


def test_a_picture_that_was_turned_and_saved_again_is_known_too(photo: Image.Image) -> None:
    coarse = save(photo, 75)
    turned = save(shown(coarse).transpose(Image.Transpose.ROTATE_90), 95)
    assert find_descent(*turned, *coarse) == "seems to have been saved again"


def test_the_same_pixels_were_made_from_neither(photo: Image.Image) -> None:
    coarse = save(photo, 75)
    assert find_descent(coarse[0], None, *coarse) == ""


def test_of_another_picture_and_of_next_to_nothing_nothing_is_said(shipped_photos: Path) -> None:
    pictures = [save(open_photo(shipped_photos, name), 80) for name in NAMES[:2]]
    assert find_descent(*pictures[0], *pictures[1]) == ""
    grey = save(Image.new("RGB", SIZE, "grey"), 80)
    tiny = save(Image.new("RGB", (8, 6), "grey"), 80)
    assert find_descent(*grey, *tiny) == ""
