"""Pictures that fade into black or white towards their edges."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from pairkit import decide, shipped
from PIL import Image

from mobisearch.evaluation.lookalikes import make_lookalikes, take_again
from mobisearch.types.duplicates import Verdict


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> dict[str, Image.Image]:
    return shipped(shipped_photos)


def fade(photo: Image.Image, *, start: float, into: float) -> Image.Image:
    """Return a photo in an oval outside of which there is one grey level."""
    y, x = np.mgrid[-1 : 1 : photo.height * 1j, -1 : 1 : photo.width * 1j]
    seen = np.clip((start + 0.4 - np.hypot(x, y)) / 0.4, 0, 1)[..., None]
    pixels = np.asarray(photo) * seen + into * (1 - seen)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("into", [0, 255])
@pytest.mark.parametrize("name", ["alps", "boats", "cat", "coffee", "canyon", "drum"])
def test_a_photo_in_an_oval_is_a_copy(
    name: str, into: float, photos: dict[str, Image.Image]
) -> None:
    faded = fade(photos[name], start=0.85, into=into)
    for first, second in ((photos[name], faded), (faded, photos[name])):
        relation = decide(first, second)
        assert relation.is_copy
        assert Verdict.RECOLOURED in relation.changes
        assert "faded edges" in relation.detail


def test_different_photos_in_the_same_oval_are_none(photos: dict[str, Image.Image]) -> None:
    size = (480, 360)
    for into in (0, 255):
        faded = [fade(photos[name].resize(size), start=0.7, into=into) for name in ("alps", "cat")]
        assert not decide(*faded).is_copy


@pytest.mark.parametrize("into", [0, 255])
@pytest.mark.parametrize("name", ["boats", "cat", "coffee"])
def test_the_next_shot_does_not_become_a_copy_by_fading(
    name: str, into: float, photos: dict[str, Image.Image]
) -> None:
    generator = random.Random(4)
    faded = fade(take_again(photos[name], generator), start=0.85, into=into)
    assert not decide(photos[name], faded).is_copy


def test_pages_with_other_words_stay_apart_under_a_shadow(photos: dict[str, Image.Image]) -> None:
    for seed in range(4):
        first, second = make_lookalikes(
            photos["alps"], photos["cat"], "pages of text", seed=1000 + seed
        )
        y, x = np.mgrid[-1 : 1 : second.height * 1j, -1 : 1 : second.width * 1j]
        light = 1 / (1 + 2.5 * (x * x + y * y))[..., None] ** 2
        shadowed = Image.fromarray((np.asarray(second) * light).astype(np.uint8))
        assert not decide(first, shadowed).is_copy
        assert not decide(first, fade(second, start=0.85, into=0)).is_copy
