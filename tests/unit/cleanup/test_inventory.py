"""What is in a folder: nothing is passed over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch.cleanup.inventory import Inventory, take_inventory
from mobisearch.errors import RootUnavailableError


@pytest.fixture
def folder(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    folder = Path(os.path.realpath(tmp_path)) / "card"
    make_photo(folder / "a.jpg", seed=1)
    return folder


def names(inventory: Inventory, folder: Path) -> dict[str, list[str]]:
    """Return what was found, by kind, with paths below the folder."""
    below = len(str(folder)) + 1
    return {
        "pictures": sorted(path[below:] for path in inventory.pictures),
        "unseen": sorted(failure.path[below:] for failure in inventory.unseen),
        "others": sorted(other.path[below:] for other in inventory.others),
    }


def test_pictures_are_found_whatever_they_are_called_and_wherever_they_are(folder: Path) -> None:
    strange = [
        "b",
        "b.bak",
        "b.mp4",
        "b.txt",
        ".b.jpg",
        ".private/b.jpg",
        "x/.y/z/b",
        "Trash/b.jpg",
    ]
    strange += ["lost+found/#12", "__MACOSX/b.jpg", "thumbnails/b.jpg"]
    for name in strange:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.jpg", folder / name)
    (folder / "film.mov").write_bytes(b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ")
    (folder / "note.txt").write_text("BMW, and so on")
    assert names(take_inventory(str(folder)), folder) == {
        "pictures": sorted(["a.jpg", *strange]),
        "unseen": [],
        "others": ["film.mov", "note.txt"],
    }


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.mov", b"film"),
        ("a.MP4", b""),
        ("a.mts", b"film"),
        ("a.wav", b"sound"),
        ("no ending", b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "),
        ("old", b"\x00\x00\x00\x08wide\x00\x00"),
        ("a.bak", b"RIFF\x00\x00\x00\x00AVI LIST"),
        ("a.bin", b"\x1aE\xdf\xa3"),
    ],
)
def test_films_and_sound_are_known_by_name_or_by_first_bytes(
    folder: Path, name: str, data: bytes
) -> None:
    (folder / name).write_bytes(data)
    (folder / "._a.mov").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    (folder / "note.txt").write_text("no film")
    found = take_inventory(str(folder)).others
    assert [os.path.basename(other.path) for other in found if other.is_film] == [name]


def test_pictures_that_are_not_read_are_unseen_by_name_or_by_first_bytes(folder: Path) -> None:
    (folder / "b.CR2").write_bytes(b"raw")
    (folder / "b.bak").write_bytes(b"II*\x00 camera raw, or not")
    (folder / "b.orig").write_bytes(b"8BPS\x00\x01")
    found = take_inventory(str(folder))
    assert names(found, folder)["unseen"] == ["b.CR2", "b.bak", "b.orig"]
    reasons = {os.path.basename(failure.path): failure.reason for failure in found.unseen}
    assert ".cr2 files are not read" in reasons["b.CR2"]
    assert "TIFF or camera raw" in reasons["b.bak"]
    assert "Photoshop" in reasons["b.orig"]


def test_folders_of_trash_and_thumbnails_are_left_out_and_what_is_in_them_is_counted(
    folder: Path,
) -> None:
    left_out = ["@eaDir", ".thumbnails", "$RECYCLE.BIN", ".Trash-1000", "x/.Trashes"]
    for name in left_out:
        (folder / name / "files").mkdir(parents=True)
        shutil.copy(folder / "a.jpg", folder / name / "files" / "b")
        shutil.copy(folder / "a.jpg", folder / name / ".c.jpg")
        (folder / name / "note.txt").write_text("no picture")
    found = take_inventory(str(folder))
    assert names(found, folder) == {"pictures": ["a.jpg"], "unseen": [], "others": sorted(left_out)}
    assert {(other.is_folder, other.pictures) for other in found.others} == {(True, 2)}


def test_what_macos_keeps_beside_a_photo_is_no_photo(folder: Path) -> None:
    (folder / "._a.jpg").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    shutil.copy(folder / "a.jpg", folder / "._b.jpg")
    found = names(take_inventory(str(folder)), folder)
    assert (found["pictures"], found["others"]) == (["._b.jpg", "a.jpg"], ["._a.jpg"])


def test_links_are_named_and_not_followed(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    shutil.copy(folder / "a.jpg", other / "b.jpg")
    try:
        (folder / "to folder").symlink_to(other)
        (folder / "to file.jpg").symlink_to(other / "b.jpg")
        (folder / "to itself").symlink_to(folder)
    except OSError:
        pytest.skip("this system makes no symbolic links")
    found = names(take_inventory(str(folder)), folder)
    assert found["pictures"] == ["a.jpg"]
    assert found["others"] == ["to file.jpg", "to folder", "to itself"]


def test_folders_and_files_that_the_system_refuses_are_unseen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()
    (folder / "unknown").write_bytes(b"?")
    scan, start = os.scandir, os.open

    def refuse(call: Callable[..., object], name: str) -> Callable[..., object]:
        def refusing(path: str, *rest: object) -> object:
            if os.path.basename(path) == name:
                raise PermissionError(13, "Permission denied")
            return call(path, *rest)

        return refusing

    monkeypatch.setattr(os, "scandir", refuse(scan, "closed"))
    monkeypatch.setattr(os, "open", refuse(start, "unknown"))
    found = take_inventory(str(folder))
    assert names(found, folder)["unseen"] == ["closed", "unknown"]
    assert {failure.code for failure in found.unseen} == {"unreadable"}
    monkeypatch.setattr(os, "scandir", refuse(scan, "card"))
    with pytest.raises(RootUnavailableError, match="cannot be read: Permission denied"):
        take_inventory(str(folder))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_what_is_no_file_holds_no_photo_and_stops_nothing(folder: Path) -> None:
    os.mkfifo(folder / "b.jpg")
    found = names(take_inventory(str(folder)), folder)
    assert (found["pictures"], found["others"]) == (["a.jpg"], ["b.jpg"])


def test_a_deep_tree_is_walked_without_recursion(folder: Path) -> None:
    path = folder
    for _ in range(150):
        path /= "d"
    path.mkdir(parents=True)
    shutil.copy(folder / "a.jpg", path / "b.jpg")
    assert len(take_inventory(str(folder)).pictures) == 2
