"""One file under several names is one photo."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import ImageIndex, ScanSettings
from mobisearch.types import SyncReport

PhotoMaker = Callable[..., Path]
COUNTED = ("added", "updated", "moved", "returned", "unchanged", "missing", "failed", "doubles")

pytestmark = pytest.mark.usefixtures("trusted_stamps")


def counts(report: SyncReport) -> dict[str, int]:
    return {name: getattr(report, name) for name in COUNTED if getattr(report, name)}


def names(index: ImageIndex) -> dict[str, int]:
    """Return name -> id of everything that can be found, by searching for all of it."""
    folder = Path(index.status().path).parent
    found = {}
    for path in [*folder.rglob("*.png")]:
        for match in index.search(path, k=100):
            found[os.path.relpath(match.image.path, folder)] = match.image.id
    return found


@pytest.fixture
def photos(tmp_path: Path, make_photo: PhotoMaker) -> Path:
    for seed, name in enumerate(["b.png", "c.png"]):
        make_photo(tmp_path / "photos" / name, seed=seed)
    return tmp_path / "photos"


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        pytest.skip(f"no hard links here: {error.strerror}")


def test_a_hard_link_that_is_new_is_not_an_image_of_its_own(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    before = names(index)
    link(photos / "b.png", photos / "a.png")  # it comes first in the order of names
    for _ in range(2):
        assert counts(index.sync(photos))["doubles"] == 1
        assert names(index) == before
        assert len(index) == 2


def test_of_hard_links_that_are_all_new_one_is_taken(index: ImageIndex, photos: Path) -> None:
    link(photos / "b.png", photos / "a.png")
    link(photos / "b.png", photos / "z.png")
    assert counts(index.sync(photos)) == {"added": 2, "doubles": 2}
    assert set(names(index)) == {"photos/a.png", "photos/c.png"}
    assert counts(index.sync(photos)) == {"unchanged": 2, "doubles": 2}


def test_a_copy_is_an_image_of_its_own(index: ImageIndex, photos: Path) -> None:
    shutil.copy2(photos / "b.png", photos / "a.png")  # same size, same time
    assert counts(index.sync(photos)) == {"added": 3}


def test_the_other_name_takes_over_when_the_first_is_deleted(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    image_id = names(index)["photos/b.png"]
    link(photos / "b.png", photos / "z.png")
    index.sync(photos)
    (photos / "b.png").unlink()
    assert counts(index.sync(photos)) == {"moved": 1, "unchanged": 1}
    assert names(index)["photos/z.png"] == image_id


def test_a_link_in_another_root_is_found_out_without_being_read(
    index: ImageIndex, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    (tmp_path / "snapshot").mkdir()
    link(photos / "b.png", tmp_path / "snapshot" / "b.png")
    link(photos / "c.png", tmp_path / "snapshot" / "c.png")
    index.sync(photos)  # its files have a new change time now
    from mobisearch import pipeline

    monkeypatch.setattr(pipeline, "read_file", None)
    assert counts(index.sync(tmp_path / "snapshot")) == {"doubles": 2}
    assert len(index) == 2


def test_copies_that_become_links_are_one_image_from_then_on(
    index: ImageIndex, photos: Path
) -> None:
    """As after a tool that saves space."""
    shutil.copy2(photos / "b.png", photos / "d.png")
    index.sync(photos)
    first = names(index)["photos/b.png"]
    (photos / "d.png").unlink()
    link(photos / "b.png", photos / "d.png")
    assert counts(index.sync(photos)) == {"unchanged": 2, "doubles": 1}
    assert names(index)["photos/b.png"] == first
    assert len(index) == 2
    assert index.verify().ok


def test_a_link_that_becomes_a_file_of_its_own_becomes_an_image_of_its_own(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    link(photos / "b.png", photos / "d.png")
    index.sync(photos)
    (photos / "d.png").unlink()
    make_photo(photos / "d.png", seed=9)
    assert counts(index.sync(photos))["added"] == 1
    assert len(index) == 3


def test_a_folder_that_is_mounted_twice_holds_its_photos_once(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    (photos / "again").mkdir()
    (tmp_path / "source").mkdir()
    shutil.move(photos / "c.png", tmp_path / "source" / "c.png")
    (photos / "first").mkdir()
    mounted = []
    try:
        for name in ("again", "first"):
            done = subprocess.run(
                ["mount", "--bind", str(tmp_path / "source"), str(photos / name)],
                capture_output=True,
            )
            if done.returncode:
                pytest.skip("nothing can be mounted here")
            mounted.append(photos / name)
        assert counts(index.sync(photos)) == {"added": 2, "doubles": 1}
        assert counts(index.sync(photos)) == {"unchanged": 2, "doubles": 1}
    finally:
        for place in mounted:
            subprocess.run(["umount", str(place)], check=True)


def test_a_followed_link_to_what_is_there_anyway_changes_nothing(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    index.sync(photos)
    before = names(index)
    (photos / "a").symlink_to(photos)
    (photos / "a.png").symlink_to(photos / "b.png")
    report = index.sync(photos, scan=ScanSettings(follow=True))
    assert counts(report) == {"unchanged": 2, "doubles": 1}
    assert names(index) == before


def test_a_damaged_file_with_two_names_counts_the_same_each_time(
    index: ImageIndex, photos: Path
) -> None:
    (photos / "junk.png").write_bytes(b"no picture")
    link(photos / "junk.png", photos / "z junk.png")
    assert counts(index.sync(photos)) == {"added": 2, "failed": 1, "doubles": 1}
    assert counts(index.sync(photos)) == {"unchanged": 2, "failed": 1, "doubles": 1}


def test_a_folder_with_links_in_it_that_was_away_comes_back_as_it_was(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    (photos / "deep").mkdir()
    shutil.move(photos / "c.png", photos / "deep" / "c.png")
    link(photos / "deep" / "c.png", photos / "deep" / "d.png")
    index.sync(photos)
    shutil.move(photos / "deep", tmp_path / "away")
    assert counts(index.sync(photos)) == {"unchanged": 1, "missing": 1}
    shutil.move(tmp_path / "away", photos / "deep")
    assert counts(index.sync(photos)) == {"unchanged": 1, "returned": 1, "doubles": 1}
    assert len(index) == 2


def test_the_name_that_a_copy_was_linked_to_stays_even_if_the_copy_was_there_first(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    shutil.copy2(photos / "b.png", photos / "z.png")
    index.sync(photos)
    before = names(index)
    assert before["photos/b.png"] < before["photos/z.png"]
    (photos / "b.png").unlink()
    link(photos / "z.png", photos / "b.png")
    for _ in range(2):
        assert counts(index.sync(photos))["doubles"] == 1
        left = {name: number for name, number in before.items() if name != "photos/b.png"}
        assert names(index) == left
