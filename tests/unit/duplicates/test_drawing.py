"""What is drawn over pictures, and pictures of large squares: told from what a camera saw."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from mobisearch.duplicates.verification import (
    CLOSE_PX,
    THUMBNAIL_PX,
    Outcome,
    Picture,
    Prepared,
    look,
    look_closer,
    needs_closer_look,
    prepare,
    verify,
)
from mobisearch.duplicates.verification.drawing import is_drawn
from mobisearch.duplicates.verification.mosaic import is_mosaic
from mobisearch.types import Relation, Verdict

PHOTOS = ("cat", "boats", "pagoda", "coffee")
SIZE = (500, 340)
DARK = (24, 26, 30)


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> dict[str, Image.Image]:
    return {
        name: Image.open(shipped_photos / f"{name}.jpg").convert("RGB").resize(SIZE)
        for name in PHOTOS
    }


def look_at(image: Image.Image, px: int = THUMBNAIL_PX) -> Prepared:
    small = image.copy()
    small.thumbnail((px, px), Image.Resampling.LANCZOS)
    return prepare(Picture(np.asarray(small), image.width, image.height))


def pixelated(image: Image.Image, block_px: int) -> Image.Image:
    size = (image.width // block_px, image.height // block_px)
    return image.resize(size, Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)


def compressed(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


@pytest.mark.parametrize("block_px", [5, 8, 10])
@pytest.mark.parametrize("name", PHOTOS)
def test_a_mosaic_is_told_from_a_photo(
    name: str, block_px: int, photos: dict[str, Image.Image]
) -> None:
    mosaic = pixelated(photos[name], block_px)
    assert is_mosaic(grey(mosaic))
    assert is_mosaic(grey(compressed(mosaic, 92)))
    photo = photos[name]
    for same in (photo, compressed(photo, 15), photo.filter(ImageFilter.GaussianBlur(block_px))):
        assert not is_mosaic(grey(same))


def test_what_is_too_small_or_blank_is_no_mosaic(photos: dict[str, Image.Image]) -> None:
    assert not is_mosaic(grey(pixelated(photos["cat"].resize((16, 16)), 4)))
    assert not is_mosaic(np.zeros((300, 400), np.uint8))


@pytest.mark.parametrize("name", ["cat", "coffee"])
def test_a_coarse_mosaic_is_a_copy(name: str, photos: dict[str, Image.Image]) -> None:
    relation = verify(look_at(photos[name]), look_at(pixelated(photos[name], 8)))
    assert relation.verdict is Verdict.RETOUCHED, relation


def test_thumbnails_of_a_mosaic_show_all_that_there_is(photos: dict[str, Image.Image]) -> None:
    pair = photos["boats"], pixelated(photos["boats"], 12)
    closely = [look_at(image, CLOSE_PX) for image in pair]
    proved = Outcome(Relation(Verdict.OVERLAID, (Verdict.OVERLAID,), 0.97, detail="mark"))
    assert look_closer(closely[0], closely[1], proved) is proved.relation
    other = look_at(photos["cat"], CLOSE_PX)
    assert not look_closer(closely[0], other, proved).is_copy


def test_a_caption_over_something_like_it_is_one_bar(photos: dict[str, Image.Image]) -> None:
    photo = photos["boats"].copy()
    width, height = photo.size
    ImageDraw.Draw(photo).rectangle((width * 2 // 5, 0, width * 3 // 5, height // 6), fill=DARK)
    captioned = photo.copy()
    ImageDraw.Draw(captioned).rectangle((0, 0, width, height // 10), fill=DARK)
    outcome = look(look_at(photo), look_at(captioned))
    assert outcome.relation.verdict is Verdict.OVERLAID, outcome
    assert outcome.relation.detail == "caption"


@pytest.mark.parametrize("name", ["cat", "pagoda"])
def test_a_plain_sky_is_no_caption_where_something_else_is_in_front_of_it(
    name: str, photos: dict[str, Image.Image]
) -> None:
    photo = photos[name]
    width, height = photo.size
    hills = Image.new("L", photo.size)
    line = [(x, height * (0.14 + 0.06 * np.sin(x / 25))) for x in range(width + 1)]
    ImageDraw.Draw(hills).polygon([(0, 0), *line, (width, 0)], fill=255)
    changed = Image.composite(ImageChops.offset(photo, width // 3, height // 2), photo, hills)
    relation = verify(look_at(photo), look_at(changed))
    assert relation.verdict is Verdict.SIMILAR_SHOT, relation


def test_key_points_ask_for_a_closer_look(photos: dict[str, Image.Image]) -> None:
    first, second = look_at(photos["cat"]), look_at(photos["boats"])
    similar = Relation(Verdict.SIMILAR_SHOT, agreement=0.15)
    start = look(first, look_at(compressed(photos["cat"].rotate(30), 60))).start
    assert start is not None
    assert start.votes > 24
    assert needs_closer_look(first, second, Outcome(similar, start))
    assert not needs_closer_look(first, second, Outcome(similar))


def test_a_flat_sign_on_a_ground_like_its_own_is_drawn() -> None:
    generator = np.random.default_rng(6)
    picture = generator.normal(20, 3, (80, 80, 3)).astype(np.float32)  # a dark wall
    inside = np.zeros((80, 80), bool)
    inside[20:60, 20:60] = True
    ring = ~inside
    picture[inside] = 20
    assert not is_drawn(picture, inside, ring, 0.05)  # like all around: nothing was drawn
    picture[30:50, 25:55] = (200, 40, 50)
    assert is_drawn(picture, inside, ring, 0.05)
    picture[30:50, 25:55] = generator.uniform(60, 255, (20, 30, 3))  # something with shades
    assert not is_drawn(picture, inside, ring, 0.05)
