"""One file that the system shows under several names: one image, never its own copy."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex, ScanSettings
from mobisearch.errors import RootUnavailableError

FOLLOW = ScanSettings(follow=True)


@pytest.mark.parametrize("times", [1, 2], ids=["at once", "in two runs"])
def test_case_31_hard_links_are_one_photo(
    index: ImageIndex,
    photos: Path,
    counts: Callable[..., dict[str, int]],
    times: int,
) -> None:
    if times == 2:
        index.sync(photos)
    (photos / "deep" / "linked.png").hardlink_to(photos / "a.png")
    (photos / "z linked.png").hardlink_to(photos / "a.png")
    report = index.sync(photos)
    assert report.doubles == 2
    assert len(index) == 4
    [match, *others] = index.search(photos / "a.png", k=4)
    assert match.score == 1
    assert all(other.score < 1 for other in others), "never its own copy"
    again = index.sync(photos)
    assert (counts(again), again.doubles) == ({"unchanged": 4}, 2)


def test_case_31_a_copy_is_an_image_of_its_own(index: ImageIndex, photos: Path) -> None:
    shutil.copy(photos / "a.png", photos / "copy.png")
    report = index.sync(photos)
    assert (report.doubles, len(index)) == (0, 5)


def test_case_31_when_the_first_name_goes_the_other_takes_over_its_id(
    index: ImageIndex,
    photos: Path,
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (photos / "linked.png").hardlink_to(photos / "a.png")
    index.sync(photos)
    before = ids_of(index)
    [known] = {str(photos / "a.png"), str(photos / "linked.png")} & before.keys()
    [other] = {str(photos / "a.png"), str(photos / "linked.png")} - before.keys()
    os.unlink(known)
    monkeypatch.setattr(Embedder, "pool_pixels", lambda *_: pytest.fail("embedded again"))
    report = index.sync(photos)
    assert (counts(report), report.doubles) == ({"moved": 1, "unchanged": 3}, 0)
    assert ids_of(index)[other] == before[known]
    assert len(index) == 4


@pytest.mark.parametrize("times", [1, 2], ids=["at once", "in two runs"])
def test_case_31_a_root_that_is_mounted_twice_is_one_root(
    index: ImageIndex,
    photos: Path,
    mounts: Any,
    times: int,
) -> None:
    (photos.parent / "again").mkdir()
    mounts.bind(photos, photos.parent / "again")
    if times == 1:
        assert index.sync(photos, photos.parent / "again").doubles == 4
    else:
        index.sync(photos)
        assert index.sync(photos.parent / "again").doubles == 4
    assert len(index) == 4
    index.sync(photos)
    assert len(index) == 4


def test_case_31_a_folder_that_is_mounted_inside_the_root_is_seen_once(
    index: ImageIndex, photos: Path, mounts: Any
) -> None:
    (photos / "again").mkdir()
    mounts.bind(photos / "deep", photos / "again")
    assert index.sync(photos).doubles == 1
    assert len(index) == 4


def test_case_30_a_followed_link_to_a_file_of_the_root_is_a_double(
    index: ImageIndex, photos: Path
) -> None:
    (photos / "link.png").symlink_to("a.png")
    (photos / "deep" / "link.png").symlink_to("../b.png")
    report = index.sync(photos, scan=FOLLOW)
    assert (report.doubles, len(index)) == (2, 4)


# ---------------------------------------------------------------- roots and mounts


def test_case_27_of_several_roots_the_one_that_is_away_does_not_hold_up_the_others(
    index: ImageIndex,
    photos: Path,
    make_photo: Callable[..., Path],
    ids_of: Callable[..., dict[str, int]],
) -> None:
    other = make_photo(photos.parent / "other" / "x.png", seed=60).parent
    index.sync(photos, other)
    before = ids_of(index)
    shutil.rmtree(other)
    other.mkdir()
    make_photo(photos / "new.png", seed=61)
    report = index.sync(photos, other, prune=True)
    assert (report.added, report.pruned, report.missing) == (1, 0, 0)
    [unavailable] = report.unavailable
    assert unavailable.startswith(str(other))
    assert before.items() <= ids_of(index).items()
    report = index.sync()
    [unavailable] = report.unavailable
    assert unavailable.startswith(str(other))
    with pytest.raises(RootUnavailableError):
        index.sync(other)


def test_case_27_without_folders_every_known_root_is_brought_up_to_date(
    index: ImageIndex, photos: Path, make_photo: Callable[..., Path]
) -> None:
    other = make_photo(photos.parent / "other" / "x.png", seed=60).parent
    index.sync(photos)
    index.sync(other)
    make_photo(photos / "new.png", seed=61)
    make_photo(other / "new.png", seed=62)
    assert index.sync().added == 2


@pytest.mark.parametrize("prune", [False, True], ids=["", "prune"])
def test_case_27_an_unmounted_drive_below_the_root_is_never_pruned(
    index: ImageIndex,
    photos: Path,
    mounts: Any,
    make_photo: Callable[..., Path],
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
    prune: bool,
) -> None:
    make_photo(photos.parent / "drive" / "x.png", seed=60)
    make_photo(photos.parent / "drive" / "below" / "y.png", seed=61)
    (photos / "mounted").mkdir()
    mounts.bind(photos.parent / "drive", photos / "mounted")
    index.sync(photos)
    before = ids_of(index)
    mounts.unmount(photos / "mounted")
    (photos / "a.png").unlink()
    report = index.sync(photos, prune=prune)
    assert report.pruned == (1 if prune else 0)
    is_told = any(str(photos / "mounted") in warning for warning in report.warnings)
    assert is_told or not prune
    mounts.bind(photos.parent / "drive", photos / "mounted")
    index.sync(photos, prune=prune)
    del before[str(photos / "a.png")]
    assert ids_of(index) == before, "with their ids"
    assert counts(index.sync(photos, prune=True)).get("pruned", 0) == (0 if prune else 1)


# ---------------------------------------------------------------- unreadable for a while


@pytest.mark.parametrize("code", ["EACCES", "EIO", "ESTALE", "EMFILE"])
def test_case_28_a_known_image_that_cannot_be_read_for_a_while_keeps_its_embedding(
    index: ImageIndex,
    photos: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    ids_of: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
    code: str,
) -> None:
    index.sync(photos)
    before = ids_of(index)
    number = getattr(errno, code)
    system_open = os.open

    def refuse(path: Any, *more: Any, **named: Any) -> int:
        if os.fspath(path) == str(photos / "a.png"):
            raise OSError(number, os.strerror(number), str(path))
        return system_open(path, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        index.sync(photos)
        index.sync(photos, prune=True)
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "pool_pixels", lambda *_: pytest.fail("embedded again"))
        index.sync(photos)
    assert ids_of(index) == before
    assert index.errors() == []
    check_sound(index, fake_embedder)


# ---------------------------------------------------------------- reading everything again


@pytest.mark.usefixtures("trusted_stamps")
def test_case_34_what_no_stamp_shows_is_found_when_everything_is_read_again(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    counts: Callable[..., dict[str, int]],
    reads: list[str],
) -> None:
    photo = make_photo(photos / "e.bmp", seed=1)
    index.sync(photos)
    make_photo(photo, seed=2)
    status = photo.stat()
    database = tmp_path / "index" / "mobisearch.db"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE file SET mtime_ns = ?, ctime_ns = ? WHERE path = ?",
            (status.st_mtime_ns, status.st_ctime_ns, os.fsencode(photo)),
        )
    assert counts(index.sync(photos)) == {"unchanged": 5}
    reads.clear()
    assert counts(index.sync(photos, rehash=True)) == {"updated": 1, "unchanged": 4}
    assert len(reads) == 5
    assert index.search(photo, k=1)[0].score == 1


def test_case_34_the_command_reads_everything_again_when_asked_to(
    photos: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    where = ("--index", tmp_path / "index", "--json")
    assert command("index", photos, *where).code == 0
    done = command("index", photos, "--rehash", *where)
    assert (done.code, done.document["unchanged"]) == (0, 4)
