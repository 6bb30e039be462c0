"""Files that belong to a photo, by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobisearch.duplicates import CompanionFinder, CompanionKind, find_companions
from mobisearch.duplicates.companions import RAW_EXTENSIONS, without_companions


def companions(folder: Path, photo: str) -> dict[str, CompanionKind]:
    found = find_companions(str(folder / photo))
    return {Path(companion.path).name: companion.kind for companion in found}


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("photo", "other", "kind"),
    [
        *(("IMG_1.JPG", f"IMG_1{ending.upper()}", "RAW") for ending in sorted(RAW_EXTENSIONS)),
        ("IMG_1.jpg", "img_1.dng", "RAW"),
        ("IMG_1.HEIC", "IMG_1.DNG", "RAW"),
        ("IMG_1.HEIC", "IMG_1.MOV", "film"),
        ("IMG_1.JPG", "IMG_1.mp4", "film"),
        ("IMG_1.JPG", "IMG_1.xmp", "sidecar"),
        ("IMG_1.JPG", "IMG_1.JPG.xmp", "sidecar"),
        ("scan.tif", "scan.xmp", "sidecar"),
        ("IMG_1.HEIC", "IMG_1.AAE", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.json", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.suppl.json", "sidecar"),
        ("a.b.jpg", "a.b.CR2", "RAW"),
    ],
)
def test_a_companion_is_known_by_its_name(
    tmp_path: Path, photo: str, other: str, kind: str
) -> None:
    fill(tmp_path, photo, other)
    assert companions(tmp_path, photo) == {other: CompanionKind(kind)}


@pytest.mark.parametrize(
    ("photo", "other"),
    [
        ("IMG_1.jpg", "IMG_10.CR2"),
        ("IMG_1.jpg", "IMG_1.png"),
        ("IMG_1.png", "IMG_1.CR2"),
        ("IMG_1.png", "IMG_1.mov"),
        ("IMG_1.jpg", "IMG_1.json"),
        ("IMG_1.jpg", "IMG_1.jpg.notes.json"),
        ("IMG_1.jpg", "IMG_1.png.xmp"),
        ("IMG_1.jpg", "IMG_1.txt"),
        ("IMG_1.jpg", "IMG_1(1).CR2"),
        ("IMG_1.CR2", "IMG_1.xmp"),
    ],
)
def test_what_only_looks_like_one_is_none(tmp_path: Path, photo: str, other: str) -> None:
    fill(tmp_path, photo, other)
    assert companions(tmp_path, photo) == {}


def test_a_companion_is_in_the_folder_of_its_photo(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    fill(tmp_path, "IMG_1.jpg")
    fill(tmp_path / "raw", "IMG_1.CR2")
    (tmp_path / "IMG_1.NEF").symlink_to(tmp_path / "raw" / "IMG_1.CR2")
    assert companions(tmp_path, "IMG_1.jpg") == {}
    assert companions(tmp_path / "nowhere", "IMG_1.jpg") == {}


def test_a_companion_of_two_photos_is_shared(tmp_path: Path) -> None:
    fill(tmp_path, "IMG_1.HEIC", "IMG_1.JPG", "IMG_1.MOV", "IMG_1.png")
    finder = CompanionFinder()
    shared = finder.sharers(str(tmp_path / "IMG_1.MOV"), str(tmp_path / "IMG_1.HEIC"))
    assert shared == (str(tmp_path / "IMG_1.JPG"),)


def test_companions_among_paths_can_be_left_out() -> None:
    assert without_companions(["/nowhere/a.jpg", "/nowhere/a.CR2"]) == [
        "/nowhere/a.jpg",
        "/nowhere/a.CR2",
    ], "there is no such folder, so nothing belongs to anything"
