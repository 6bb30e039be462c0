"""Folders that empty, fail, vanish for a while, or are scanned with settings of their own."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex, ScanSettings
from mobisearch.errors import RootUnavailableError, UnreadableImageError
from mobisearch.imaging import reading
from mobisearch.sync import synchroniser
from mobisearch.types import Progress, SyncReport

PhotoMaker = Callable[..., Path]
COUNTED = ("added", "updated", "moved", "returned", "unchanged", "missing", "pruned", "failed")

pytestmark = pytest.mark.usefixtures("trusted_stamps")


def counts(report: SyncReport) -> dict[str, int]:
    return {name: getattr(report, name) for name in COUNTED if getattr(report, name)}


@pytest.fixture
def photos(tmp_path: Path, make_photo: PhotoMaker) -> Path:
    for seed, name in enumerate(["a.png", "b.png", "drive/c.png", "drive/deep/d.png"]):
        make_photo(tmp_path / "photos" / name, seed=seed)
    return tmp_path / "photos"


# ---------------------------------------------------------------- prune


def test_nothing_is_pruned_where_a_drive_may_have_been_mounted(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    index.sync(photos)
    shutil.move(photos / "drive", tmp_path / "unplugged")
    (photos / "drive").mkdir()
    (photos / "a.png").unlink()
    report = index.sync(photos, prune=True)
    assert counts(report) == {"unchanged": 1, "missing": 2, "pruned": 1}
    assert any("drive: is empty although it held images" in line for line in report.warnings)
    (photos / "drive").rmdir()
    shutil.move(tmp_path / "unplugged", photos / "drive")
    assert counts(index.sync(photos)) == {"returned": 2, "unchanged": 1}


def test_what_was_emptied_before_is_kept_in_a_later_prune_too(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    shutil.rmtree(photos / "drive")
    (photos / "drive").mkdir()
    index.sync(photos)
    assert counts(index.sync(photos, prune=True)) == {"unchanged": 2, "missing": 2}
    (photos / "drive").rmdir()
    assert counts(index.sync(photos, prune=True)) == {"unchanged": 2, "pruned": 2}


def test_nothing_is_pruned_below_a_link_that_leads_nowhere_for_now(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    shutil.move(photos / "drive", tmp_path / "elsewhere")
    (photos / "drive").symlink_to(tmp_path / "elsewhere")
    following = ScanSettings(follow=True)
    index.sync(photos, scan=following)
    assert len(index) == 4
    shutil.move(tmp_path / "elsewhere", tmp_path / "unplugged")
    assert counts(index.sync(photos, prune=True)) == {"unchanged": 2}
    assert len(index) == 4
    shutil.move(tmp_path / "unplugged", tmp_path / "elsewhere")
    assert counts(index.sync(photos)) == {"unchanged": 4}


# ---------------------------------------------------------------- files that cannot be read for now


def test_an_image_that_cannot_be_read_for_a_while_keeps_its_embedding(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch, make_photo: PhotoMaker
) -> None:
    index.sync(photos)
    [match] = index.search(photos / "a.png", k=1)
    read_once = reading._read_once

    def fail(path: str, max_bytes: int) -> object:
        if path.endswith("a.png"):
            raise OSError(5, "Input/output error")
        return read_once(path, max_bytes)

    os.utime(photos / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_read_once", fail)
        report = index.sync(photos)
        assert counts(report) == {"unchanged": 3, "failed": 1}
        assert [failure.code for failure in index.errors()] == [UnreadableImageError.code]
        assert counts(index.sync(photos)) == {"unchanged": 3, "failed": 1}
        assert len(index) == 3
        assert index.verify().ok
    monkeypatch.setattr(Embedder, "prepare_file", None)  # nothing is decoded again
    assert counts(index.sync(photos)) == {"returned": 1, "unchanged": 3}
    assert index.errors() == []
    monkeypatch.undo()
    assert index.image(match.image.id).path == match.image.path


def test_an_unreadable_image_that_is_deleted_is_missing_like_any_other(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index.sync(photos)
    os.utime(photos / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_open_regular", lambda path: (_ for _ in ()).throw(OSError(13, "")))
        index.sync(photos)
    shutil.move(photos / "a.png", tmp_path / "away.png")
    assert counts(index.sync(photos)) == {"unchanged": 3, "missing": 1}
    assert index.errors() == []
    shutil.move(tmp_path / "away.png", photos / "a.png")
    assert index.sync(photos).returned == 1


def test_a_root_that_cannot_be_listed_is_unavailable(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    from mobisearch.imaging import scanning

    def fail(path: str) -> object:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(scanning.os, "scandir", fail)
        with pytest.raises(RootUnavailableError, match="cannot be read: Input/output error"):
            index.sync(photos, prune=True)
    assert len(index) == 4


# ---------------------------------------------------------------- rehash, by name, links


def test_a_change_that_hides_from_size_and_times_is_found_by_rehash(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photos / "a.png"
    index.sync(photos)
    monkeypatch.setattr(
        "mobisearch.imaging.scanning.stamp_of", lambda status: reading.FileStamp(1, 1, 1, "1")
    )
    monkeypatch.setattr(
        "mobisearch.imaging.reading.stamp_of",
        lambda status: reading.FileStamp(status.st_size, 1, 1, "1"),
    )
    index.sync(photos, rehash=True)
    assert counts(index.sync(photos, rehash=True)) == {"unchanged": 4}
    make_photo(path, seed=50)
    assert counts(index.sync(photos, rehash=True)) == {"updated": 1, "unchanged": 3}


def test_a_file_added_by_name_stays_as_long_as_it_is_there(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    make_photo(photos / "picture.dat", seed=60, format="PNG")
    index.sync(photos)
    index.add([photos / "picture.dat"])
    assert counts(index.sync(photos, prune=True)) == {"unchanged": 4}
    assert len(index) == 5
    (photos / "picture.dat").unlink()
    assert counts(index.sync(photos)) == {"unchanged": 4, "missing": 1}


def test_an_image_found_through_a_link_is_removed_by_that_name(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    shutil.move(photos / "drive", tmp_path / "elsewhere")
    (photos / "drive").symlink_to(tmp_path / "elsewhere")
    index.sync(photos, scan=ScanSettings(follow=True))
    assert index.remove([photos / "drive" / "c.png"]) == 1
    assert index.remove([photos / "drive"]) == 1
    assert len(index) == 2


# ---------------------------------------------------------------- settings of a scan


def test_settings_are_remembered_for_each_root_until_others_are_given(
    index: ImageIndex, photos: Path, tmp_path: Path, make_photo: PhotoMaker, fake_embedder: Embedder
) -> None:
    make_photo(tmp_path / "two" / ".x.png", seed=70)
    make_photo(tmp_path / "two" / "y.png", seed=71)
    index.sync(photos, scan=ScanSettings(exclude=("drive",)))
    index.sync(tmp_path / "two", scan=ScanSettings(hidden=True))
    assert len(index) == 4
    index.close()
    with ImageIndex.open(tmp_path / "index", fake_embedder) as again:
        assert counts(again.sync()) == {"unchanged": 4}
        assert counts(again.sync(photos / "drive")) == {"added": 2}
        assert counts(again.sync(photos, scan=ScanSettings())) == {"unchanged": 4}
        assert counts(again.sync()) == {"unchanged": 6}


def test_settings_that_make_no_sense_are_the_defaults(index: ImageIndex, photos: Path) -> None:
    import contextlib
    import sqlite3

    index.sync(photos)
    path = Path(index.status().path) / "mobisearch.db"
    for text in ("", "[]", "{", '{"exclude": 5}', '{"hidden": "yes"}'):
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE root SET scan = ?", (text,))
        assert counts(index.sync(photos)) == {"unchanged": 4}


# ---------------------------------------------------------------- retry


def test_failed_files_are_tried_again_on_request(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "bad.png").write_bytes(b"ruined")
    (photos / "raw.nef").write_bytes(b"II*\0 not read")
    with monkeypatch.context() as patch:
        patch.setattr(
            "mobisearch.embedding.Embedder.prepare_file",
            lambda self, data, *, path, halt: (_ for _ in ()).throw(
                UnreadableImageError(path, "busy")
            ),
        )
        assert index.sync(photos).failed == 6
    report = index.retry_errors()
    assert counts(report) == {"updated": 4, "failed": 1}
    assert len(index) == 4
    assert sorted(os.path.basename(f.path) for f in index.errors()) == ["bad.png", "raw.nef"]
    assert counts(index.sync(photos)) == {"unchanged": 4, "failed": 2}


# ---------------------------------------------------------------- stopping


def test_a_stop_stores_what_was_begun_and_the_next_run_goes_on_there(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synchroniser, "_FILES_PER_COMMIT", 4)
    index._embedder.batch_size = 2
    folder = tmp_path / "many"
    for seed in range(40):
        make_photo(folder / f"{seed:02}.png", seed=seed, size=(8, 6))
    stop = threading.Event()
    steps: list[Progress] = []

    def watch(progress: Progress) -> None:
        steps.append(progress)
        if progress.done == 5:
            stop.set()

    report = index.sync(folder, on_progress=watch, stop=stop)
    assert report.interrupted
    assert 5 <= report.added < 40
    assert len(index) == report.added == steps[-1].stored == steps[-1].done
    assert index.verify().ok
    again = index.sync(folder)
    assert counts(again) == {"unchanged": report.added, "added": 40 - report.added}
    assert not again.interrupted


def test_a_stop_before_the_start_changes_nothing_and_takes_nothing_for_missing(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    (photos / "a.png").unlink()
    stop = threading.Event()
    stop.set()
    report = index.sync(photos, stop=stop, prune=True)
    assert report.interrupted
    assert len(index) == 4
    assert index.retry_errors(stop=stop).interrupted
