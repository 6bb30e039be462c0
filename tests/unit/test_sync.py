"""Bringing an index up to date: what is counted, what is read, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex, ScanSettings, SyncReport
from mobisearch.errors import ModelMismatchError, RootUnavailableError
from mobisearch.types import Pixels, Progress, UnitRows

PhotoMaker = Callable[..., Path]
COUNTS = ("added", "updated", "moved", "returned", "unchanged", "failed")


def _counts(report: SyncReport) -> dict[str, int]:
    """Return what a report counts, without its zeros."""
    names = (*COUNTS, "missing", "pruned")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def _n_seen(report: SyncReport) -> int:
    return sum(getattr(report, name) for name in COUNTS)


def _paths(index: ImageIndex) -> dict[str, int]:
    """Return the id of each image that a search can return, by path."""
    if not len(index):
        return {}
    matches = index.search_by_vector([1.0] * 64, k=10_000)
    return {match.image.path: match.image.id for match in matches}


@pytest.fixture
def photos(tmp_path: Path, make_photo: PhotoMaker) -> Path:
    """Three photos in a folder and one in a folder below it."""
    folder = Path(os.path.realpath(tmp_path)) / "photos"
    for seed, name in enumerate(["a.png", "b.png", "c.png", "deep/d.png"]):
        make_photo(folder / name, seed=seed)
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths of all files that were read, in the order of reading."""
    from mobisearch import pipeline

    seen: list[str] = []
    read_file = pipeline.read_file

    def counted(path: str, **limits: int) -> object:
        seen.append(path)
        return read_file(path, **limits)

    monkeypatch.setattr(pipeline, "read_file", counted)
    return seen


# ---------------------------------------------------------------- counting


@pytest.mark.usefixtures("trusted_stamps")
def test_new_images_are_added_and_then_unchanged_and_not_read(
    index: ImageIndex, photos: Path, reads: list[str]
) -> None:
    first = index.sync(photos)
    assert _counts(first) == {"added": 4}
    assert len(reads) == 4
    reads.clear()
    second = index.sync(photos)
    assert _counts(second) == {"unchanged": 4}
    assert reads == []
    assert first.seconds >= 0


@pytest.mark.usefixtures("trusted_stamps")
def test_only_what_changed_is_read(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker, reads: list[str]
) -> None:
    index.sync(photos)
    before = _paths(index)
    reads.clear()
    make_photo(photos / "b.png", seed=50)
    make_photo(photos / "new.png", seed=51)
    assert _counts(index.sync(photos)) == {"added": 1, "updated": 1, "unchanged": 3}
    assert sorted(reads) == [str(photos / "b.png"), str(photos / "new.png")]
    after = _paths(index)
    assert {path: after[path] for path in before} == before, "every path keeps its id"
    assert index.search(photos / "b.png", k=1)[0].score == pytest.approx(1, abs=1e-6)


@pytest.mark.usefixtures("trusted_stamps")
def test_a_touched_file_is_read_and_counted_as_unchanged(
    index: ImageIndex, photos: Path, reads: list[str]
) -> None:
    index.sync(photos)
    reads.clear()
    os.utime(photos / "a.png", ns=(1, 1))
    assert _counts(index.sync(photos)) == {"unchanged": 4}
    assert reads == [str(photos / "a.png")]
    reads.clear()
    index.sync(photos)
    assert reads == []


@pytest.mark.usefixtures("trusted_stamps")
def test_a_moved_image_keeps_its_id_and_is_not_embedded_again(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    before = _paths(index)
    (photos / "a.png").rename(photos / "deep" / "renamed.png")
    (photos / "deep" / "d.png").rename(photos / "d.png")
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "pool_pixels", lambda *_: pytest.fail("embedded again"))
        assert _counts(index.sync(photos)) == {"moved": 2, "unchanged": 2}
    after = _paths(index)
    assert after[str(photos / "deep" / "renamed.png")] == before[str(photos / "a.png")]
    assert after[str(photos / "d.png")] == before[str(photos / "deep" / "d.png")]
    assert len(after) == 4


def test_a_moved_folder_keeps_all_its_ids(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    before = _paths(index)
    (photos / "deep").rename(photos / "renamed")
    assert index.sync(photos).moved == 1
    expected = {path.replace("/deep/", "/renamed/"): number for path, number in before.items()}
    assert _paths(index) == expected


def test_an_image_that_moved_to_another_root_keeps_its_id(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    index.sync(photos)
    before = _paths(index)[str(photos / "a.png")]
    other = photos.parent / "other"
    other.mkdir()
    (photos / "a.png").rename(other / "a.png")
    assert _counts(index.sync(photos)) == {"missing": 1, "unchanged": 3}
    assert _counts(index.sync(other)) == {"moved": 1}
    assert _paths(index)[str(other / "a.png")] == before
    assert index.status().missing == 0


@pytest.mark.parametrize("is_racy", [True, False])
def test_a_vanished_image_is_hidden_kept_and_returns_as_itself(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    is_racy: bool,
    request: pytest.FixtureRequest,
) -> None:
    if not is_racy:
        request.getfixturevalue("trusted_stamps")
    index.sync(photos)
    before = _paths(index)
    (photos / "a.png").rename(tmp_path / "away.png")
    assert _counts(index.sync(photos)) == {"missing": 1, "unchanged": 3}
    assert len(index) == 3
    assert str(photos / "a.png") not in _paths(index)
    assert _counts(index.sync(photos)) == {"missing": 1, "unchanged": 3}
    (tmp_path / "away.png").rename(photos / "a.png")
    assert _counts(index.sync(photos)) == {"returned": 1, "unchanged": 3}
    assert _paths(index) == before


@pytest.mark.usefixtures("trusted_stamps")
def test_a_drive_that_is_mounted_again_is_not_read_again(
    index: ImageIndex, photos: Path, reads: list[str]
) -> None:
    """As a whole folder that is renamed and back: the stamps of the files in it stay."""
    index.sync(photos)
    before = _paths(index)
    (photos / "deep").rename(photos.parent / "unmounted")
    assert _counts(index.sync(photos)) == {"missing": 1, "unchanged": 3}
    (photos.parent / "unmounted").rename(photos / "deep")
    reads.clear()
    assert _counts(index.sync(photos)) == {"returned": 1, "unchanged": 3}
    assert reads == []
    assert _paths(index) == before


def test_two_images_that_swap_names_swap_contents(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    before = _paths(index)
    a, b, spare = photos / "a.png", photos / "b.png", photos / "spare"
    a.rename(spare)
    b.rename(a)
    spare.rename(b)
    assert _counts(index.sync(photos)) == {"updated": 2, "unchanged": 2}
    assert _paths(index) == before
    assert index.search(a, k=1)[0].image.path == str(a)
    assert index.search(b, k=1)[0].image.path == str(b)


def test_the_same_photo_in_three_places_is_three_images_of_one_content(
    index: ImageIndex, photos: Path
) -> None:
    for name in ("copy.png", "deep/copy.png"):
        shutil.copy(photos / "a.png", photos / name)
    assert _counts(index.sync(photos)) == {"added": 6}
    assert index.status().contents == 4
    paths = [match.image.path for match in index.search(photos / "a.png", k=3)]
    assert sorted(paths) == sorted(
        str(photos / name) for name in ("a.png", "copy.png", "deep/copy.png")
    )
    (photos / "a.png").unlink()
    assert _counts(index.sync(photos)) == {"missing": 1, "unchanged": 5}
    shutil.copy(photos / "copy.png", photos / "third.png")
    assert _counts(index.sync(photos)) == {"moved": 1, "unchanged": 5}


@pytest.mark.usefixtures("trusted_stamps")
def test_the_counts_add_up_to_the_files_seen_whatever_happened(
    index: ImageIndex, photos: Path, tmp_path: Path, make_photo: PhotoMaker
) -> None:
    for seed, name in enumerate(["e.png", "f.png", "g.png"]):
        make_photo(photos / name, seed=10 + seed)
    (photos / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    index.sync(photos)
    (photos / "a.png").rename(tmp_path / "a.png")
    (photos / "b.png").rename(tmp_path / "b.png")
    index.sync(photos)
    (tmp_path / "b.png").rename(photos / "b.png")  # returned
    make_photo(photos / "c.png", seed=77)  # updated
    (photos / "e.png").rename(photos / "moved.png")  # moved
    make_photo(photos / "new.png", seed=78)  # added
    (photos / "worse.jpg").write_bytes(b"")  # failed, as is bad.jpg
    (photos / "text.txt").write_text("not seen at all")
    report = index.sync(photos)
    assert _counts(report) == {
        "added": 1,
        "updated": 1,
        "moved": 1,
        "returned": 1,
        "unchanged": 3,
        "failed": 2,
        "missing": 1,
    }
    assert _n_seen(report) == sum(name.suffix != ".txt" for name in photos.rglob("*.*"))
    assert report.failed_now == 1
    again = index.sync(photos)
    assert _counts(again) == {"unchanged": 7, "failed": 2, "missing": 1}


# ---------------------------------------------------------------- stamps


def test_a_file_changed_just_before_the_scan_is_hashed_again(
    index: ImageIndex, photos: Path, reads: list[str]
) -> None:
    index.sync(photos)
    reads.clear()
    assert _counts(index.sync(photos)) == {"unchanged": 4}
    assert len(reads) == 4


def test_a_file_is_hashed_again_until_its_stamp_is_old_enough(
    index: ImageIndex, photos: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3 * 10**9)
    reads.clear()
    index.sync(photos)
    assert len(reads) == 4, "once more, since they were new when their stamps were taken"
    reads.clear()
    index.sync(photos)
    assert reads == []


def test_a_file_from_the_future_is_always_hashed(
    index: ImageIndex, photos: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3 * 10**9)
    os.utime(photos / "a.png", ns=(1, now() + 10**12))
    index.sync(photos)
    reads.clear()
    index.sync(photos)
    assert reads == [str(photos / "a.png")]


@pytest.mark.parametrize("when", [0, -1, -(10**18), 4 * 10**18])
def test_any_time_that_a_file_can_have_is_stored(
    index: ImageIndex, photos: Path, when: int
) -> None:
    try:
        os.utime(photos / "a.png", ns=(when, when))
    except OSError:
        pytest.skip(f"this file system has no room for the time {when}")
    index.sync(photos)
    image_id = _paths(index)[str(photos / "a.png")]
    assert index.image(image_id).mtime_ns == (photos / "a.png").stat().st_mtime_ns


def test_other_content_of_the_same_size_and_time_is_found(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    photo = make_photo(photos / "a.bmp", seed=1)
    os.utime(photo, ns=(10**18, 10**18))
    index.sync(photos)
    size = photo.stat().st_size
    make_photo(photo, seed=2)
    os.utime(photo, ns=(10**18, 10**18))
    assert (photo.stat().st_size, photo.stat().st_mtime_ns) == (size, 10**18)
    assert _counts(index.sync(photos)) == {"updated": 1, "unchanged": 4}


@pytest.mark.usefixtures("trusted_stamps")
def test_content_changed_behind_a_restored_time_is_found_by_the_time_of_the_change(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    photo = make_photo(photos / "a.bmp", seed=1)
    before = photo.stat()
    index.sync(photos)
    make_photo(photo, seed=2)
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert photo.stat().st_mtime_ns == before.st_mtime_ns
    if photo.stat().st_ctime_ns == before.st_ctime_ns:
        pytest.skip("this file system's clock is too coarse to tell")
    assert _counts(index.sync(photos)) == {"updated": 1, "unchanged": 4}


# ---------------------------------------------------------------- roots


def test_roots_in_one_another_and_twice_give_each_photo_once(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = photos.parent / "link"
    link.symlink_to(photos)
    monkeypatch.chdir(photos)
    report = index.sync(photos, photos / "deep", f"{photos}/", ".", "./deep/", link, f"{link}/deep")
    assert _counts(report) == {"added": 4}
    assert sorted(_paths(index)) == sorted(str(path) for path in photos.rglob("*.png"))
    assert index.status().roots == (str(photos),)
    assert _counts(index.sync(photos / "deep", photos)) == {"unchanged": 4}
    (photos / "a.png").unlink()
    (photos / "link.png").symlink_to(photos / "b.png")
    report = index.sync(photos, photos / "deep", photos)
    assert _counts(report) == {"unchanged": 3, "missing": 1}
    assert report.warnings == (f"{photos / 'link.png'}: a symbolic link, not followed",)


def test_a_renamed_root_takes_its_images_along(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    ids = {Path(path).name: image_id for path, image_id in _paths(index).items()}
    renamed = photos.rename(photos.parent / "renamed")
    assert _counts(index.sync(renamed)) == {"moved": 4}
    assert {Path(path).name: image_id for path, image_id in _paths(index).items()} == ids
    assert all(path.startswith(str(renamed)) for path in _paths(index))
    assert index.remove([photos]) == 0
    assert index.status().roots == (str(renamed),)


def test_a_copy_in_another_folder_is_an_image_of_its_own(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    shutil.copytree(photos, photos.parent / "backup")
    assert _counts(index.sync(photos.parent / "backup")) == {"added": 4}
    assert len(index) == 8


def test_a_sync_of_one_root_leaves_the_others_alone(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    make_photo(photos.parent / "photos-old" / "x.png", seed=9)
    index.sync(photos)
    index.sync(photos.parent / "photos-old")
    shutil.rmtree(photos / "deep")
    assert _counts(index.sync(photos)) == {"unchanged": 3, "missing": 1}
    assert len(index) == 4
    (photos.parent / "photos-old" / "x.png").unlink()
    make_photo(photos.parent / "photos-old" / "y.png", seed=10)
    assert _counts(index.sync(photos)) == {"unchanged": 3, "missing": 1}
    assert len(index) == 4, "what lies outside was not looked at"


def _catalog_state(index: ImageIndex) -> object:
    status = index.status()
    return dataclasses.replace(status, catalog_bytes=0), _paths(index), index.errors()


@pytest.mark.parametrize("prune", [False, True])
def test_a_missing_root_is_refused_and_nothing_changes(
    index: ImageIndex, photos: Path, tmp_path: Path, prune: bool
) -> None:
    index.sync(photos)
    before = _catalog_state(index)
    with pytest.raises(RootUnavailableError, match="no such folder") as caught:
        index.sync(tmp_path / "nowhere", prune=prune)
    assert isinstance(caught.value, FileNotFoundError)
    shutil.rmtree(photos)
    with pytest.raises(RootUnavailableError, match="nothing was changed"):
        index.sync(photos, prune=prune)
    assert _catalog_state(index) == before


def test_a_file_is_no_root(index: ImageIndex, photos: Path) -> None:
    with pytest.raises(RootUnavailableError, match="is a file"):
        index.sync(photos / "a.png")
    assert index.status().roots == ()


@pytest.mark.parametrize("prune", [False, True])
def test_an_emptied_root_is_refused_and_nothing_changes(
    index: ImageIndex, photos: Path, prune: bool
) -> None:
    index.sync(photos)
    before = _catalog_state(index)
    shutil.rmtree(photos)
    photos.mkdir()
    (photos / "lost+found").mkdir()
    with pytest.raises(RootUnavailableError, match="mount it and try again"):
        index.sync(photos, prune=prune)
    assert _catalog_state(index) == before


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("is_gone", [False, True])
def test_of_several_roots_those_that_are_there_are_synced_and_the_others_left_as_they_are(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker, prune: bool, is_gone: bool
) -> None:
    new_root = photos.parent / "new"
    make_photo(new_root / "x.png", seed=9)
    index.sync(photos)
    before = _paths(index)
    shutil.rmtree(photos)
    if not is_gone:
        photos.mkdir()
    for roots in ([new_root, photos], [photos, new_root]):
        report = index.sync(*roots, prune=prune)
        [line] = report.unavailable
        assert line.startswith(f"{photos}: ")
        assert (report.missing, report.pruned) == (0, 0)
        assert _paths(index) == {**before, str(new_root / "x.png"): 5}


def test_without_folders_all_that_the_index_knows_are_synced(
    index: ImageIndex, photos: Path, tmp_path: Path, make_photo: PhotoMaker
) -> None:
    with pytest.raises(TypeError, match="the index has none yet"):
        index.sync()
    make_photo(tmp_path / "two" / "x.png", seed=9)
    index.sync(photos, tmp_path / "two")
    make_photo(tmp_path / "two" / "y.png", seed=10)
    (photos / "a.png").unlink()
    assert _counts(index.sync()) == {"added": 1, "missing": 1, "unchanged": 4}


def test_an_empty_root_that_never_held_anything_is_fine(index: ImageIndex, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert _counts(index.sync(tmp_path / "empty")) == {}
    assert index.status().last_sync_at is not None


def test_images_removed_from_the_index_leave_a_root_that_may_be_empty(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    shutil.rmtree(photos)
    photos.mkdir()
    assert index.remove([photos]) == 4
    assert _counts(index.sync(photos)) == {}


# ---------------------------------------------------------------- pruning and gaps


def test_pruning_forgets_what_is_missing_and_only_that(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    (photos / "a.png").unlink()
    index.sync(photos)
    (photos / "b.png").unlink()
    assert _counts(index.sync(photos, prune=True)) == {"unchanged": 2, "pruned": 2}
    assert index.status().missing == 0
    assert _counts(index.sync(photos, prune=True)) == {"unchanged": 2}


def test_pruning_one_root_keeps_what_another_is_missing(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    other = photos.parent / "other"
    make_photo(other / "x.png", seed=8)
    make_photo(other / "y.png", seed=9)
    index.sync(photos, other)
    (other / "x.png").unlink()
    (photos / "a.png").unlink()
    index.sync(photos, other)
    assert index.sync(photos, prune=True).pruned == 1
    assert index.status().missing == 1


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """A function that makes the system refuse to list a folder."""
    scandir = os.scandir
    refused: set[str] = set()

    def refuse(path: str) -> object:
        if str(path) in refused:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    return lambda path: refused.add(str(path))


def test_below_an_unreadable_folder_nothing_is_missing_and_nothing_is_pruned(
    index: ImageIndex, photos: Path, unreadable: Callable[[Path], None]
) -> None:
    index.sync(photos)
    (photos / "a.png").unlink()
    unreadable(photos / "deep")
    report = index.sync(photos, prune=True)
    assert _counts(report) == {"unchanged": 2, "missing": 1}
    assert str(photos / "deep" / "d.png") in _paths(index)
    assert any("cannot be read" in warning for warning in report.warnings)
    assert any("nothing was pruned" in warning for warning in report.warnings)


def test_a_copy_of_an_image_in_an_unreadable_folder_is_not_taken_for_a_move(
    index: ImageIndex, photos: Path, unreadable: Callable[[Path], None]
) -> None:
    index.sync(photos)
    shutil.copy(photos / "deep" / "d.png", photos / "copy.png")
    unreadable(photos / "deep")
    assert _counts(index.sync(photos)) == {"added": 1, "unchanged": 3}
    assert len(index) == 5


def test_what_cannot_be_looked_at_is_not_taken_for_gone(
    index: ImageIndex,
    photos: Path,
    unreadable: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index.sync(photos)
    before = _paths(index)
    shutil.copy(photos / "deep" / "d.png", photos / "copy.png")
    unreadable(photos / "deep")
    lstat = os.lstat

    def refuse(path: str, **named: object) -> os.stat_result:
        if os.path.dirname(path) == str(photos / "deep"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return lstat(path, **named)

    monkeypatch.setattr(os, "lstat", refuse)
    assert _counts(index.sync(photos)) == {"added": 1, "unchanged": 3}
    assert {path: number for path, number in _paths(index).items() if path in before} == before


def test_a_root_that_cannot_be_listed_is_unavailable(
    index: ImageIndex, photos: Path, unreadable: Callable[[Path], None]
) -> None:
    index.sync(photos)
    before = _catalog_state(index)
    unreadable(photos)
    with pytest.raises(RootUnavailableError):
        index.sync(photos)
    assert _catalog_state(index) == before


# ---------------------------------------------------------------- failures


def test_failures_are_data_recorded_once_and_forgotten_with_their_file(
    index: ImageIndex, photos: Path, reads: list[str], trusted_stamps: None
) -> None:
    (photos / "empty.jpg").touch()
    (photos / "text.jpg").write_text("not a picture")
    whole = (photos / "a.png").read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    first = index.sync(photos)
    assert _counts(first) == {"added": 4, "failed": 3}
    assert first.failed_now == len(first.failures) == 3
    recorded = {os.path.basename(f.path): f.code for f in index.errors()}
    assert recorded == {"empty.jpg": "corrupt", "text.jpg": "unsupported", "cut.png": "truncated"}
    assert all(failure.reason for failure in index.errors())

    reads.clear()
    second = index.sync(photos)
    assert _counts(second) == {"unchanged": 4, "failed": 3}
    assert (second.failed_now, second.failures, reads) == (0, (), [])

    (photos / "text.jpg").unlink()
    (photos / "cut.png").write_bytes(whole)
    third = index.sync(photos)
    assert third.failed == 1
    assert third.missing == 0
    assert len(index) == 5
    assert [os.path.basename(f.path) for f in index.errors()] == ["empty.jpg"]


def test_an_image_that_becomes_unreadable_is_an_error_and_keeps_its_id(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    index.sync(photos)
    before = _paths(index)
    (photos / "a.png").write_bytes(b"ruined")
    assert _counts(index.sync(photos)) == {"unchanged": 3, "failed": 1}
    assert len(index) == 3
    make_photo(photos / "a.png", seed=0)
    index.sync(photos)
    assert _paths(index) == before


@pytest.mark.usefixtures("trusted_stamps")
def test_formats_that_are_not_read_are_recorded_once_and_unread(
    index: ImageIndex, photos: Path, reads: list[str]
) -> None:
    for name in ("raw.NEF", "layers.psd", "vector.svg"):
        (photos / name).write_bytes(b"something")
    (photos / "notes.txt").write_text("no picture")
    assert _counts(index.sync(photos)) == {"added": 4, "failed": 3}
    assert not any("raw" in path for path in reads)
    errors = index.errors()
    assert {failure.code for failure in errors} == {"unsupported"}
    assert sorted(os.path.basename(f.path) for f in errors) == [
        "layers.psd",
        "raw.NEF",
        "vector.svg",
    ]
    assert "export the picture" in errors[0].reason
    again = index.sync(photos)
    assert _counts(again) == {"unchanged": 4, "failed": 3}
    assert again.failed_now == 0


def test_a_file_that_vanishes_between_scan_and_reading_is_a_failure_once(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch, make_photo: PhotoMaker
) -> None:
    from mobisearch.sync import synchroniser as sync_module

    index.sync(photos)
    make_photo(photos / "new.png", seed=70)
    make_photo(photos / "a.png", seed=71)
    embed_files = sync_module.embed_files

    def vanish_first(paths: Iterator[str], *more: object, **named: object) -> object:
        (photos / "new.png").unlink(missing_ok=True)
        (photos / "a.png").unlink(missing_ok=True)
        return embed_files(paths, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(sync_module, "embed_files", vanish_first)
        report = index.sync(photos)
    assert _counts(report) == {"unchanged": 3, "failed": 2}
    assert {failure.code for failure in report.failures} == {"not_found"}
    assert [os.path.basename(f.path) for f in index.errors()] == ["new.png"]
    assert str(photos / "a.png") in _paths(index), "known images are kept until a scan misses them"
    assert _counts(index.sync(photos)) == {"unchanged": 3, "missing": 1}
    assert index.errors() == []


# ---------------------------------------------------------------- what is left out


def test_an_index_inside_the_photos_is_not_indexed(
    photos: Path, fake_embedder: Embedder, make_photo: PhotoMaker
) -> None:
    with ImageIndex.create(photos / "index", fake_embedder) as inside:
        make_photo(photos / "index" / "trap.png", seed=5)
        assert _counts(inside.sync(photos)) == {"added": 4}
        assert _counts(inside.sync(photos)) == {"unchanged": 4}


def test_settings_say_what_a_scan_leaves_out(index: ImageIndex, photos: Path) -> None:
    report = index.sync(photos, scan=ScanSettings(exclude=("deep", "b.*")))
    assert _counts(report) == {"added": 2}


ODD_NAMES = [
    b"new\nline.png",
    b"tab\t.png",
    b"invalid \xff\xfe utf8.png",
    "emoji 🐈‍⬛.png".encode(),
    b"quote ' \" ` $(x) ;.png",
    b"back\\slash.png",
    b"-dash.png",
    "e\u0301 nfd.png".encode(),
    "\u00e9 nfc.png".encode(),
    b"%s %d %00.png",
    "\u202egnp.exe.png".encode(),
    b"\x1b[31m red.png",
    b"<script>.png",
    b"trailing space .png",
    b"x" * 251 + b".png",
    b"?.png",
    b"*.png",
    b"CON.png",
]


def test_files_of_any_name_are_stored_and_found(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker
) -> None:
    folder = Path(os.path.realpath(tmp_path)) / os.fsdecode(b"folder \xff\n\xf0\x9f\x90\x88")
    for seed, name in enumerate(ODD_NAMES):
        written = make_photo(folder / "plain.png", seed=seed)
        os.rename(written, os.path.join(os.fsencode(folder), name))
    assert _counts(index.sync(folder)) == {"added": len(ODD_NAMES)}
    expected = {os.path.join(folder, os.fsdecode(name)) for name in ODD_NAMES}
    assert set(_paths(index)) == expected
    for path in expected:
        [match] = index.search(path, k=1)
        assert match.image.path == path
        assert os.path.exists(match.image.path)
    assert _counts(index.sync(folder)) == {"unchanged": len(ODD_NAMES)}
    for path in sorted(expected)[:5]:
        assert index.remove([path]) == 1
    assert len(index) == len(ODD_NAMES) - 5


# ---------------------------------------------------------------- add and remove


@pytest.mark.usefixtures("trusted_stamps")
def test_single_files_are_added_and_read_again_when_added_again(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    strange = make_photo(photos / "e.png", seed=6).rename(photos / "no ending")
    assert _counts(index.add([photos / "a.png", strange, photos / "a.png"])) == {"added": 2}
    assert _counts(index.add([photos / "a.png"])) == {"unchanged": 1}
    make_photo(photos / "a.png", seed=60)
    assert _counts(index.add([photos / "a.png"])) == {"updated": 1}
    assert len(index) == 2
    assert index.status().roots == ()


def test_adding_what_is_not_there_is_a_failure_and_leaves_no_trace(
    index: ImageIndex, photos: Path
) -> None:
    report = index.add([photos / "gone.png", photos / "a.png", photos / "deep"])
    assert (report.added, report.failed) == (1, 2)
    codes = {os.path.basename(f.path): f.code for f in report.failures}
    assert codes["gone.png"] == "not_found"
    assert set(codes) == {"gone.png", "deep"}
    assert index.errors() == []
    assert index.status().images == 1


def test_adding_a_bad_file_by_name_records_why(index: ImageIndex, photos: Path) -> None:
    (photos / "bad.png").write_bytes(b"ruined")
    assert index.add([photos / "bad.png"]).failed == 1
    assert [os.path.basename(f.path) for f in index.errors()] == ["bad.png"]


def test_adding_a_known_image_whose_drive_is_away_does_not_lose_it(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    before = _paths(index)
    photos.rename(photos.parent / "away")
    assert index.add([photos / "a.png"]).failures[0].code == "not_found"
    assert _paths(index) == before


def test_an_added_file_takes_the_place_of_the_image_that_it_was(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    before = _paths(index)[str(photos / "a.png")]
    moved = photos.parent / "elsewhere.png"
    (photos / "a.png").rename(moved)
    index.sync(photos)
    assert _counts(index.add([moved])) == {"moved": 1}
    assert _paths(index)[str(moved)] == before


def test_adding_an_image_that_is_back_shows_it_again(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    index.sync(photos)
    before = _paths(index)
    (photos / "a.png").rename(tmp_path / "away.png")
    index.sync(photos)
    (tmp_path / "away.png").rename(photos / "a.png")
    assert _counts(index.add([photos / "a.png"])) == {"returned": 1}
    assert _paths(index) == before


def test_an_added_copy_of_a_missing_image_that_is_back_is_an_image_of_its_own(
    index: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    index.sync(photos)
    before = _paths(index)
    (photos / "a.png").rename(tmp_path / "away.png")
    index.sync(photos)
    (tmp_path / "away.png").rename(photos / "a.png")
    shutil.copy(photos / "a.png", photos / "copy.png")
    report = index.add([photos / "copy.png", photos / "a.png"])
    assert _counts(report) == {"added": 1, "returned": 1}
    assert _paths(index)[str(photos / "a.png")] == before[str(photos / "a.png")]


def test_removing_forgets_files_and_folders_and_no_sibling(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    make_photo(photos / "deep-er" / "x.png", seed=7)
    make_photo(photos / "deep.png", seed=8)
    index.sync(photos)
    assert index.remove([photos / "deep", photos / "a.png", photos / "nothing.png"]) == 2
    names = {os.path.relpath(path, photos) for path in _paths(index)}
    assert names == {"b.png", "c.png", "deep-er/x.png", "deep.png"}
    assert (photos / "a.png").exists()
    assert _counts(index.sync(photos)) == {"added": 2, "unchanged": 4}


def test_a_single_path_is_not_taken_for_a_list(index: ImageIndex, photos: Path) -> None:
    for change in (index.add, index.remove):
        with pytest.raises(TypeError, match="put it in brackets"):
            change(str(photos / "a.png"))


def test_ids_are_never_given_twice(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker, fake_embedder: Embedder, tmp_path: Path
) -> None:
    given: set[int] = set()
    for round_number in range(4):
        with ImageIndex.open(tmp_path / "index", fake_embedder) as opened:
            opened.sync(photos)
            ids = set(_paths(opened).values())
            assert len(ids) == 4
            assert not ids & given
            given |= ids
            if round_number % 2:
                opened.remove([photos])
            else:
                shutil.rmtree(photos)
                keep = make_photo(photos / "keep.png", seed=999)
                opened.sync(photos, prune=True)
                given |= set(_paths(opened).values())
                opened.remove([keep])
                keep.unlink()
                for seed, name in enumerate(["a.png", "b.png", "c.png", "deep/d.png"]):
                    make_photo(photos / name, seed=seed)


# ---------------------------------------------------------------- interruptions


def test_progress_ends_at_the_total(index: ImageIndex, photos: Path) -> None:
    (photos / "bad.png").write_bytes(b"ruined")
    steps: list[Progress] = []
    index.sync(photos, on_progress=steps.append)
    assert steps[-1] == Progress(done=5, total=5, failed=1, stored=5)
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert {step.done for step in steps} == {1, 2, 3, 4, 5}
    assert all(step.stored <= step.done for step in steps)


@pytest.mark.usefixtures("trusted_stamps")
def test_an_interrupted_run_keeps_what_it_committed_and_the_next_goes_on(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker, reads: list[str]
) -> None:
    folder = tmp_path / "many"
    for seed in range(150):
        make_photo(folder / f"{seed:03}.png", seed=seed, size=(8, 8))

    def interrupt(progress: Progress) -> None:
        if progress.done >= 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.sync(folder, on_progress=interrupt)
    assert len(index) == 64
    assert index.verify().ok
    assert index.search(folder / "007.png", k=1)[0].image.path.endswith("007.png")
    reads.clear()
    report = index.sync(folder)
    assert _counts(report) == {"added": 86, "unchanged": 64}
    assert len(reads) == 86
    assert index.verify().stale == ()


def test_a_model_that_breaks_in_the_middle_keeps_what_was_committed(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "many"
    for seed in range(100):
        make_photo(folder / f"{seed:03}.png", seed=seed, size=(8, 8))
    embed = Embedder.pool_pixels
    n_embedded = 0

    def break_late(embedder: Embedder, pixels: Pixels) -> UnitRows:
        nonlocal n_embedded
        if threading.current_thread() is threading.main_thread():  # the probe
            return embed(embedder, pixels)
        n_embedded += len(pixels)
        if n_embedded > 64 + embedder.batch_size:
            raise ModelMismatchError("index", expected="a", actual="b")
        return embed(embedder, pixels)

    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "pool_pixels", break_late)
        with pytest.raises(ModelMismatchError):
            index.sync(folder)
    assert len(index) == 64
    assert index.sync(folder).added == 36


def test_photos_stay_as_they_are_through_everything(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    make_photo(photos / "bad.jpg", seed=1).write_bytes(b"ruined")

    def state() -> dict[str, tuple[str, int, int]]:
        return {
            str(path): (
                hashlib.sha256(path.read_bytes()).hexdigest(),
                path.stat().st_mtime_ns,
                path.stat().st_mode,
            )
            for path in sorted(photos.rglob("*.*"))
        }

    before = state()
    index.sync(photos, prune=True)
    index.add(sorted(photos.rglob("*.*")))
    index.remove([photos])
    index.sync(photos)
    assert state() == before
    assert sorted(str(path) for path in photos.rglob("*.*")) == sorted(before)
