"""The second look at pairs: what it proves of real photos, and what it must never prove."""

from __future__ import annotations

import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from pairkit import decide, look_at, shipped
from PIL import Image, ImageOps
from threadpoolctl import ThreadpoolController

from mobisearch.duplicates.verification import (
    THUMBNAIL_PX,
    THUMBNAIL_QUALITY,
    Picture,
    compare_pixels,
    describe,
    look,
    may_have_same_pixels,
    needs_closer_look,
    prepare,
    verify,
)
from mobisearch.evaluation.lookalikes import LOOKALIKES, make_lookalikes
from mobisearch.evaluation.variations import MAKERS, make_copy
from mobisearch.types.duplicates import Relation, Verdict

SCALE_TOLERANCE = 0.02
"""By which a scale may be off: what is called resized differs by more."""

DEGREES_TOLERANCE = 0.5
"""By which an angle may be off: a thumbnail's side moves by less than a pixel."""

SHARE_TOLERANCE = 0.03
"""By which a share of the area may be off: a pixel or so on each side of a thumbnail."""

PHOTOS = ("alps", "boats", "cat", "coffee")
FEW = ("boats", "cat")


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> dict[str, Image.Image]:
    return shipped(shipped_photos)


def opened(data: bytes) -> Image.Image:
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert upright is not None
    return upright.convert("RGB")


@pytest.mark.parametrize("name", MAKERS)
def test_an_altered_copy_is_proved_and_named(name: str, photos: dict[str, Image.Image]) -> None:
    for number, photo in enumerate(FEW):
        copy = make_copy(photos[photo], name, "mild", seed=number)
        relation = decide(photos[photo], opened(copy.data))
        assert relation.is_copy, f"{photo}: {relation}"
        assert relation.verdict in copy.verdicts, f"{photo}: {relation}"
        assert relation.verdict == relation.changes[-1]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_are_never_copies(name: str, photos: dict[str, Image.Image]) -> None:
    for number, (one, other) in enumerate(itertools.pairwise(PHOTOS)):
        first, second = make_lookalikes(photos[one], photos[other], name, seed=number)
        relation = decide(first, second)
        assert not relation.is_copy, f"{one} and {other}: {relation}"


def test_different_photos_are_unrelated(photos: dict[str, Image.Image]) -> None:
    prepared = [look_at(photo) for photo in photos.values()]
    for number, first in enumerate(prepared):
        for second in prepared[:number]:
            assert not verify(first, second).is_copy


def test_what_is_laid_over_different_photos_does_not_link_them(
    photos: dict[str, Image.Image],
) -> None:
    copies = [
        look_at(opened(make_copy(photos[photo], name, "strong").data))
        for photo in FEW
        for name in ("border", "caption inside", "watermark", "logo", "screenshot")
    ]
    for number, first in enumerate(copies):
        for second in copies[: number // 5 * 5]:
            assert not verify(first, second).is_copy


def test_a_resized_crop_is_measured(photos: dict[str, Image.Image]) -> None:
    photo = photos["boats"]
    width, height = photo.size
    part = photo.crop((0, 0, width * 3 // 4, height * 3 // 4)).resize((width // 2, height // 2))
    relation = verify(look_at(photo), look_at(part))
    assert relation.verdict == Verdict.CROPPED
    assert Verdict.RESIZED in relation.changes
    assert relation.scale == pytest.approx(2 / 3, abs=SCALE_TOLERANCE)
    assert relation.first_share == pytest.approx(9 / 16, abs=SHARE_TOLERANCE)
    assert relation.second_share == pytest.approx(1, abs=SHARE_TOLERANCE)


@pytest.mark.parametrize(
    ("turn", "degrees", "is_mirrored"),
    [
        (Image.Transpose.ROTATE_270, 90, False),
        (Image.Transpose.ROTATE_90, -90, False),
        (Image.Transpose.ROTATE_180, 180, False),
        (Image.Transpose.FLIP_LEFT_RIGHT, 0, True),
        (Image.Transpose.FLIP_TOP_BOTTOM, 180, True),
        (Image.Transpose.TRANSPOSE, -90, True),
        (Image.Transpose.TRANSVERSE, 90, True),
    ],
)
def test_each_orientation_is_named(
    turn: Image.Transpose, degrees: int, is_mirrored: bool, photos: dict[str, Image.Image]
) -> None:
    relation = verify(look_at(photos["cat"]), look_at(photos["cat"].transpose(turn)))
    assert relation.is_mirrored == is_mirrored
    apart = (relation.turn_degrees - degrees + 180) % 360 - 180
    assert abs(apart) < DEGREES_TOLERANCE
    assert relation.verdict == (Verdict.MIRRORED if is_mirrored else Verdict.ROTATED)


def test_a_straightened_photo_tells_its_angle(photos: dict[str, Image.Image]) -> None:
    photo = photos["pagoda"]
    turned = photo.rotate(-5, Image.Resampling.BICUBIC)  # clockwise
    width, height = photo.size
    inner = turned.crop((width // 8, height // 8, width * 7 // 8, height * 7 // 8))
    relation = verify(look_at(photo), look_at(inner))
    assert relation.turn_degrees == pytest.approx(5, abs=DEGREES_TOLERANCE)
    assert relation.changes == (Verdict.ROTATED, Verdict.CROPPED)


def test_exchanged_pictures_give_the_reversed_relation(photos: dict[str, Image.Image]) -> None:
    photo = photos["astronaut"]
    part = photo.crop((20, 30, photo.width * 2 // 3, photo.height * 2 // 3))
    there = verify(look_at(photo), look_at(part))
    back = verify(look_at(part), look_at(photo)).reversed()
    assert back.verdict == there.verdict
    assert back.changes == there.changes
    assert back.scale == pytest.approx(there.scale, rel=SCALE_TOLERANCE)
    assert back.first_share == pytest.approx(there.first_share, abs=SHARE_TOLERANCE)


def test_the_same_file_needs_no_look(photos: dict[str, Image.Image]) -> None:
    first = look_at(photos["cat"], sha256="ab")
    assert verify(first, look_at(photos["boats"], sha256="ab")).verdict == Verdict.SAME_FILE
    assert verify(first, look_at(photos["boats"], sha256="cd")).verdict == Verdict.UNRELATED
    assert verify(look_at(photos["cat"]), look_at(photos["boats"])).verdict == Verdict.UNRELATED


def test_equal_pixels_are_told_from_other_copies(photos: dict[str, Image.Image]) -> None:
    photo = photos["coffee"]
    first, second = look_at(photo), look_at(photo)
    relation = verify(first, second)
    assert relation.verdict == Verdict.RECOMPRESSED
    assert may_have_same_pixels(first.picture, second.picture, relation)
    pixels = np.asarray(photo)
    changed = pixels.copy()
    changed[0, 0, 0] ^= 1
    assert compare_pixels(pixels, pixels.copy(), relation).verdict == Verdict.SAME_PIXELS
    assert compare_pixels(pixels, changed, relation) == relation
    assert compare_pixels(pixels, pixels[1:], relation) == relation


def test_two_blank_pictures_are_copies_only_if_their_pixels_are_equal() -> None:
    blank = Image.new("RGB", (600, 400), "white")
    first, second = look_at(blank), look_at(blank)
    relation = verify(first, second)
    assert relation.verdict == Verdict.UNRELATED
    assert may_have_same_pixels(first.picture, second.picture, relation)
    pixels = np.asarray(blank)
    assert compare_pixels(pixels, pixels, relation).verdict == Verdict.SAME_PIXELS


def test_exif_times_tell_shots_from_copies(photos: dict[str, Image.Image]) -> None:
    photo = photos["alps"]
    width, height = photo.size
    moved = photo.crop((9, 5, width - 3, height - 6)).resize(photo.size)
    at = {"camera": "A camera", "taken_at": "2024-05-01T10:00:00"}
    later = {"camera": "A camera", "taken_at": "2024-05-01T10:00:02"}
    first = look_at(photo, **at)
    assert verify(first, look_at(moved, **later)).verdict == Verdict.SIMILAR_SHOT
    assert verify(first, look_at(moved, **at)).is_copy
    assert verify(first, look_at(photo, **later)).is_copy
    same = look_at(photo, **at)
    assert needs_closer_look(first, same, look(first, same))


def test_the_answer_is_the_same_each_time_and_in_every_thread(
    photos: dict[str, Image.Image],
) -> None:
    pairs = [
        (look_at(photos[name]), look_at(opened(make_copy(photos[name], way, "medium").data)))
        for name in FEW
        for way in ("tilted, cut", "noisy", "caption inside")
    ]
    alone = [verify(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda pair: verify(*pair), pairs * 2))
    assert together == alone * 2


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (12, 12), (40, 3)])
def test_the_smallest_pictures_prove_nothing(
    size: tuple[int, int], photos: dict[str, Image.Image]
) -> None:
    tiny = photos["cat"].resize(size)
    assert not verify(look_at(tiny), look_at(photos["cat"])).is_copy
    assert not verify(look_at(tiny), look_at(tiny)).is_copy


def test_a_picture_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected uint8 pixels of shape \(h, w, 3\), got float"):
        Picture(np.zeros((4, 4, 3)), 4, 4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got 0 x 4"):
        Picture(np.zeros((4, 4, 3), np.uint8), 0, 4)


def test_thumbnails_are_small_enough_for_a_catalog(photos: dict[str, Image.Image]) -> None:
    sizes = []
    for photo in photos.values():
        small = photo.copy()
        small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
        sizes.append(buffer.tell())
    assert np.median(sizes) <= 10_000


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        (Relation(Verdict.SIMILAR_SHOT), "similar shot"),
        (Relation(Verdict.SAME_FILE, (Verdict.SAME_FILE,)), "same file"),
        (
            Relation(
                Verdict.CROPPED, (Verdict.RESIZED, Verdict.CROPPED), first_share=0.52, scale=0.5
            ),
            "crop: 52 % of the picture, half the resolution",
        ),
        (
            Relation(Verdict.RESIZED, (Verdict.RESIZED,), scale=0.4),
            "resized: 40 % of the resolution",
        ),
        (
            Relation(Verdict.ROTATED, (Verdict.ROTATED,), turn_degrees=90),
            "rotated: by 90° clockwise",
        ),
        (Relation(Verdict.ROTATED, (Verdict.ROTATED,), turn_degrees=180), "rotated: upside down"),
        (
            Relation(
                Verdict.MIRRORED,
                (Verdict.ROTATED, Verdict.MIRRORED),
                turn_degrees=-3.2,
                is_mirrored=True,
            ),
            "mirrored: turned by 3.2° anticlockwise",
        ),
        (Relation(Verdict.RECOLOURED, (Verdict.RECOLOURED,), detail="grey"), "recoloured: grey"),
        (
            Relation(Verdict.CROPPED, (Verdict.CROPPED,), second_share=0.25),
            "crop: more around it, of which 25 % is in the first",
        ),
    ],
)
def test_a_relation_reads_as_a_sentence(relation: Relation, text: str) -> None:
    assert describe(relation) == text


def test_opencv_starts_no_threads_of_its_own_beside_those_that_compare() -> None:
    prepare(Picture(np.zeros((64, 64, 3), np.uint8), 64, 64))
    own = [
        library.num_threads
        for library in ThreadpoolController().lib_controllers
        if library.user_api == "blas" and "opencv" in library.filepath
    ]
    assert cv2.getNumThreads() == 1
    assert set(own) <= {1}


@pytest.mark.parametrize("name", ["brushes", "coffee", "dandelion", "fig"])
def test_a_small_subject_on_a_plain_ground_is_proved(name: str, shipped_photos: Path) -> None:
    """Nearly all of both is white with noise, which agrees in nothing."""
    with Image.open(shipped_photos / f"{name}.jpg") as image:
        subject = image.convert("RGB").resize((110, 78), Image.Resampling.BICUBIC)
    page = Image.new("RGB", (192, 192), (245, 245, 245))
    page.paste(subject, (40, 30))
    pixels = np.asarray(page)
    turn = cv2.getRotationMatrix2D((96, 96), 12, 0.9)
    turn[0, 2] += 6
    turned = cv2.warpAffine(pixels, turn, (192, 192), borderValue=(245, 245, 245))
    noise = np.random.default_rng(0).normal(0, 10, turned.shape)
    copy = np.clip(cv2.GaussianBlur(turned, (0, 0), 1.5) + noise, 0, 255).astype(np.uint8)
    found = verify(*(prepare(Picture(each, 192, 192)) for each in (pixels, copy)))
    assert found.is_copy
