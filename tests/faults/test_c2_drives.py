"""Drives that are away, and folders that refuse to be seen: nothing is forgotten."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import RootUnavailableError

# ---------------------------------------------------------------- drives that are away


class _Drive:
    """A drive with the photos of a folder, which can be away for a while."""

    def __init__(self, photos: Path, mounts: Any) -> None:
        self.path = photos.parent / "mounted"
        self.path.mkdir()
        self._content = photos
        self._mounts = mounts
        self.mount()

    def mount(self) -> None:
        self._mounts.bind(self._content, self.path)

    def unmount(self) -> None:
        self._mounts.unmount(self.path)


@pytest.fixture
def drive(photos: Path, mounts: Any) -> _Drive:
    """A mounted drive with the photos."""
    return _Drive(photos, mounts)


@pytest.mark.parametrize("prune", [False, True], ids=["", "prune"])
def test_case_27_an_unmounted_root_is_refused_and_nothing_is_forgotten(
    index: ImageIndex, drive: _Drive, ids_of: Callable[..., dict[str, int]], prune: bool
) -> None:
    index.sync(drive.path)
    before = ids_of(index)
    drive.unmount()
    assert list(drive.path.iterdir()) == []
    with pytest.raises(RootUnavailableError, match="mount it and try again"):
        index.sync(drive.path, prune=prune)
    assert ids_of(index) == before
    assert index.status().missing == 0


def test_case_27_an_unmounted_root_ends_the_command_with_66(
    drive: _Drive, tmp_path: Path, command: Callable[..., Any]
) -> None:
    where = ("--index", tmp_path / "index")
    assert command("index", drive.path, *where).code == 0
    drive.unmount()
    for words in (("index", drive.path), ("index", drive.path, "--prune")):
        done = command(*words, *where)
        assert done.code == 66
        assert str(drive.path) in done.stderr
    shutil.rmtree(drive.path)
    assert command("index", drive.path, *where).code == 66
    status = command("status", *where, "--json").document
    assert (status["images"], status["missing"]) == (4, 0)


@pytest.mark.usefixtures("trusted_stamps")
def test_case_29_a_drive_that_is_mounted_again_is_not_read_again(
    index: ImageIndex,
    drive: _Drive,
    reads: list[str],
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
) -> None:
    index.sync(drive.path)
    before = ids_of(index)
    drive.unmount()
    with pytest.raises(RootUnavailableError):
        index.sync(drive.path)
    drive.mount()
    reads.clear()
    assert counts(index.sync(drive.path, prune=True)) == {"unchanged": 4}
    assert reads == []
    assert ids_of(index) == before


@pytest.mark.usefixtures("trusted_stamps")
def test_case_29_files_that_were_missing_return_as_themselves_and_unread(
    index: ImageIndex,
    photos: Path,
    reads: list[str],
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
) -> None:
    index.sync(photos)
    before = ids_of(index)
    (photos / "deep").rename(photos.parent / "away")
    assert counts(index.sync(photos)) == {"unchanged": 3, "missing": 1}
    (photos.parent / "away").rename(photos / "deep")
    reads.clear()
    assert counts(index.sync(photos)) == {"unchanged": 3, "returned": 1}
    assert reads == []
    assert ids_of(index) == before


# ---------------------------------------------------------------- what refuses to be seen


@pytest.mark.parametrize("prune", [False, True], ids=["", "prune"])
def test_case_28_below_a_folder_without_permission_nothing_is_forgotten(
    open_path: Path,
    fake_embedder: Embedder,
    make_photo: Callable[..., Path],
    unprivileged: Callable[[], contextlib.AbstractContextManager[None]],
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
    prune: bool,
) -> None:
    photos = open_path / "photos"
    for seed in range(8):
        make_photo(photos / ("closed" if seed % 2 else "open") / f"{seed}.png", seed=seed)
    with (
        unprivileged(),
        ImageIndex.create(open_path / "index", fake_embedder) as index,
    ):
        assert index.sync(photos).added == 8
        before = ids_of(index)
    (photos / "closed").chmod(0)
    (photos / "open" / "0.png").unlink()
    try:
        with (
            unprivileged(),
            ImageIndex.open(open_path / "index", fake_embedder) as index,
        ):
            report = index.sync(photos, prune=prune)
            assert counts(report) == {"unchanged": 3, "missing": 1}
            assert any(str(photos / "closed") in warning for warning in report.warnings)
            assert {path for path in before if "closed" in path} <= ids_of(index).keys()
    finally:
        (photos / "closed").chmod(0o755)
    with unprivileged(), ImageIndex.open(open_path / "index", fake_embedder) as index:
        assert counts(index.sync(photos)) == {"unchanged": 7, "missing": 1}


@pytest.mark.parametrize("code", ["EIO", "EACCES", "ESTALE", "ENOTCONN"])
def test_case_28_below_a_folder_that_fails_nothing_is_pruned_in_that_root(
    index: ImageIndex,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
    code: str,
) -> None:
    index.sync(photos)
    (photos / "a.png").unlink()
    number = getattr(errno, code)
    scandir = os.scandir

    def fail(path: Any) -> Any:
        if os.fspath(path) == str(photos / "deep"):
            raise OSError(number, os.strerror(number), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", fail)
    report = index.sync(photos, prune=True)
    assert counts(report) == {"unchanged": 2, "missing": 1}
    assert str(photos / "deep" / "d.png") in ids_of(index)
    assert any("nothing was pruned" in warning for warning in report.warnings)
    monkeypatch.undo()
    assert counts(index.sync(photos, prune=True)) == {"unchanged": 3, "pruned": 1}
