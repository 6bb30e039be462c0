"""Half-transparent marks, through which the picture under them is still to be seen."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from pairkit import decide, shipped
from PIL import Image, ImageDraw, ImageFont

from mobisearch.duplicates.verification.veils import find_veil, find_veiled, is_veiled
from mobisearch.evaluation.lookalikes import take_again
from mobisearch.types.duplicates import Verdict


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> dict[str, Image.Image]:
    return shipped(shipped_photos)


@pytest.fixture
def shown() -> np.ndarray:
    """Colours of a place in a picture, (n, 3)."""
    generator = np.random.default_rng(4)
    light = generator.uniform(20, 200, (2000, 1))
    return (light + generator.normal(0, 2, (2000, 3))).astype(np.float32)


def inked(shown: np.ndarray, opacity: float, ink: tuple[int, int, int]) -> np.ndarray:
    noise = np.random.default_rng(7).normal(0, 2, shown.shape)
    return ((1 - opacity) * shown + opacity * np.array(ink) + noise).astype(np.float32)


def under_panel(photo: Image.Image, *, ink: str, opacity: float, text: str = "") -> Image.Image:
    """Return a photo under a half-transparent panel with opaque writing on it."""
    width, height = photo.size
    mask = Image.new("L", photo.size, 0)
    box = (width // 10, height // 3, int(width * 0.8), int(height * 0.62))
    ImageDraw.Draw(mask).rectangle(box, fill=round(255 * opacity))
    covered = Image.composite(Image.new("RGB", photo.size, ink), photo, mask)
    font = ImageFont.load_default(height * 0.12)
    ImageDraw.Draw(covered).text((width // 8, height * 0.38), text, fill="#e0b040", font=font)
    return covered


def under_words(photo: Image.Image, *, ink: str, opacity: float) -> Image.Image:
    """Return a photo under half-transparent writing all over it, on a slant."""
    width, height = photo.size
    sheet = Image.new("L", (2 * width, 2 * width), 0)
    draw, size = ImageDraw.Draw(sheet), height / 10
    for row in range(int(sheet.height / (3 * size))):
        words = "specimen   " * 12
        draw.text((0, row * 3 * size), words, fill=255, font=ImageFont.load_default(size))
    turned = sheet.rotate(30).crop(
        (width // 2, width // 2, width // 2 + width, 0 + width // 2 + height)
    )
    mask = turned.point(lambda value: value * opacity)
    return Image.composite(Image.new("RGB", photo.size, ink), photo, mask)


@pytest.mark.parametrize("ink", ["black", "white", "#203080"])
@pytest.mark.parametrize("name", ["alps", "boats", "cat", "coffee"])
def test_a_photo_under_a_panel_with_writing_is_a_copy(
    name: str, ink: str, photos: dict[str, Image.Image]
) -> None:
    marked = under_panel(photos[name], ink=ink, opacity=0.6, text="Proof 12")
    for first, second in ((photos[name], marked), (marked, photos[name])):
        relation = decide(first, second)
        assert relation.is_copy
        assert Verdict.OVERLAID in relation.changes


@pytest.mark.parametrize("opacity", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("name", ["boats", "cat", "pagoda"])
def test_a_photo_under_words_all_over_it_is_a_copy(
    name: str, opacity: float, photos: dict[str, Image.Image]
) -> None:
    marked = under_words(photos[name], ink="black", opacity=opacity)
    relation = decide(photos[name], marked)
    assert relation.is_copy
    assert Verdict.OVERLAID in relation.changes


def on_a_sheet(photo: Image.Image, ground: str) -> Image.Image:
    """Return a photo in the middle of a plain sheet: little to see beside the words over it."""
    sheet = Image.new("RGB", photo.size, ground)
    small = photo.resize((photo.width // 2, photo.height // 2))
    sheet.paste(small, (photo.width // 4, photo.height // 3))
    return sheet


@pytest.mark.parametrize(
    ("ground", "ink", "opacity"),
    [("white", "#888888", 0.7), ("#e8e4dc", "black", 0.5), ("#18181c", "#888888", 0.7)],
)
def test_a_plain_picture_under_words_all_over_it_is_a_copy(
    ground: str, ink: str, opacity: float, photos: dict[str, Image.Image]
) -> None:
    plain = on_a_sheet(photos["boats"], ground)
    relation = decide(plain, under_words(plain, ink=ink, opacity=opacity))
    assert relation.is_copy
    assert Verdict.OVERLAID in relation.changes
    other = on_a_sheet(photos["cat"].resize(photos["boats"].size), ground)
    assert not decide(plain, under_words(other, ink=ink, opacity=opacity)).is_copy


@pytest.mark.parametrize("name", ["boats", "cat", "coffee"])
def test_neither_the_next_shot_nor_another_photo_becomes_a_copy_under_a_panel(
    name: str, photos: dict[str, Image.Image]
) -> None:
    again = take_again(photos[name], random.Random(3))
    assert not decide(photos[name], under_panel(again, ink="black", opacity=0.6)).is_copy
    other = photos["alps"].resize(photos[name].size)
    pair = [
        under_panel(each, ink="black", opacity=0.6, text="Proof") for each in (photos[name], other)
    ]
    assert not decide(*pair).is_copy


def test_brightness_follows_a_picture_under_a_veil_but_for_the_edges_of_letters(
    shown: np.ndarray,
) -> None:
    generator = np.random.default_rng(5)
    veil = 0.6 * shown + 0.4 * 230
    assert is_veiled(shown, veil)
    is_edge = generator.random(len(shown)) < 0.2
    veil[is_edge] = generator.uniform(0, 255, (int(is_edge.sum()), 1))
    assert is_veiled(shown, veil)
    assert not is_veiled(shown, generator.permutation(shown))
    assert not is_veiled(shown, np.full_like(shown, 230))


@pytest.mark.parametrize("opacity", [0.25, 0.5, 0.75])
def test_ink_and_opacity_are_found(shown: np.ndarray, opacity: float) -> None:
    veil = find_veil(shown, inked(shown, opacity, (240, 30, 60)))
    assert veil is not None
    assert veil.opacity == pytest.approx(opacity, abs=0.05)
    assert veil.added / veil.opacity == pytest.approx((240, 30, 60), abs=15)


def test_what_is_no_ink_is_not_taken_for_one(shown: np.ndarray) -> None:
    generator = np.random.default_rng(6)
    assert find_veil(shown, inked(shown, 1.0, (240, 30, 60))) is None, "opaque: nothing shows"
    assert find_veil(shown, generator.permutation(shown)) is None, "something else"
    assert find_veil(shown, inked(shown, 0.5, (400, 400, 400))) is None, "whiter than white"
    flat = np.full_like(shown, 120)
    assert find_veil(flat, inked(flat, 0.5, (240, 30, 60))) is None, "nothing to be seen through"


def test_a_place_that_shows_something_else_under_the_mark_is_told_apart(
    shown: np.ndarray,
) -> None:
    generator = np.random.default_rng(8)
    over = inked(shown, 0.5, (250, 250, 250))
    lettered = over.copy()
    lettered[:600] = (20, 20, 20)
    moved = inked(generator.permutation(shown), 0.5, (250, 250, 250))
    found = find_veiled([shown, shown, shown[:700]], [over, lettered, moved[:700]])
    assert found == [True, True, False]
