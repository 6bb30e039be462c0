"""Files that belong to a photo, by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobisearch.duplicates import CompanionFinder, CompanionKind, find_companions
from mobisearch.duplicates.companions import without_companions
from mobisearch.imaging.formats import RAW_EXTENSIONS

STEM_47 = "Screenshot_2024-05-17-19-03-11_com.android.chro"
"""To so many characters Takeout cuts the name of a photo, without its ending."""


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
        *(("IMG_1.JPG", f"IMG_1.{ending}", "film") for ending in ("AVI", "3gp", "MTS", "m4v")),
        ("GOPR0001.JPG", "GOPR0001.LRV", "film"),
        ("IMG_2021_00_001.jpg", "IMG_2021_00_001.insv", "film"),
        ("IMG_1.JPG", "IMG_1.xmp", "sidecar"),
        ("IMG_1.JPG", "IMG_1.VRD", "sidecar"),
        ("IMG_1.JPG", "IMG_1.dr4", "sidecar"),
        ("IMG_1.JPG", "IMG_1_01.JPG.xmp", "sidecar"),
        ("IMG_1.tif", "IMG_1_100.tif.XMP", "sidecar"),
        ("IMG_01.jpg", "IMG_01.jpg.xmp", "sidecar"),
        ("IMG_01.jpg", "IMG_01_02.jpg.xmp", "sidecar"),
        ("IMG_1.JPG", "IMG_1.JPG.xmp", "sidecar"),
        ("scan.tif", "scan.xmp", "sidecar"),
        ("IMG_1.HEIC", "IMG_1.AAE", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.json", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.suppl.json", "sidecar"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json", "sidecar"),
        ("IMG_1(12).JPG", "IMG_1.JPG.supplemental-metadata(12).json", "sidecar"),
        ("IMG_1(1).jpg", "IMG_1(1).jpg.json", "sidecar"),
        ("IMG_1(1)(2).jpg", "IMG_1(1).jpg(2).json", "sidecar"),
        ("IMG_1(1).jpg", "IMG_1(1).CR2", "RAW"),
        ("IMG.1(1).jpg", "IMG.1(1).jpg.xmp", "sidecar"),
        (f"{STEM_47}.jpg", f"{STEM_47[:46]}.json", "sidecar"),
        (f"{STEM_47}(1).jpg", f"{STEM_47[:46]}(1).json", "sidecar"),
        (f"{STEM_47[:46]}.jpg", f"{STEM_47[:46]}.json", "sidecar"),
        (f"{STEM_47[:45]}.jpg", f"{STEM_47[:45]}..json", "sidecar"),
        (f"{STEM_47[:44]}.jpg", f"{STEM_47[:44]}.j.json", "sidecar"),
        (f"{STEM_47[:41]}.jpg", f"{STEM_47[:41]}.jpg..json", "sidecar"),
        (f"{STEM_47[:25]}.jpg", f"{STEM_47[:25]}.jpg.supplemental-met.json", "sidecar"),
        (f"{STEM_47[:25]}(2).jpg", f"{STEM_47[:25]}.jpg.supplemental-met(2).json", "sidecar"),
        ("IMG_1.jpg", "IMG_1.jpg.pp3", "sidecar"),
        ("IMG_1.tif", "IMG_1.tif.dop", "sidecar"),
        ("IMG_1.JPG", "IMG_1.THM", "sidecar"),
        ("IMG_1.JPG", "IMG_1.wav", "sidecar"),
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
        ("IMG_1.jpg", "IMG_1.jpg(1).json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata(1).json"),
        ("IMG_1(1).jpg", "IMG_1.jpg.json"),
        ("IMG_1(1).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1(1).jpg", "IMG_1.json"),
        (f"{STEM_47}.jpg", f"{STEM_47[:45]}.json"),
        (f"{STEM_47}.jpg", f"{STEM_47[:46]}(1).json"),
        (f"{STEM_47[:44]}.jpg", f"{STEM_47[:44]}.json"),
        ("IMG_1.jpg", "IMG_1.jpg..json"),
        ("IMG_1.jpg", "IMG_1.pp3"),
        ("IMG_1.jpg", "IMG_1.CR2.pp3"),
        ("IMG_1.png", "IMG_1.wav"),
        ("IMG_1.jpg", "IMG_1.jpg.wav"),
        ("IMG_1.jpg", "IMG_1_1.jpg.xmp"),
        ("IMG_1.jpg", "IMG_1_01.tif.xmp"),
        ("IMG_1.jpg", "IMG_1_01.xmp"),
        ("IMG_1.jpg", "IMG_1_01.jpg.pp3"),
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


def test_a_sidecar_with_a_number_belongs_to_the_photo_with_that_number(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "a_01.jpg", "a_01.jpg.xmp", "a_02.jpg.xmp")
    assert list(companions(tmp_path, "a.jpg")) == ["a_02.jpg.xmp"]
    assert list(companions(tmp_path, "a_01.jpg")) == ["a_01.jpg.xmp"]
    finder = CompanionFinder()
    for sidecar, photo in (("a_01.jpg.xmp", "a_01.jpg"), ("a_02.jpg.xmp", "a.jpg")):
        assert finder.sharers(str(tmp_path / sidecar), str(tmp_path / photo)) == ()
    (tmp_path / "a_01.jpg").unlink()
    assert list(companions(tmp_path, "a.jpg")) == ["a_01.jpg.xmp", "a_02.jpg.xmp"]
    of_none = CompanionFinder().sharers(str(tmp_path / "a_02.jpg.xmp"), str(tmp_path / "b.jpg"))
    assert of_none == (str(tmp_path / "a.jpg"),)


def test_a_sidecar_of_two_photos_whose_names_are_cut_alike_is_shared(tmp_path: Path) -> None:
    fill(tmp_path, f"{STEM_47}.jpg", f"{STEM_47[:46]}x.jpg", f"{STEM_47[:46]}.json")
    sidecar = str(tmp_path / f"{STEM_47[:46]}.json")
    shared = CompanionFinder().sharers(sidecar, str(tmp_path / f"{STEM_47}.jpg"))
    assert shared == (str(tmp_path / f"{STEM_47[:46]}x.jpg"),)


def test_numbered_photos_are_not_compared_with_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a folder of thousands would take minutes."""
    fill(tmp_path, *(f"Holiday ({n}).jpg" for n in range(50)), "Holiday .jpg(7).json")
    compared: list[str] = []
    monkeypatch.setattr(
        "mobisearch.duplicates.companions._kind_beside",
        lambda photo, other: compared.append(other),
    )
    finder = CompanionFinder()
    for n in range(50):
        finder.find(str(tmp_path / f"Holiday ({n}).jpg"))
    assert compared == ["Holiday .jpg(7).json"]


def test_companions_among_paths_can_be_left_out() -> None:
    assert without_companions(["/nowhere/a.jpg", "/nowhere/a.CR2"]) == [
        "/nowhere/a.jpg",
        "/nowhere/a.CR2",
    ], "there is no such folder, so nothing belongs to anything"
