"""Files that change while they are looked at, and stamps that lie."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobisearch import Embedder, ImageIndex

SAME_COSINE = 1 - 1e-6
"""Two float32 unit rows of the same pixels; anything else is another picture."""


# ---------------------------------------------------------------- changes while reading


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that lets a file change each time that its handle is asked for its status.

    ``changing(path, change, times)``: asked for the first time, it is changed after the answer, as
    many times as said. So the change falls between the first look and the reading.
    """
    fstat = os.fstat

    def prepare(path: Path, change: Callable[[int], None], times: int) -> None:
        n_changes = 0
        n_asked = 0

        def watched(handle: int) -> os.stat_result:
            nonlocal n_changes, n_asked
            status = fstat(handle)
            if os.readlink(f"/proc/self/fd/{handle}").removesuffix(" (deleted)") == str(path):
                n_asked += 1
                if n_changes < times and n_asked % 3 == 2:  # kind, before, after: for each reading
                    n_changes += 1
                    change(n_changes)
            return status

        monkeypatch.setattr(os, "fstat", watched)

    return prepare


def _grow(path: Path, whole: bytes) -> Callable[[int], None]:
    def change(_: int) -> None:
        with open(path, "ab") as file:
            file.write(b"more")

    return change


def _truncate(path: Path, whole: bytes) -> Callable[[int], None]:
    return lambda n: os.truncate(path, len(whole) - 10 * n)


def _overwrite(path: Path, whole: bytes) -> Callable[[int], None]:
    def change(n: int) -> None:
        with open(path, "r+b") as file:
            file.write(whole)
        os.utime(path, ns=(n, n))

    return change


def _replace(path: Path, whole: bytes) -> Callable[[int], None]:
    def change(n: int) -> None:
        path.with_suffix(".new").write_bytes(whole)
        os.replace(path.with_suffix(".new"), path)

    return change


def _delete(path: Path, whole: bytes) -> Callable[[int], None]:
    return lambda _: path.unlink(missing_ok=True)


CHANGES = {
    "grows": _grow,
    "is truncated": _truncate,
    "is overwritten": _overwrite,
    "is replaced": _replace,
    "is deleted": _delete,
}


@pytest.mark.parametrize("times", [1, 100], ids=["once", "for ever"])
@pytest.mark.parametrize("kind", CHANGES)
def test_case_33_a_file_that_changes_while_it_is_read_is_never_taken_half(
    index: ImageIndex,
    photos: Path,
    make_photo: Callable[..., Path],
    fake_embedder: Embedder,
    changing: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    skip_case: Callable[[str], object],
    kind: str,
    times: int,
) -> None:
    if not os.path.isdir("/proc/self/fd"):
        skip_case("this system does not tell which file a handle is of")
    path = make_photo(photos / "a.bmp", seed=80)
    other = make_photo(photos.parent / "other.bmp", seed=81).read_bytes()
    changing(path, CHANGES[kind](path, other), times)
    report = index.sync(photos)
    monkeypatch.undo()
    assert report.added + report.failed == 5
    assert report.added >= 4, "the others are not affected"
    failed = {failure.path: failure.code for failure in report.failures}
    assert set(failed) <= {str(path)}
    if times > 1 and kind in ("grows", "is truncated", "is overwritten"):
        assert failed == {str(path): "unreadable"}, "tried twice, then told"
    for match in index.search_by_vector(np.ones(64), k=10):
        if match.image.path != str(path):
            continue
        known = [other, path.read_bytes()] if path.exists() else [other]
        known += [make_photo(photos.parent / "again.bmp", seed=80).read_bytes()]
        by_hash = {hashlib.sha256(data).hexdigest(): data for data in known}
        assert match.image.sha256 in by_hash, "the hash is of bytes that were in the file together"
        own = fake_embedder.embed([by_hash[match.image.sha256]])[0]
        assert index.search_by_vector(own, k=1)[0].score > SAME_COSINE
    report = index.sync(photos)
    assert report.failed == (kind == "is truncated"), "now its content is what is wrong with it"
    assert len(index) == 5 - (kind in ("is deleted", "is truncated"))


def test_case_33_a_file_that_is_deleted_while_it_is_read_is_a_failure_or_whole(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobisearch import pipeline

    read_file = pipeline.read_file

    def delete_first(path: str, **limits: int) -> object:
        if path.endswith("a.png"):
            os.unlink(path)
        return read_file(path, **limits)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "read_file", delete_first)
        report = index.sync(photos)
    assert (report.added, [failure.code for failure in report.failures]) == (3, ["not_found"])
    assert index.sync(photos).failed == 0


# ---------------------------------------------------------------- stamps that lie

TIMES_NS = {
    "1960": -315_619_200 * 10**9,
    "1970": 0,
    "before 1970 by a nanosecond": -1,
    "2100": 4_102_444_800 * 10**9,
    "2^63 nanoseconds": 2**63,
    "2^40 seconds": 2**40 * 10**9,
}


@pytest.mark.parametrize("when", TIMES_NS)
def test_case_34_any_time_is_stored_and_does_not_hide_a_change(
    index: ImageIndex,
    photos: Path,
    mounts: Any,
    make_photo: Callable[..., Path],
    counts: Callable[..., dict[str, int]],
    when: str,
) -> None:
    """On a file system in memory, which keeps any time; disks cut it to what they can hold."""
    disk = photos.parent / "disk"
    disk.mkdir()
    mounts.tmpfs(disk)
    photo = make_photo(disk / "a.bmp", seed=1)
    os.utime(photo, ns=(TIMES_NS[when], TIMES_NS[when]))
    stamp = photo.stat().st_mtime_ns
    assert counts(index.sync(disk)) == {"added": 1}
    make_photo(photo, seed=2)
    os.utime(photo, ns=(stamp, stamp))
    assert counts(index.sync(disk)) == {"updated": 1}
    [match] = index.search(photo, k=1)
    assert match.image.mtime_ns == max(-(2**63) + 1, min(2**63 - 1, stamp))
    assert counts(index.sync(disk)) == {"unchanged": 1}


@pytest.mark.usefixtures("trusted_stamps")
def test_case_34_content_that_changes_behind_a_restored_time_is_found(
    index: ImageIndex,
    photos: Path,
    make_photo: Callable[..., Path],
    counts: Callable[..., dict[str, int]],
    skip_case: Callable[[str], object],
) -> None:
    """What ``touch -r`` restores is the time of the content, not that of the change."""
    photo = make_photo(photos / "e.bmp", seed=1)
    before = photo.stat()
    index.sync(photos)
    make_photo(photo, seed=2)
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    if photo.stat().st_ctime_ns == before.st_ctime_ns:
        skip_case("this file system's clock is too coarse to tell")
    assert counts(index.sync(photos)) == {"updated": 1, "unchanged": 4}


def test_case_34_a_change_within_one_tick_of_the_clock_is_found(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    counts: Callable[..., dict[str, int]],
) -> None:
    """With every part of the stamp the same, as if the file system had not noticed."""
    photo = make_photo(photos / "e.bmp", seed=1)
    index.sync(photos)
    make_photo(photo, seed=2)
    _believe_stamps(tmp_path / "index", photo, racy=1)
    assert counts(index.sync(photos)) == {"updated": 1, "unchanged": 4}


def _believe_stamps(index_dir: Path, photo: Path, *, racy: int) -> None:
    """Make the catalog hold the stamp that a photo has now."""
    status = photo.stat()
    with contextlib.closing(sqlite3.connect(index_dir / "mobisearch.db")) as connection, connection:
        changed = connection.execute(
            "UPDATE file SET size_bytes = ?, mtime_ns = ?, ctime_ns = ?, racy = ? WHERE path = ?",
            (status.st_size, status.st_mtime_ns, status.st_ctime_ns, racy, os.fsencode(photo)),
        )
        assert changed.rowcount == 1
