"""Paths, bytes, Pillow images and arrays as images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from mobisearch.errors import (
    CorruptImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    UnsupportedFormatError,
)
from mobisearch.imaging import as_sources, name_of, prepare_source
from mobisearch.imaging.sources import ImageSource, open_source
from mobisearch.types import DecodeSettings, ImageFacts, Preprocessing

SETTINGS = DecodeSettings()
NETWORK = Preprocessing(resize_px=36, crop_px=32, mean=(0, 0, 0), std=(1, 1, 1))


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def png(pixels: NDArray[np.uint8], **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


def test_every_kind_of_source_gives_the_same_pixels(
    pixels: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(pixels))
    sources: list[ImageSource] = [str(path), path, path.read_bytes(), Image.fromarray(pixels)]
    sources += [pixels, np.asfortranarray(pixels), Image.open(path)]
    prepared = [
        prepare_source(source, preprocessing=NETWORK, settings=SETTINGS) for source in sources
    ]
    for other in prepared[1:]:
        assert np.array_equal(other.pixels, prepared[0].pixels)
        assert (other.facts.width, other.facts.height) == (60, 40)
    assert prepared[0].pixels.shape == (32, 32, 3)
    assert prepared[0].pixels.dtype == np.uint8
    assert prepared[0].facts == ImageFacts("PNG", 60, 40)


@pytest.mark.parametrize("kind", ["path", "bytes", "opened", "loaded"])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_the_orientation_is_applied_once_to_every_kind_of_source(
    kind: str, form: str, pixels: NDArray[np.uint8], tmp_path: Path
) -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    path = tmp_path / "a"
    Image.fromarray(np.rot90(pixels).copy()).save(path, form, exif=tags)
    with Image.open(path) as opened:
        if kind == "loaded":
            opened.load()
        source: ImageSource = {"path": path, "bytes": path.read_bytes()}.get(kind, opened)
        prepared = prepare_source(source, preprocessing=NETWORK, settings=SETTINGS)
        assert (prepared.facts.width, prepared.facts.height) == (60, 40)
        assert np.array_equal(np.asarray(open_source(source, settings=SETTINGS)), pixels)


def test_a_pillow_image_with_alpha_is_flattened_on_white() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    assert (prepare_source(image, preprocessing=NETWORK, settings=SETTINGS).pixels == 255).all()


def test_the_home_folder_is_expanded(
    pixels: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.png").write_bytes(png(pixels))
    assert open_source("~/a.png", settings=SETTINGS).size == (60, 40)
    prepared = prepare_source("~/a.png", preprocessing=NETWORK, settings=SETTINGS)
    assert prepared.facts.width == 60


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int64),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_of_another_shape_or_type_is_refused_with_what_it_is(
    array: NDArray[np.uint8],
) -> None:
    for source in as_sources(array):
        with pytest.raises(UnsupportedFormatError) as caught:
            prepare_source(source, preprocessing=NETWORK, settings=SETTINGS)
        assert str(array.dtype) in caught.value.reason
        assert str(array.shape) in caught.value.reason


@pytest.mark.parametrize("source", [None, 5, 1.5, object(), [1], bytearray(b"x")])
def test_anything_else_is_a_type_error(source: object) -> None:
    with pytest.raises(TypeError, match="expected a path, bytes"):
        prepare_source(source, preprocessing=NETWORK, settings=SETTINGS)  # type: ignore[arg-type]


def test_what_is_wrong_with_a_source_is_an_image_error(
    pixels: NDArray[np.uint8], tmp_path: Path
) -> None:
    data = png(pixels)
    cut = Image.open(io.BytesIO(data[:200]))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    small = DecodeSettings(max_bytes=10)
    for source, error, settings in (
        (tmp_path / "no.png", ImageNotFoundError, SETTINGS),
        (tmp_path, UnsupportedFormatError, SETTINGS),
        (b"", CorruptImageError, SETTINGS),
        (data[:200], CorruptImageError, SETTINGS),
        (cut, CorruptImageError, SETTINGS),
        (Image.new("RGB", (0, 0)), CorruptImageError, SETTINGS),
        (path, ImageTooLargeError, small),
    ):
        with pytest.raises(error):
            prepare_source(source, preprocessing=NETWORK, settings=settings)


@pytest.mark.parametrize(
    ("images", "n"),
    [
        ("a.jpg", 1),
        (Path("a.jpg"), 1),
        (b"data", 1),
        (Image.new("RGB", (1, 1)), 1),
        (np.zeros((4, 4, 3), np.uint8), 1),
        (np.zeros((4, 4), np.uint8), 1),
        (np.zeros((5, 4, 4, 3), np.uint8), 5),
        (np.zeros((0, 4, 4, 3), np.uint8), 0),
        (["a.jpg", b"data"], 2),
        (("a.jpg",), 1),
        (np.array(["a.jpg", "b.jpg"]), 2),
        ([], 0),
    ],
    ids=[
        "name",
        "path",
        "bytes",
        "picture",
        "colours",
        "grey",
        "five arrays",
        "no arrays",
        "list",
        "tuple",
        "array of names",
        "empty list",
    ],
)
def test_one_image_counts_as_a_list_of_one(images: object, n: int) -> None:
    assert len(as_sources(images)) == n  # type: ignore[arg-type]


def test_a_source_is_called_by_its_path_or_by_its_kind(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    assert name_of("a.png") == "a.png"
    assert name_of(tmp_path / "a.png") == str(tmp_path / "a.png")
    assert name_of(b"data") == "<bytes>"
    assert name_of(np.zeros((1, 1, 3), np.uint8)) == "<ndarray>"
    assert name_of(Image.new("RGB", (1, 1))) == "<Image>"
    with Image.open(tmp_path / "a.png") as image:
        assert name_of(image) == str(tmp_path / "a.png")
