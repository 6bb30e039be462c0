"""Which folders are of systems, not of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobisearch.imaging import holds_no_originals, trash_of


@pytest.mark.parametrize(
    ("path", "trash"),
    [
        ("/home/a/.local/share/Trash/files/x.jpg", "/home/a/.local/share/Trash"),
        ("/media/card/.Trash-1000/files/x.jpg", "/media/card/.Trash-1000"),
        ("/media/card/.Trash/1000/files/deep/x.jpg", "/media/card/.Trash"),
        ("/Volumes/card/.Trashes/501/x.jpg", "/Volumes/card/.Trashes"),
        ("/mnt/c/$Recycle.Bin/S-1-5/x.jpg", "/mnt/c/$Recycle.Bin"),
        ("/nas/#recycle/x/Trash/x.jpg", "/nas/#recycle"),
        ("/nas/@Recycle", "/nas/@Recycle"),
        ("/photos/trash/x.jpg", None),
        ("/photos/Trash.jpg", None),
        ("/photos/.Trashed.jpg", None),
    ],
)
def test_what_is_in_a_trash_is_told_by_the_names_on_its_way(path: str, trash: str | None) -> None:
    assert trash_of(path) == trash


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("@eaDir", True),
        (".thumbnails", True),
        (".cache/thumbnails", True),
        ("$RECYCLE.BIN", True),
        (".Trash-1000", True),
        ("System Volume Information", True),
        ("Trash", False),
        ("thumbnails", False),
        ("lost+found", False),
        (".private", False),
    ],
)
def test_originals_are_in_all_folders_but_those_of_systems(
    name: str, expected: bool, tmp_path: Path
) -> None:
    (tmp_path / name).mkdir(parents=True)
    assert holds_no_originals(str(tmp_path / name)) is expected


def test_a_folder_called_trash_is_one_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "Trash" / "files").mkdir(parents=True)
    assert not holds_no_originals(str(tmp_path / "Trash"))
    (tmp_path / "Trash" / "info").mkdir()
    assert holds_no_originals(str(tmp_path / "Trash"))
