"""Whether one picture shows, at full size, all that another one does."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw, ImageFont, ImageOps

from mobisearch.duplicates import is_version, shows_all
from mobisearch.evaluation.lookalikes import take_again
from mobisearch.imaging import read_quantisation
from mobisearch.types import Pixels

Change = Callable[[Image.Image], Image.Image]
PHOTOS = ("alps", "boats", "cat", "coffee")


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> dict[str, Image.Image]:
    return {name: Image.open(shipped_photos / f"{name}.jpg").convert("RGB") for name in PHOTOS}


def saved(image: Image.Image, quality: int = 85, kind: str = "JPEG") -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return Image.open(buffer).convert("RGB")


def scaled(by: float, kernel: Image.Resampling = Image.Resampling.LANCZOS) -> Change:
    return lambda image: image.resize((round(image.width * by), round(image.height * by)), kernel)


def cut(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((width // 5, height // 7, width - width // 9, height - height // 6))


def tilted(image: Image.Image) -> Image.Image:
    turned = image.rotate(4, Image.Resampling.BICUBIC)
    return ImageOps.crop(turned, round(max(image.size) / 8))


HARMLESS: dict[str, Change] = {
    "saved again": lambda image: saved(image, 60),
    "saved as WebP": lambda image: saved(image, 80, "WEBP"),
    "smaller": lambda image: saved(scaled(0.5)(image)),
    "smaller, bilinear": lambda image: saved(scaled(0.3, Image.Resampling.BILINEAR)(image)),
    "larger": lambda image: saved(scaled(1.5, Image.Resampling.BICUBIC)(image)),
    "turned": lambda image: saved(image.transpose(Image.Transpose.ROTATE_90)),
    "mirrored": lambda image: saved(ImageOps.mirror(image)),
    "turned, smaller": lambda image: saved(
        scaled(0.5)(image.transpose(Image.Transpose.ROTATE_180))
    ),
    "cut": lambda image: saved(cut(image)),
    "cut, smaller": lambda image: saved(scaled(0.6)(cut(image))),
    "cut, turned": lambda image: saved(cut(image).transpose(Image.Transpose.ROTATE_270)),
    "tilted": lambda image: saved(tilted(image)),
}


@pytest.mark.parametrize("change", HARMLESS)
@pytest.mark.parametrize("name", PHOTOS)
def test_a_copy_with_which_nothing_is_lost_is_seen_in_the_one_kept(
    name: str, change: str, photos: dict[str, Image.Image]
) -> None:
    copy = HARMLESS[change](photos[name])
    assert shows_all(np.asarray(photos[name]), np.asarray(copy))


@pytest.mark.parametrize("change", HARMLESS)
@pytest.mark.parametrize("name", PHOTOS)
def test_a_small_mark_is_not_seen_in_the_one_kept(
    name: str, change: str, photos: dict[str, Image.Image]
) -> None:
    marked = photos[name].copy()
    x, y, r = marked.width * 0.55, marked.height * 0.55, max(marked.size) * 0.01
    place = marked.crop((int(x - r), int(y - r), int(x + r), int(y + r)))
    fill = "black" if np.asarray(place).mean() > 110 else "white"
    ImageDraw.Draw(marked).ellipse((x - r, y - r, x + r, y + r), fill=fill)
    assert not shows_all(np.asarray(photos[name]), np.asarray(HARMLESS[change](marked)))


@pytest.mark.parametrize("change", ["saved again", "turned", "cut"])
@pytest.mark.parametrize("name", PHOTOS)
def test_a_large_faint_change_is_not_seen_in_the_one_kept(
    name: str, change: str, photos: dict[str, Image.Image]
) -> None:
    pixels = np.asarray(photos[name]).astype(int)
    height, width = pixels.shape[:2]
    middle = slice(int(0.4 * height), int(0.6 * height)), slice(int(0.4 * width), int(0.6 * width))
    pixels[middle] += np.where(pixels[middle].mean(axis=(0, 1)) > 128, -28, 28)
    changed = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    assert not shows_all(np.asarray(photos[name]), np.asarray(HARMLESS[change](changed)))


def test_a_part_with_more_pixels_than_the_kept_one_has_of_it_is_not_seen(
    photos: dict[str, Image.Image],
) -> None:
    for photo in photos.values():
        kept = np.asarray(scaled(0.6)(photo))
        assert not shows_all(kept, np.asarray(cut(photo)))


def form(number: str) -> Image.Image:
    page = Image.new("RGB", (1240, 1750), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(28)
    generator = random.Random(3)
    for line in range(34):
        words = " ".join(generator.choice(("name", "of", "account", "date")) for _ in range(9))
        draw.text((80, 60 + 44 * line), words, "black", font)
    draw.text((80, 1640), f"Amount: {number} EUR", "black", font)
    return page


@pytest.mark.parametrize(
    "change", ["saved again", "smaller", "turned", "turned, smaller", "cut", "larger"]
)
@pytest.mark.parametrize("number", ["1260", "9950", "1258", "1.250"])
def test_a_form_with_another_number_is_no_copy(number: str, change: str) -> None:
    kept = np.asarray(form("1250"))
    assert not shows_all(kept, np.asarray(HARMLESS[change](form(number))))


@pytest.mark.parametrize("change", ["saved again", "saved as WebP", "smaller", "turned", "larger"])
def test_the_same_form_is_a_copy(change: str) -> None:
    kept = form("1250")
    assert shows_all(np.asarray(kept), np.asarray(HARMLESS[change](kept)))


def test_what_shows_more_is_not_seen_in_a_part_of_it(photos: dict[str, Image.Image]) -> None:
    for photo in photos.values():
        assert not shows_all(np.asarray(cut(photo)), np.asarray(photo))


def test_the_next_shot_and_another_photo_are_not_seen(photos: dict[str, Image.Image]) -> None:
    kept = np.asarray(photos["cat"])
    shot = np.asarray(take_again(photos["cat"], random.Random(1)))
    other = np.asarray(photos["alps"].resize(photos["cat"].size))
    assert not shows_all(kept, shot)
    assert not shows_all(kept, other)
    assert not is_version(kept, other)


def test_an_altered_copy_is_a_version_that_is_not_the_same(photos: dict[str, Image.Image]) -> None:
    kept = photos["boats"]
    grey = ImageOps.grayscale(kept).convert("RGB")
    assert is_version(np.asarray(kept), np.asarray(grey))
    assert not shows_all(np.asarray(kept), np.asarray(grey))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (7, 5)])
def test_tiny_and_plain_pictures_are_compared_pixel_by_pixel(size: tuple[int, int]) -> None:
    white, black = (np.asarray(Image.new("RGB", size, colour)) for colour in ("white", "black"))
    assert shows_all(white, white)
    assert not shows_all(white, black)


def jpeg(image: Image.Image, quality: int, turn: int = 1) -> bytes:
    """Return a JPEG file whose EXIF says that it is shown turned, and whose pixels lie so."""
    back = {3: Image.Transpose.ROTATE_180, 5: Image.Transpose.TRANSPOSE}
    back |= {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    stored = image.transpose(back[turn]) if turn in back else image
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", quality=quality, exif=exif)
    return buffer.getvalue()


def shown(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def shows_all_of(kept: Image.Image, copy: bytes) -> bool:
    return shows_all(np.asarray(kept), np.asarray(shown(copy)), read_quantisation(copy))


@pytest.mark.parametrize("turn", [1, 3, 5, 6, 8])
@pytest.mark.parametrize("name", PHOTOS)
def test_a_picture_that_was_saved_with_more_loss_does_not_show_all_of_a_jpeg(
    name: str, turn: int, photos: dict[str, Image.Image]
) -> None:
    original = jpeg(photos[name], 92, turn)
    assert shows_all_of(photos[name], original)
    assert shows_all_of(shown(original), jpeg(shown(original), 75, turn))
    for quality in (20, 50, 75):
        assert not shows_all_of(saved(shown(original), quality), original)


@pytest.mark.parametrize("name", PHOTOS)
def test_what_was_cut_from_a_picture_with_more_loss_is_not_shown_by_it(
    name: str, photos: dict[str, Image.Image]
) -> None:
    photo = photos[name]
    part = jpeg(photo.crop((16, 24, photo.width - 5, photo.height - 30)), 92)
    assert shows_all_of(photo, part)
    assert not shows_all_of(saved(photo, 40), part)


@pytest.mark.parametrize("quality", [95, 85, 75])
@pytest.mark.parametrize("name", PHOTOS)
def test_faint_writing_is_more_than_saving_a_jpeg_again_explains(
    name: str, quality: int, photos: dict[str, Image.Image]
) -> None:
    kept = np.asarray(saved(photos[name], 95)).astype(int)
    height, width = kept.shape[:2]
    layer = Image.new("L", (width, height))
    font = ImageFont.load_default(width / 30)
    ImageDraw.Draw(layer).text((0.4 * width, 0.5 * height), "1284", 255, font)
    place = kept[int(0.5 * height) : int(0.6 * height), int(0.4 * width) : int(0.6 * width)]
    levels = 25 if place.mean() < 128 else -25
    changed = kept + levels * np.asarray(layer, int)[..., None] // 255
    copy = jpeg(Image.fromarray(changed.clip(0, 255).astype(np.uint8)), quality)
    assert not shows_all_of(Image.fromarray(kept.astype(np.uint8)), copy)


def noisy(pixels: Pixels, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).normal(0, 12, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", PHOTOS)
def test_a_change_that_hides_in_noise_is_seen(name: str, photos: dict[str, Image.Image]) -> None:
    pixels = np.asarray(photos[name])
    height, width = pixels.shape[:2]
    changed = pixels.astype(int)
    place = slice(height // 2, height // 2 + height // 8), slice(width // 2, width * 5 // 8)
    changed[place] += 15 if changed[place].mean() < 128 else -15
    kept = noisy(pixels, 1)
    other = noisy(changed.clip(0, 255).astype(np.uint8), 2)
    assert shows_all(np.asarray(kept), np.asarray(saved(kept, 80, "WEBP")))
    assert not shows_all(np.asarray(kept), np.asarray(saved(other, 92)))


@pytest.mark.parametrize("size", [(3, 40), (40, 3), (8, 8), (5, 5), (9, 40)])
def test_jpegs_that_have_hardly_a_block_are_compared(size: tuple[int, int]) -> None:
    photo = Image.effect_noise((64, 64), 60).convert("RGB").resize(size)
    copy = jpeg(photo, 92)
    assert shows_all_of(shown(copy), copy)
    assert not shows_all_of(ImageOps.invert(photo), copy)


@pytest.mark.parametrize("stretch", [1.05, 1.2, 0.9])
def test_a_picture_does_not_stand_for_one_that_is_stretched_nor_that_for_it(
    stretch: float, photos: dict[str, Image.Image]
) -> None:
    photo = photos["boats"]
    stretched = np.asarray(photo.resize((round(stretch * photo.width), photo.height)))
    assert not shows_all(stretched, np.asarray(photo))
    assert not shows_all(np.asarray(photo), stretched)
