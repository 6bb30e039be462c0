"""Pictures that are giants or cut short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faultkit.pictures import SAME_COSINE, saved
from PIL import Image, ImageFile

from mobisearch import Embedder, ImageIndex
from mobisearch.types import DecodeSettings

LEAST_COSINE = 0.5
"""Between a picture and its upper half on grey: more alike than not."""


# ---------------------------------------------------------------- giants that are meant


def _giant(kind: str) -> bytes:
    """Return a picture of many pixels, half dark and half light, without colours to save memory."""
    size = {"108": (12_000, 9_000), "200": (16_320, 12_240), "panorama": (30_000, 4_000)}[
        kind.split()[0]
    ]
    image = Image.new("L", size, 60)
    image.paste(200, (0, 0, size[0] // 2, size[1]))
    return saved(image, format="JPEG", quality=50)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["108 megapixels", "200 megapixels", "panorama"])
def test_case_45_giants_that_cameras_make_are_indexed_under_the_default_limits(
    tmp_path: Path, make_embedder: Callable[..., Embedder], kind: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "giant.jpg").write_bytes(_giant(kind))
    small = Image.new("L", (120, 90), 60)
    small.paste(200, (0, 0, 60, 90))
    with ImageIndex.create(tmp_path / "index", make_embedder(isolated=True)) as index:
        report = index.sync(tmp_path / "photos")
        assert (report.added, report.failures) == (1, ())
        [match] = index.search(saved(small, format="PNG"), k=1)
        assert match.image.width * match.image.height >= 108_000_000
        if kind != "panorama":  # which shows only its middle
            assert match.score > SAME_COSINE


@pytest.mark.slow
def test_case_45_a_giant_heic_is_indexed_under_the_default_limits(
    tmp_path: Path, make_embedder: Callable[..., Embedder], skip_case: Callable[[str], object]
) -> None:
    import pillow_heif

    (tmp_path / "photos").mkdir()
    giant = Image.new("L", (12_000, 9_000), 60)
    giant.paste(200, (0, 0, 6_000, 9_000))
    try:
        pillow_heif.from_pillow(giant).save(
            tmp_path / "photos" / "giant.heic", quality=10, enc_params={"preset": "ultrafast"}
        )
    except (RuntimeError, ValueError, OSError) as error:
        skip_case(f"no HEIC of this size can be made here ({error})")
    with ImageIndex.create(tmp_path / "index", make_embedder(isolated=True)) as index:
        report = index.sync(tmp_path / "photos")
        assert (report.added, report.failures) == (1, ())


# ---------------------------------------------------------------- cut short


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("is_isolated", [False, True], ids=["in-process", "isolated"])
def test_case_46_a_jpeg_that_is_cut_short_is_told_so(
    tmp_path: Path,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
    share: float,
    is_isolated: bool,
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.jpg", seed=1, size=(300, 200), quality=90)
    whole = photo.read_bytes()
    photo.write_bytes(whole[: int(len(whole) * share)])
    with ImageIndex.create(tmp_path / "index", make_embedder(isolated=is_isolated)) as index:
        [failure] = index.sync(tmp_path / "photos").failures
        assert failure.code == "truncated"


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_case_46_a_jpeg_that_is_cut_short_is_taken_when_asked_to_and_marked(
    tmp_path: Path,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
    share: float,
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.jpg", seed=1, size=(300, 200), quality=90)
    whole = photo.read_bytes()
    photo.write_bytes(whole[: int(len(whole) * share)])
    tolerant = make_embedder(isolated=True, settings=DecodeSettings(tolerant=True))
    with ImageIndex.create(tmp_path / "index", tolerant) as index:
        assert index.sync(tmp_path / "photos").added == 1
        assert not ImageFile.LOAD_TRUNCATED_IMAGES, "never in this process"
        [match] = index.search(whole, k=1)
        assert match.score > LEAST_COSINE
        assert match.image.is_truncated


def test_case_46_the_command_takes_what_is_cut_short_when_asked_to(
    tmp_path: Path, make_photo: Callable[..., Path], command: Callable[..., Any]
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.jpg", seed=1, size=(300, 200), quality=90)
    photo.write_bytes(photo.read_bytes()[:-500])
    where = ("--index", tmp_path / "index", "--json")
    done = command("index", tmp_path / "photos", *where)
    assert (done.code, done.document["failures"][0]["code"]) == (1, "truncated")
    done = command("index", tmp_path / "photos", "--tolerant", *where)
    assert (done.code, done.document["failed"], done.document["images"]) == (0, 0, 1)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
