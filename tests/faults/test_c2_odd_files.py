"""What is no picture, or is too many, too deep, too long, or our own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex, ScanSettings

QUICK_SECONDS = 30.0
"""For a scan of a handful of files, which takes milliseconds; a hang would take for ever."""


# ---------------------------------------------------------------- what is no file


def _make_socket(path: Path) -> None:
    folder = os.getcwd()
    os.chdir(path.parent)  # a socket's name may be a hundred characters long at most
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(folder)


def _make_device(number: int) -> Callable[[Path], None]:
    return lambda path: os.mknod(path, 0o600 | 0o020000, os.makedev(1, number))


ODD_FILES: dict[str, Callable[[Path], object]] = {
    "FIFO": lambda path: os.mkfifo(path),
    "socket": _make_socket,
    "null device": _make_device(3),
    "endless device": _make_device(5),
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_case_32_what_is_no_file_is_passed_over_at_once(
    index: ImageIndex,
    photos: Path,
    skip_case: Callable[[str], object],
    kind: str,
) -> None:
    odd = photos / "odd.jpg"
    try:
        ODD_FILES[kind](odd)
    except (PermissionError, AttributeError) as error:
        skip_case(f"a {kind} cannot be made here ({error})")
    start = time.monotonic()
    report = index.sync(photos)
    assert report.added == 4
    assert index.add([odd]).failures[0].code == "unsupported"
    assert time.monotonic() - start < QUICK_SECONDS
    assert len(index) == 4


def test_case_32_a_file_that_claims_to_be_empty_and_is_not_is_no_hang(
    index: ImageIndex, photos: Path, mounts: Any, skip_case: Callable[[str], object]
) -> None:
    """As the files of /proc are."""
    if not os.path.exists("/proc/version"):
        skip_case("this system has no /proc")
    (photos / "odd.jpg").touch()
    mounts.bind(Path("/proc/version"), photos / "odd.jpg")
    report = index.sync(photos)
    assert (report.added, report.failed) == (4, 1)
    assert report.failures[0].code in ("unreadable", "corrupt", "unsupported")


# ---------------------------------------------------------------- many, deep, long


LIST_MANY = """
import os, resource, sys
from mobisearch.imaging import ScannedFile, scan_folder
folder, n_files = sys.argv[1], int(sys.argv[2])
handle = os.open(folder, os.O_RDONLY)
for number in range(n_files):
    os.mknod(f"{number:06}.jpg", dir_fd=handle)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n_found = sum(isinstance(found, ScannedFile) for found in scan_folder(folder))
print(n_found, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10)
"""


@pytest.mark.slow
def test_case_35_two_hundred_thousand_files_in_one_folder_take_bounded_memory(
    tmp_path: Path,
) -> None:
    n_files, most_bytes = 200_000, 400 << 20
    memory = Path("/dev/shm")  # where it is there, it makes files in a quarter of the time
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else tmp_path))
    try:
        done = subprocess.run(
            [sys.executable, "-c", LIST_MANY, folder, str(n_files)],
            capture_output=True,
            text=True,
            timeout=240,
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    n_found, used = map(int, done.stdout.split())
    assert n_found == n_files
    assert used < most_bytes


def test_case_35_a_tree_deeper_than_paths_can_be_costs_only_what_is_too_deep(
    index: ImageIndex,
    photos: Path,
    ids_of: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
    fake_embedder: Embedder,
) -> None:
    n_levels, name = 2_000, "d1"
    longest = os.pathconf(photos, "PC_PATH_MAX")
    handle = os.open(photos, os.O_RDONLY)
    expected = set(map(str, photos.rglob("*.png")))
    path = str(photos)
    try:
        for level in range(n_levels):
            if level % 100 == 50:
                copy = os.open("a.png", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=handle)
                os.write(copy, (photos / "a.png").read_bytes())
                os.close(copy)
                if len(path) + len("/a.png") < longest:
                    expected.add(f"{path}/a.png")
            os.mkdir(name, dir_fd=handle)
            below = os.open(name, os.O_RDONLY, dir_fd=handle)
            os.close(handle)
            handle = below
            path += f"/{name}"
        assert len(path) > longest
        report = index.sync(photos)
        assert set(ids_of(index)) == expected
        assert len(expected) > 10
        assert any("too long" in warning for warning in report.warnings)
        assert len(report.warnings) < 3
        assert index.sync(photos, prune=True).pruned == 0
    finally:
        os.close(handle)
        subprocess.run(["rm", "-rf", photos / name], check=True)


def test_case_35_a_name_of_255_bytes_is_indexed(
    index: ImageIndex, photos: Path, ids_of: Callable[..., dict[str, int]]
) -> None:
    longest = (photos / "a.png").rename(photos / ("x" * 251 + ".png"))
    index.sync(photos)
    assert str(longest) in ids_of(index)


# ---------------------------------------------------------------- an index among the photos


@pytest.mark.parametrize("place", ["index", ".index", "deep/index", "deep"])
def test_case_38_an_index_inside_the_root_is_left_out(
    photos: Path,
    fake_embedder: Embedder,
    make_photo: Callable[..., Path],
    ids_of: Callable[..., dict[str, int]],
    place: str,
) -> None:
    if place == "deep":
        shutil.rmtree(photos / "deep")
    expected = {str(path) for path in photos.rglob("*.png")}
    with ImageIndex.create(photos / place, fake_embedder) as index:
        make_photo(photos / place / "trap.png", seed=70)
        make_photo(photos / place / "segments" / "trap.png", seed=71)
        for _ in range(2):
            index.sync(photos, scan=ScanSettings(hidden=True))
            assert set(ids_of(index)) == expected


@pytest.mark.parametrize(
    "name", [".Trash-1000", ".Trash", "$RECYCLE.BIN", "#recycle", "@Recycle", ".thumbnails"]
)
def test_case_38_trash_inside_the_root_is_left_out(
    index: ImageIndex, photos: Path, make_photo: Callable[..., Path], name: str
) -> None:
    make_photo(photos / name / "files" / "thrown away.png", seed=70)
    assert index.sync(photos).added == 4
