"""Symbolic links of every kind: left alone and named, or followed to an end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import ImageIndex, ScanSettings

QUICK_SECONDS = 30.0
"""For a scan of a handful of files, which takes milliseconds; a hang would take for ever."""


FOLLOW = ScanSettings(follow=True)


# ---------------------------------------------------------------- links


@pytest.fixture
def linked(photos: Path, tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """The photos, among links of every kind."""
    make_photo(tmp_path / "outside" / "x.png", seed=50)
    make_photo(tmp_path / "outside" / "more" / "y.png", seed=51)
    (photos / "loop").symlink_to("loop")
    (photos / "parent").symlink_to("..")
    (photos / "self").symlink_to(".")
    (photos / "deep" / "up").symlink_to(photos)
    (photos / "broken.jpg").symlink_to("nowhere")
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "outside.png").symlink_to(tmp_path / "outside" / "x.png")
    (photos / "folder").symlink_to(tmp_path / "outside" / "more")
    return photos


def test_case_30_links_are_left_alone_and_named(
    index: ImageIndex, linked: Path, counts: Callable[..., dict[str, int]]
) -> None:
    (linked / "root").symlink_to("/")
    report = index.sync(linked)
    assert counts(report) == {"added": 4}
    named = {
        os.path.relpath(warning.partition(": ")[0], linked)
        for warning in report.warnings
        if "symbolic link" in warning
    }
    pictures = {"broken.jpg", "loop.jpg", "outside.png"}
    assert named == {"parent", "self", "deep/up", "folder", "root", *pictures}


def test_case_30_following_links_ends_and_takes_each_file_once(
    index: ImageIndex,
    linked: Path,
    ids_of: Callable[..., dict[str, int]],
) -> None:
    (linked / "parent").unlink()  # or the index would be below the root
    index.sync(linked, scan=FOLLOW)
    contents = [os.path.basename(os.path.realpath(path)) for path in ids_of(index)]
    assert sorted(contents) == ["a.png", "b.png", "c.png", "d.png", "x.png", "y.png"]
    index.sync(linked, scan=FOLLOW)
    assert len(index) == 6


SCAN_IN_A_JAIL = """
import json, os, sys
from mobisearch.imaging import ScannedFile, ScanSettings, scan_folder
os.chroot(sys.argv[1])
os.chdir("/")
found = list(scan_folder("/photos", ScanSettings(follow=True)))
print(json.dumps([f.path for f in found if isinstance(f, ScannedFile)]))
"""


def test_case_30_a_followed_link_to_the_root_of_the_system_ends(
    linked: Path, tmp_path: Path, skip_case: Callable[[str], object]
) -> None:
    """In a system of its own, which is small: the temporary folder is its root."""
    if not hasattr(os, "chroot") or os.geteuid() != 0:
        skip_case("only root can make a folder the root of the system")
    (linked / "root").symlink_to("/")
    done = subprocess.run(
        [sys.executable, "-c", SCAN_IN_A_JAIL, tmp_path],
        capture_output=True,
        text=True,
        timeout=QUICK_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    names = sorted(os.path.basename(path) for path in json.loads(done.stdout))
    assert names == ["a.png", "b.png", "c.png", "d.png", "x.png", "y.png"]
