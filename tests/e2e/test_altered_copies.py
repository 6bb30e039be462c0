"""The main job on real photographs: altered copies find their original first."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from mobisearch import ImageIndex

Alteration = Callable[[Image.Image], Image.Image]

MIN_FOUND: dict[str, float] = {
    "recompressed": 1.0,
    "half the size": 1.0,
    "40 % of the size": 1.0,
    "centre half of the area": 1.0,
    "upper left half of the area": 0.99,
    "lower right half of the area": 1.0,
}
"""The share of copies that must find their original before any other photo.

Measured: every copy of 22 photos among 22, and every copy of 322 photos among 322 but one, an upper
left half (321 of 322, 0.9969).
"""

HALF_OF_THE_AREA = 0.5**0.5  # of each side


def _recompress(picture: Image.Image) -> Image.Image:
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=30)
    return Image.open(stored).convert("RGB")


def _resize(share: float) -> Alteration:
    def resize(picture: Image.Image) -> Image.Image:
        size = (round(picture.width * share), round(picture.height * share))
        return picture.resize(size, Image.Resampling.LANCZOS)

    return resize


def _crop(across: float, down: float) -> Alteration:
    """Cut out half of the area; 0 is all to the left or top, 1 all to the right or bottom."""

    def crop(picture: Image.Image) -> Image.Image:
        width = round(picture.width * HALF_OF_THE_AREA)
        height = round(picture.height * HALF_OF_THE_AREA)
        left = round((picture.width - width) * across)
        top = round((picture.height - height) * down)
        return picture.crop((left, top, left + width, top + height))

    return crop


ALTERATIONS: dict[str, Alteration] = {
    "recompressed": _recompress,
    "half the size": _resize(0.5),
    "40 % of the size": _resize(0.4),
    "centre half of the area": _crop(0.5, 0.5),
    "upper left half of the area": _crop(0.0, 0.0),
    "lower right half of the area": _crop(1.0, 1.0),
}


@pytest.fixture(scope="session")
def originals(shipped_photos: Path) -> list[Path]:
    """The photos of the project, which are always there."""
    return sorted(shipped_photos.glob("*.jpg"))


@pytest.fixture(scope="session")
def index(
    shipped_photos: Path, originals: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ImageIndex]:
    """The photos of the project, with the real network."""
    with ImageIndex.create(tmp_path_factory.mktemp("altered") / "index") as made:
        report = made.sync(shipped_photos)
        assert (report.added, report.failed) == (len(originals), 0)
        yield made


@pytest.fixture(scope="session")
def many_originals(shared_photos: Path, originals: list[Path]) -> list[Path]:
    """Many more photos, where they are."""
    return [*originals, *sorted(p for p in shared_photos.iterdir() if p.suffix == ".jpg")]


@pytest.fixture(scope="session")
def many(index: ImageIndex, shared_photos: Path, many_originals: list[Path]) -> ImageIndex:
    """The index of all photos."""
    index.sync(shared_photos)
    assert len(index) >= len(many_originals)
    return index


def _share_found(index: ImageIndex, originals: list[Path], alter: Alteration) -> float:
    """Return which share of altered copies finds its original, or a copy of it, first."""
    copies = []
    for path in originals:
        with Image.open(path) as opened:
            copies.append(alter(ImageOps.exif_transpose(opened).convert("RGB")))
    results = index.search_many(copies, k=1)
    by_path = {str(path.resolve()): path.read_bytes() for path in originals}
    n_found = sum(
        by_path.get(matches[0].image.path) == path.read_bytes()
        for path, matches in zip(originals, results, strict=True)
    )
    return n_found / len(originals)


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_an_altered_copy_finds_its_original_first(
    index: ImageIndex, originals: list[Path], kind: str
) -> None:
    assert len(originals) >= 20
    assert _share_found(index, originals, ALTERATIONS[kind]) >= MIN_FOUND[kind]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALTERATIONS)
def test_an_altered_copy_finds_its_original_first_among_many(
    many: ImageIndex, many_originals: list[Path], kind: str
) -> None:
    assert len(many_originals) >= 200
    assert _share_found(many, many_originals, ALTERATIONS[kind]) >= MIN_FOUND[kind]


def test_an_untouched_photo_finds_itself_with_a_score_of_one(
    index: ImageIndex, originals: list[Path]
) -> None:
    for path, matches in zip(originals, index.search_many(originals, k=1), strict=True):
        assert matches[0].image.path == str(path.resolve())
        assert matches[0].score == pytest.approx(1, abs=1e-5)  # other batches than when indexed


def test_a_notebook_shows_the_photos_that_were_found(
    index: ImageIndex, originals: list[Path]
) -> None:
    matches = index.search(originals[0], k=4)
    html = matches._repr_html_()
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert len(pictures) == 4
    for encoded, match in zip(pictures, matches, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as thumbnail:
            assert max(thumbnail.size) == 160
            shape = match.image.width / match.image.height
            # A side of at most 160 pixels is rounded to whole pixels.
            assert thumbnail.width / thumbnail.height == pytest.approx(shape, rel=0.02)
        assert f"{match.score:.3f}" in html
