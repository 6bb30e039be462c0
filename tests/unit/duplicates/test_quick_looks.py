"""What is left undone where it would change nothing: key points, matching, closer looks."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from mobisearch.duplicates.verification import (
    CLOSE_PX,
    THUMBNAIL_PX,
    Outcome,
    Picture,
    Prepared,
    Start,
    alignment,
    comparison,
    look,
    look_closer,
    preparation,
    prepare,
    verify,
)
from mobisearch.duplicates.verification.plainness import find_plain_copy
from mobisearch.types import Relation, Verdict

PHOTO_PX = 600
TURNED = Image.Transpose.ROTATE_90
SIMILAR = Relation(Verdict.SIMILAR_SHOT, agreement=0.5)


def opened(folder: Path, name: str) -> Image.Image:
    found = Image.open(folder / f"{name}.jpg").convert("RGB")
    found.thumbnail((PHOTO_PX, PHOTO_PX), Image.Resampling.LANCZOS)
    return found


@pytest.fixture(scope="module")
def photo(shipped_photos: Path) -> Image.Image:
    return opened(shipped_photos, "cat")


def look_at(image: Image.Image, px: int = THUMBNAIL_PX, **facts: str) -> Prepared:
    small = image.copy()
    small.thumbnail((px, px), Image.Resampling.LANCZOS)
    return prepare(Picture(np.asarray(small), image.width, image.height, **facts))


def compressed(image: Image.Image, quality: int = 70) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def halved(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def marked(image: Image.Image) -> Image.Image:
    copy = image.copy()
    ImageDraw.Draw(copy).ellipse((30, 30, 130, 130), fill=(230, 30, 60))
    return copy


def refuse(*_: object) -> None:
    raise AssertionError("asked for all the same")


@pytest.mark.parametrize(
    ("alter", "verdict"), [(compressed, Verdict.RECOMPRESSED), (halved, Verdict.RESIZED)]
)
def test_plain_copies_need_no_key_points(
    photo: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
    alter: Callable[[Image.Image], Image.Image],
    verdict: Verdict,
) -> None:
    monkeypatch.setattr(preparation, "find_points", refuse)
    relation = verify(look_at(photo), look_at(alter(photo)))
    assert relation.verdict is verdict
    assert relation.first_share == relation.second_share == 1.0


@pytest.mark.parametrize("alter", [compressed, halved])
@pytest.mark.parametrize("way", list(Image.Transpose))
def test_copies_turned_by_right_angles_are_plain_and_named_as_a_proof_names_them(
    photo: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
    way: Image.Transpose,
    alter: Callable[[Image.Image], Image.Image],
) -> None:
    first, second = look_at(photo), look_at(alter(photo).transpose(way))
    plain = find_plain_copy(first, second)
    monkeypatch.setattr(comparison, "find_plain_copy", lambda *_: None)
    proved = verify(first, second)
    assert plain is not None
    assert plain.is_mirrored == proved.is_mirrored
    assert (plain.turn_degrees - proved.turn_degrees + 1) % 360 == pytest.approx(1, abs=0.5)
    assert plain.scale == pytest.approx(proved.scale, rel=0.01)
    assert plain.changes == proved.changes
    assert plain.verdict is proved.verdict


@pytest.mark.parametrize("name", ["boats", "canyon", "coffee", "pagoda"])
def test_cutting_a_little_off_needs_no_key_points(
    name: str, shipped_photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "find_points", refuse)
    whole = opened(shipped_photos, name)
    left, top = whole.width // 12, whole.height // 12
    cut = compressed(whole.crop((left, top, whole.width, whole.height)).transpose(TURNED))
    relation = verify(look_at(whole), look_at(cut))
    assert relation.verdict is Verdict.CROPPED
    assert relation.changes == (Verdict.ROTATED, Verdict.CROPPED)
    assert relation.first_share == pytest.approx((11 / 12) ** 2, abs=0.02)


def test_a_picture_that_is_its_own_mirror_image_is_not_called_mirrored(photo: Image.Image) -> None:
    half = photo.crop((0, 0, photo.width // 2, photo.height))
    both = Image.new("RGB", (2 * half.width, half.height))
    both.paste(half, (0, 0))
    both.paste(half.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (half.width, 0))
    plain = find_plain_copy(look_at(both), look_at(compressed(both)))
    assert plain is not None
    assert plain.verdict is Verdict.RECOMPRESSED


def test_a_place_that_differs_is_no_plain_copy(photo: Image.Image) -> None:
    assert find_plain_copy(look_at(photo), look_at(marked(photo))) is None
    assert verify(look_at(photo), look_at(marked(photo))).verdict is Verdict.OVERLAID


def test_pictures_of_one_camera_are_never_plain_copies(photo: Image.Image) -> None:
    first, second = (look_at(image, camera="A camera") for image in (photo, compressed(photo)))
    assert find_plain_copy(first, second) is None


def test_pictures_with_nothing_in_them_are_never_plain_copies() -> None:
    blank = Image.new("RGB", (300, 200), "white")
    assert find_plain_copy(look_at(blank), look_at(blank)) is None


def test_key_points_are_found_once_whatever_the_threads(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    find_points = preparation.find_points
    monkeypatch.setattr(
        preparation, "find_points", lambda grey: found.append(1) or find_points(grey)
    )
    prepared = look_at(photo)
    with ThreadPoolExecutor(4) as threads:
        points = list(threads.map(lambda _: prepared.points, range(8)))
    assert len(found) == 1
    assert all(each is points[0] for each in points)


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_closer_look_begins_where_thumbnails_lie(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch, *, is_turned: bool
) -> None:
    part = marked(photo.crop((60, 40, photo.width - 20, photo.height - 30)))
    pair = (part, photo) if is_turned else (photo, part)
    outcome = look(*(look_at(image) for image in pair))
    assert outcome.relation.is_copy
    closely = [look_at(image, CLOSE_PX) for image in pair]
    expected = verify(*closely)
    monkeypatch.setattr(preparation, "find_points", refuse)
    monkeypatch.setattr(alignment, "match_frames", refuse)
    relation = look_closer(closely[0], closely[1], outcome)
    assert relation.verdict is expected.verdict is Verdict.OVERLAID
    assert relation.changes == expected.changes


def test_a_closer_look_without_a_beginning_tries_all(photo: Image.Image) -> None:
    closely = look_at(photo, CLOSE_PX), look_at(photo.rotate(20), CLOSE_PX)
    assert look_closer(*closely, Outcome(SIMILAR)).is_copy


@pytest.mark.parametrize(("name", "times"), [("drum", 2.2), ("mountain", 1.8)])
def test_light_that_was_lost_at_the_end_of_the_scale_is_no_place_that_differs(
    shipped_photos: Path, name: str, times: float
) -> None:
    photo = opened(shipped_photos, name)
    brighter = ImageEnhance.Brightness(photo).enhance(times)
    assert float((np.asarray(brighter) == 255).mean()) > 0.1
    relation = verify(look_at(photo), look_at(brighter))
    assert relation.verdict is Verdict.RECOLOURED, relation
    assert relation.agreement > 0.95


def test_what_agrees_in_one_small_place_is_no_similar_shot(shipped_photos: Path) -> None:
    pair = (
        look_at(opened(shipped_photos, "drum"), CLOSE_PX),
        look_at(opened(shipped_photos, "mountain"), CLOSE_PX),
    )
    of_a_mark = Start(np.eye(3), share=0.6, votes=12, spread=0.01, is_negative=False)
    assert look_closer(*pair, Outcome(SIMILAR, of_a_mark)).verdict is Verdict.UNRELATED
    of_a_scene = Start(np.eye(3), share=0.6, votes=12, spread=0.5, is_negative=False)
    assert look_closer(*pair, Outcome(SIMILAR, of_a_scene)).verdict is Verdict.SIMILAR_SHOT
