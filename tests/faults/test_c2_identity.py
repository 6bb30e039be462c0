"""One file under several names and numbers."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mobisearch import ImageIndex

# ---------------------------------------------------------------- numbers that are too large


@pytest.fixture
def odd_numbers(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Inode and device numbers that the system gives from now on: ``inode_offset``, ``device``."""
    chosen = SimpleNamespace(inode_offset=0, device=None)
    stat, lstat, fstat, scandir = os.stat, os.lstat, os.fstat, os.scandir

    def odd(status: os.stat_result) -> os.stat_result:
        named = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        values = list(status[:10])
        values[1] = (status.st_ino + chosen.inode_offset) % 2**64
        values[2] = status.st_dev if chosen.device is None else chosen.device
        return os.stat_result(values, named)

    class Entry:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self._entry = entry
            self.name, self.path = entry.name, entry.path
            self.is_dir, self.is_file = entry.is_dir, entry.is_file
            self.is_symlink = entry.is_symlink

        def stat(self, **named: Any) -> os.stat_result:
            return odd(self._entry.stat(**named))

        def inode(self) -> int:
            return (self._entry.inode() + chosen.inode_offset) % 2**64

    @contextlib.contextmanager
    def odd_scandir(path: Any = ".") -> Iterator[Iterator[Entry]]:
        with scandir(path) as listing:
            yield (Entry(entry) for entry in listing)

    monkeypatch.setattr(os, "stat", lambda *a, **k: odd(stat(*a, **k)))
    monkeypatch.setattr(os, "lstat", lambda *a, **k: odd(lstat(*a, **k)))
    monkeypatch.setattr(os, "fstat", lambda *a, **k: odd(fstat(*a, **k)))
    monkeypatch.setattr(os, "scandir", odd_scandir)
    return chosen


@pytest.mark.usefixtures("trusted_stamps")
@pytest.mark.parametrize("offset", [2**63, 2**64 - 10**6], ids=["2^63", "2^64"])
def test_case_39_inodes_beyond_63_bits_are_stored(
    index: ImageIndex,
    photos: Path,
    odd_numbers: SimpleNamespace,
    reads: list[str],
    counts: Callable[..., dict[str, int]],
    offset: int,
) -> None:
    odd_numbers.inode_offset = offset
    assert counts(index.sync(photos)) == {"added": 4}
    reads.clear()
    assert counts(index.sync(photos)) == {"unchanged": 4}
    assert reads == []


@pytest.mark.usefixtures("trusted_stamps")
@pytest.mark.parametrize("device", [1, 2**63, 2**64 - 1])
def test_case_39_a_device_of_another_number_after_a_restart_costs_no_reading(
    index: ImageIndex,
    photos: Path,
    odd_numbers: SimpleNamespace,
    reads: list[str],
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
    device: int,
) -> None:
    index.sync(photos)
    before = ids_of(index)
    reads.clear()
    odd_numbers.device = device
    assert counts(index.sync(photos)) == {"unchanged": 4}
    assert reads == []
    assert ids_of(index) == before


# ---------------------------------------------------------------- one file, several names


def test_case_31_one_root_in_many_spellings_gives_each_photo_once(
    index: ImageIndex,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    counts: Callable[..., dict[str, int]],
) -> None:
    monkeypatch.chdir(photos)
    (photos.parent / "link").symlink_to(photos)
    roots = (photos, f"{photos}/", ".", "./deep/..", "deep", "./deep/", "../link", "../link/deep")
    for _ in range(2):
        index.sync(*roots)
        assert len(index) == 4
    assert index.status().roots == (str(photos),)
    for root in roots:
        assert counts(index.sync(root)).get("added", 0) == 0
    assert len(index) == 4


def test_case_31_a_root_around_a_known_root_takes_its_images_over(
    index: ImageIndex,
    photos: Path,
    counts: Callable[..., dict[str, int]],
) -> None:
    index.sync(photos / "deep")
    assert counts(index.sync(photos)) == {"added": 3, "unchanged": 1}
    assert counts(index.sync(photos / "deep")) == {"unchanged": 1}
    assert index.status().roots == (str(photos),)


def _case_insensitive(folder: Path, mounts: Any, skip_case: Callable[[str], object]) -> Path:
    """Return a folder in which upper and lower case are the same, or skip."""
    (folder / "case").mkdir()
    (folder / "case" / "a").touch()
    if (folder / "case" / "A").exists():
        return folder / "case"
    image = folder / "image"
    with open(image, "wb") as file:
        file.truncate(20 << 20)
    for command in (
        ["mkfs.ext4", "-q", "-O", "casefold", image],
        ["chattr", "+F", folder / "case"],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            skip_case("no file system without upper and lower case can be made here")
        if command[0] == "mkfs.ext4":
            (folder / "case" / "a").unlink()
            mounts.loop(image, folder / "case")
            (folder / "case" / "lost+found").rmdir()
    return folder / "case"


def test_case_31_a_root_in_upper_and_lower_case_gives_each_photo_once(
    index: ImageIndex,
    tmp_path: Path,
    mounts: Any,
    make_photo: Callable[..., Path],
    skip_case: Callable[[str], object],
) -> None:
    folder = _case_insensitive(tmp_path, mounts, skip_case)
    make_photo(folder / "photos" / "a.png", seed=1)
    index.sync(folder / "photos", folder / "PHOTOS")
    index.sync(folder / "Photos")
    assert len(index) == 1
