"""The contact sheet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch import ImageRecord, Match, Matches
from mobisearch.errors import ImageNotFoundError, ReportError
from mobisearch.reports import sheet, write_sheet

PhotoMaker = Callable[..., Path]


@pytest.fixture
def result(tmp_path: Path, make_photo: PhotoMaker) -> tuple[str, Matches]:
    """A red query with one green and one missing match."""
    for name, colour in (("query", "red"), ("match", "lime")):
        Image.new("RGB", (300, 200), colour).save(tmp_path / f"{name}.png")
    images = [
        ImageRecord(number, str(tmp_path / name), 300, 200, 1, 0, "a" * 64, "PNG")
        for number, name in ((1, "match.png"), (2, "gone\x1b[31m.png"))
    ]
    query = str(tmp_path / "query.png")
    return query, Matches([Match(0.9, images[0]), Match(0.8, images[1])], query=query)


def _has_colour(picture: Image.Image, rgb: tuple[int, int, int]) -> bool:
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    near = (abs(pixels - np.array(rgb)) < 30).all(axis=-1)  # JPEG and WebP move colours a little
    return bool(near.sum() > 10_000)


@pytest.mark.parametrize(
    ("ending", "kind"), [(".jpg", "JPEG"), (".JPEG", "JPEG"), (".png", "PNG"), (".webp", "WEBP")]
)
def test_a_sheet_shows_the_query_and_its_matches(
    tmp_path: Path, result: tuple[str, Matches], ending: str, kind: str
) -> None:
    path = tmp_path / f"sheet{ending}"
    write_sheet(path, [result])
    with Image.open(path) as picture:
        assert picture.format == kind
        assert _has_colour(picture, (255, 0, 0))
        assert _has_colour(picture, (0, 255, 0))


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_an_earlier_sheet_is_replaced(
    tmp_path: Path, result: tuple[str, Matches], ending: str
) -> None:
    path = tmp_path / f"sheet{ending}"
    write_sheet(path, [result])
    before = path.read_bytes()
    with Image.open(path) as picture:
        one_band = picture.height
    write_sheet(path, [result, result])
    with Image.open(path) as picture:
        assert picture.height == 2 * one_band
    assert path.read_bytes() != before


@pytest.mark.parametrize("name", ["query.png", "match.png"])
def test_a_photo_is_never_replaced(tmp_path: Path, result: tuple[str, Matches], name: str) -> None:
    before = (tmp_path / name).read_bytes()
    with pytest.raises(ReportError, match="no contact sheet; it was left alone"):
        write_sheet(tmp_path / name, [result])
    assert (tmp_path / name).read_bytes() == before


def test_a_text_file_a_folder_and_a_dead_link_are_never_replaced(
    tmp_path: Path, result: tuple[str, Matches]
) -> None:
    (tmp_path / "text.jpg").write_text("somebody's")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere")
    for name in ("text.jpg", "folder.jpg", "link.jpg"):
        with pytest.raises(ReportError, match="left alone"):
            write_sheet(tmp_path / name, [result])
    assert (tmp_path / "text.jpg").read_text() == "somebody's"


def test_another_ending_is_refused_before_anything_is_drawn(
    tmp_path: Path, result: tuple[str, Matches]
) -> None:
    for name in ("sheet.gif", "sheet", "sheet.html"):
        with pytest.raises(ReportError, match=r"must end in one of: \.jpeg, \.jpg, \.png, \.webp"):
            write_sheet(tmp_path / name, [result])
        assert not (tmp_path / name).exists()


def test_a_folder_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, result: tuple[str, Matches]
) -> None:
    with pytest.raises(ReportError, match="cannot be written: No such file") as caught:
        write_sheet(tmp_path / "nowhere" / "sheet.jpg", [result])
    assert isinstance(caught.value, OSError)


def test_a_failed_write_leaves_the_earlier_sheet(
    tmp_path: Path, result: tuple[str, Matches], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sheet.jpg"
    write_sheet(path, [result])
    before, files = path.read_bytes(), sorted(os.listdir(tmp_path))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ReportError, match="No space left"):
        write_sheet(path, [result])
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == files


def test_a_query_that_failed_has_a_band_with_the_reason(tmp_path: Path) -> None:
    failed = Matches(query="gone.jpg", error=ImageNotFoundError("gone.jpg"))
    path = tmp_path / "sheet.png"
    write_sheet(path, [("gone.jpg", failed), ("gone.jpg", Matches(query="gone.jpg"))])
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L")).min() < 128, "something is written there"


def test_no_results_at_all_make_an_empty_sheet(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", [])
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size == (1, 1)


def test_odd_and_very_long_names_fit_into_their_cells(tmp_path: Path) -> None:
    name = "\udcff\n\u202e🐈" + "x" * 500
    image = ImageRecord(1, f"/none/{name}", 1, 1, 1, 0, "a" * 64, "PNG")
    path = tmp_path / "sheet.png"
    write_sheet(path, [(name, Matches([Match(1.0, image)], query=name))])
    with Image.open(path) as picture:
        cells = np.asarray(picture.convert("L"))
    right_of_the_cell = cells[:, 2 * (220 + 16) + 32 : 3 * (220 + 16)]
    assert right_of_the_cell.min() == 255


def test_a_sheet_ends_where_no_picture_could_be_taller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "_MAX_HEIGHT_PX", 700)
    write_sheet(tmp_path / "sheet.png", [("q", Matches(query="q"))] * 5)
    with Image.open(tmp_path / "sheet.png") as picture:
        assert 300 < picture.height <= 700
