"""Places and times that are not as they should be: read-only media, network disks, odd clocks."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import IndexReadOnlyError
from mobisearch.types import Progress

YEAR_SECONDS = 365 * 86_400
N_COMMITTED = 64
"""Images in a commit."""


@pytest.fixture
def filled(index: ImageIndex, photos: Path, tmp_path: Path) -> Path:
    """The directory of an index of ``photos``, closed."""
    index.sync(photos)
    index.close()
    return tmp_path / "index"


@pytest.fixture
def unclean(index: ImageIndex, tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """The directory of an index whose writer was killed: its first commit is in the log only."""
    for seed in range(N_COMMITTED + 1):
        make_photo(tmp_path / "many" / f"{seed:03}.png", seed=seed, size=(8, 8))
    killed = tmp_path / "killed"

    def copy_late(progress: Progress) -> None:
        if progress.done > N_COMMITTED and not killed.exists():
            shutil.copytree(tmp_path / "index", killed)

    index.sync(tmp_path / "many", on_progress=copy_late)
    assert (killed / "mobisearch.db-wal").stat().st_size
    return killed


def _read_only(mounts: Any, folder: Path) -> Path:
    """Return a place where the same files are seen on a read-only mount."""
    place = folder.parent / "read-only"
    place.mkdir()
    mounts.bind(folder, place, read_only=True)
    return place


# ---------------------------------------------------------------- read-only media


def test_case_20_an_index_on_read_only_media_is_searched_and_checked(
    filled: Path,
    photos: Path,
    mounts: Any,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
) -> None:
    place = _read_only(mounts, filled)
    before = sorted(os.listdir(filled))
    with ImageIndex.open(place, fake_embedder) as index:
        check_sound(index, fake_embedder)
        assert index.search(photos / "a.png", k=1)[0].image.path == str(photos / "a.png")
        assert index.status().cached == 4
    assert sorted(os.listdir(filled)) == before


def test_case_20_whatever_would_change_an_index_on_read_only_media_ends_with_73(
    photos: Path, tmp_path: Path, mounts: Any, command: Callable[..., Any]
) -> None:
    assert command("index", photos, "--index", tmp_path / "index").code == 0
    place = _read_only(mounts, tmp_path / "index")
    for words in (("index", photos), ("remove", photos), ("index", photos, "--prune")):
        done = command(*words, "--index", place)
        assert done.code == 73
        assert str(place) in done.stderr
        assert "cannot be written" in done.stderr
    for words in (("status",), ("verify",), ("errors",), ("search", photos / "a.png")):
        assert command(*words, "--index", place).code == 0
    assert command("index", photos, "--index", place / "new").code == 73


def test_case_20_a_folder_without_permission_to_write_is_searched_and_not_changed(
    open_path: Path,
    photos: Path,
    fake_embedder: Embedder,
    make_photo: Callable[..., Path],
    unprivileged: Callable[[], contextlib.AbstractContextManager[None]],
    ids_of: Callable[..., dict[str, int]],
) -> None:
    photo = make_photo(open_path / "photos" / "a.png", seed=1)
    with ImageIndex.create(open_path / "index", fake_embedder) as index:
        index.add([photo])
    for path in (open_path / "index").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    (open_path / "index").chmod(0o555)
    with unprivileged(), ImageIndex.open(open_path / "index", fake_embedder) as index:
        assert set(ids_of(index)) == {str(photo)}
        with pytest.raises(IndexReadOnlyError, match="cannot be written"):
            index.add([photo])
    (open_path / "index").chmod(0o755)


def test_case_20_an_unclean_index_on_read_only_media_says_how_to_mend_it(
    unclean: Path, mounts: Any, fake_embedder: Embedder, ids_of: Callable[..., dict[str, int]]
) -> None:
    (unclean / "mobisearch.db-shm").unlink(missing_ok=True)
    place = _read_only(mounts, unclean)
    with pytest.raises(IndexReadOnlyError, match="open it once where it can be written"):
        ImageIndex.open(place, fake_embedder)
    with ImageIndex.open(unclean, fake_embedder) as index:
        assert len(ids_of(index)) == N_COMMITTED, "where it can be written it is whole"


def test_case_20_an_unclean_index_with_everything_it_needs_is_read_as_it_was_last(
    unclean: Path, mounts: Any, fake_embedder: Embedder, ids_of: Callable[..., dict[str, int]]
) -> None:
    """With its shared memory file there, SQLite can use the log without writing."""
    assert (unclean / "mobisearch.db-shm").exists()
    with ImageIndex.open(_read_only(mounts, unclean), fake_embedder) as index:
        assert len(ids_of(index)) == N_COMMITTED


# ---------------------------------------------------------------- clocks


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that sets the system's clock off by some seconds, for this process."""
    now_ns, now = time.time_ns, time.time
    offset = [0.0]
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(offset[0] * 1e9))
    monkeypatch.setattr(time, "time", lambda: now() + offset[0])

    def set_off(seconds: float) -> None:
        offset[0] = seconds

    return set_off


@pytest.mark.parametrize("years", [-1, 1], ids=["back", "forward"])
def test_case_22_a_clock_that_jumps_a_year_hides_no_change_and_counts_no_negative_time(
    index: ImageIndex,
    photos: Path,
    make_photo: Callable[..., Path],
    clock: Callable[[float], None],
    fake_embedder: Embedder,
    counts: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
    years: int,
) -> None:
    photo = make_photo(photos / "e.bmp", seed=9)
    stamp = photo.stat().st_mtime_ns
    assert index.sync(photos).seconds >= 0
    generation = index.status().generation
    clock(years * YEAR_SECONDS)
    make_photo(photo, seed=10)  # of the same size, with the same time
    os.utime(photo, ns=(stamp, stamp))
    report = index.sync(photos)
    assert report.seconds >= 0
    assert counts(report) == {"updated": 1, "unchanged": 4}
    assert index.status().generation > generation
    check_sound(index, fake_embedder)


@pytest.mark.parametrize("years", [-1, 1], ids=["back", "forward"])
def test_case_22_a_clock_that_jumps_while_files_are_read_changes_nothing(
    index: ImageIndex,
    photos: Path,
    clock: Callable[[float], None],
    fake_embedder: Embedder,
    counts: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
    years: int,
) -> None:
    report = index.sync(photos, on_progress=lambda _: clock(years * YEAR_SECONDS))
    assert report.seconds >= 0
    assert counts(report) == {"added": 4}
    clock(0)
    assert counts(index.sync(photos)) == {"unchanged": 4}
    check_sound(index, fake_embedder)


def test_case_22_files_that_seem_to_come_from_the_future_are_hashed_each_time(
    index: ImageIndex, photos: Path, clock: Callable[[float], None], reads: list[str]
) -> None:
    clock(-YEAR_SECONDS)
    index.sync(photos)
    reads.clear()
    index.sync(photos)
    assert len(reads) == 4
    clock(YEAR_SECONDS)
    index.sync(photos)
    reads.clear()
    index.sync(photos)
    assert reads == [], "seen from a year later their stamps can be trusted"


# ---------------------------------------------------------------- network disks

Partition = namedtuple("Partition", "device mountpoint fstype opts")
WATCHED = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "smbfs", "afpfs")


@pytest.fixture
def network_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """A function that makes the system say that ``tmp_path`` is on a disk of this type."""
    import psutil

    def pretend(fs_type: str) -> None:
        listed = [
            Partition("/dev/sda1", "/", "ext4", "rw"),
            Partition("server:/share", os.path.realpath(tmp_path), fs_type, "rw"),
        ]
        monkeypatch.setattr(psutil, "disk_partitions", lambda *_, **__: listed)

    return pretend


def _journal_mode(index_dir: Path) -> str:
    with contextlib.closing(sqlite3.connect(index_dir / "mobisearch.db")) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


@pytest.mark.parametrize("fs_type", WATCHED)
def test_case_21_on_a_network_disk_there_is_no_write_ahead_log(
    tmp_path: Path,
    photos: Path,
    fake_embedder: Embedder,
    network_disk: Callable[[str], None],
    check_sound: Callable[..., None],
    fs_type: str,
) -> None:
    network_disk(fs_type)
    index_dir = tmp_path / "index"
    logs: list[bool] = []
    with ImageIndex.create(index_dir, fake_embedder) as index:
        index.sync(
            photos, on_progress=lambda _: logs.append((index_dir / "mobisearch.db-wal").exists())
        )
        check_sound(index, fake_embedder)
    assert not any(logs)
    assert _journal_mode(index_dir) == "delete"


def test_case_21_the_command_warns_once_of_a_network_disk(
    tmp_path: Path,
    photos: Path,
    network_disk: Callable[[str], None],
    command: Callable[..., Any],
) -> None:
    network_disk("nfs4")
    done = command("index", photos, "--index", tmp_path / "index")
    assert done.code == 0
    assert done.stderr.lower().count("network") == 1
    assert command("search", photos / "a.png", "--index", tmp_path / "index").code == 0


def test_case_21_on_a_local_disk_the_write_ahead_log_is_used(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    logs: list[bool] = []
    report = index.sync(
        photos,
        on_progress=lambda _: logs.append((tmp_path / "index" / "mobisearch.db-wal").exists()),
    )
    assert all(logs)
    assert not any("network" in warning for warning in report.warnings)
