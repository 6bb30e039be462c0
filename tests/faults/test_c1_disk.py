"""Disks that are full or fail: nothing half done, and it goes on later."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import StorageError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from faultkit.disks import BATCH, MEGABYTE, N_PHOTOS, n_sound, try_to_sync


@pytest.mark.usefixtures("trusted_stamps")
def test_case_11_a_disk_that_grows_until_it_suffices_never_holds_part_of_a_batch(
    tmp_path: Path, many_photos: Path, wide: Embedder, mounts: Any, check_sound: Callable[..., None]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = 64 << 10
    mounts.tmpfs(disk, size=f"{size}")
    before = {path.name: path.read_bytes() for path in many_photos.iterdir()}
    held: list[int] = []
    while not try_to_sync(disk / "index", wide, many_photos):
        held.append(n_sound(disk / "index", wide))
        assert held[-1] % BATCH == 0 or held[-1] == N_PHOTOS, "all of a batch or nothing of it"
        assert size < 60 * MEGABYTE
        size += MEGABYTE
        mounts.resize(disk, f"{size}")
    assert held[0] == 0, "the first disk was too small for an empty index"
    assert held == sorted(held), "what was committed stays"
    assert len(set(held)) > 3, "it went on where it had ended"
    with ImageIndex.open(disk / "index", wide) as index:
        assert index.status().cached == len(index) == N_PHOTOS
        check_sound(index, wide)
    assert list((disk / "index" / "tmp").iterdir()) == []
    assert {path.name: path.read_bytes() for path in many_photos.iterdir()} == before


def test_case_11_a_full_disk_ends_the_command_with_74_and_the_name_of_the_folder(
    tmp_path: Path, many_photos: Path, mounts: Any, command: Callable[..., Any]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts.tmpfs(disk, size="1m")
    done = command("index", many_photos, "--index", disk / "index")
    assert done.code == 74
    assert str(disk / "index") in done.stderr
    assert "full" in done.stderr
    mounts.resize(disk, "60m")
    done = command("index", many_photos, "--index", disk / "index", "--json")
    assert (done.code, done.document["images"]) == (0, N_PHOTOS)


@pytest.mark.parametrize("code", ["ENOSPC", "EIO", "EDQUOT"])
def test_case_12_a_failure_that_shows_only_when_a_file_is_closed_is_raised(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    check_sound: Callable[..., None],
    code: str,
) -> None:
    system_open, system_close = os.open, os.close
    new_files: set[int] = set()

    def watched_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        handle = system_open(path, flags, *more, **named)
        if str(path).endswith(".faiss") and flags & os.O_CREAT:
            new_files.add(handle)
        return handle

    def failing_close(handle: int) -> None:
        system_close(handle)
        if handle in new_files:
            new_files.clear()
            raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", watched_open)
        patch.setattr(os, "close", failing_close)
        with pytest.raises(StorageError, match=str(tmp_path / "index")):
            index.sync(photos)
    assert list((tmp_path / "index" / "tmp").iterdir()) == []
    assert index.status().cached == 0, "a file that could not be closed is not believed"
    check_sound(index, fake_embedder)
    index.sync(photos)
    assert index.status().cached == len(index) == 4


def test_case_12_a_device_that_is_always_full_is_an_error_at_the_first_write(
    index: ImageIndex,
    photos: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    check_sound: Callable[..., None],
    skip_case: Callable[[str], object],
) -> None:
    if not os.path.exists("/dev/full"):
        skip_case("this system has no /dev/full")
    system_open = os.open

    def open_full(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path).endswith(".faiss") and flags & os.O_CREAT:
            return system_open("/dev/full", os.O_WRONLY)
        return system_open(path, flags, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_full)
        with pytest.raises(StorageError, match="disk is full"):
            index.sync(photos)
    check_sound(index, fake_embedder)


def test_case_12_a_system_that_writes_a_few_bytes_at_a_time_gets_everything_written(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, bytes(data)[:100]))
        index.sync(photos)
    assert index.status().cached == 4
    assert index.verify().stale == ()


def test_case_13_a_file_that_could_not_be_flushed_is_thrown_away_and_not_flushed_again(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    check_sound: Callable[..., None],
) -> None:
    fsync = os.fsync
    flushed: list[int] = []

    def fail_once(handle: int) -> None:
        flushed.append(os.fstat(handle).st_ino)
        if len(flushed) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(StorageError, match="disk failed"):
        index.sync(photos)
    assert flushed.count(flushed[0]) == 1
    assert list((tmp_path / "index" / "tmp").iterdir()) == []
    assert list((tmp_path / "index" / "segments").glob("*.faiss")) == []
    assert index.status().cached == 0
    check_sound(index, fake_embedder)
    index.sync(photos)
    assert index.status().cached == 4
    check_sound(index, fake_embedder)
