"""Case 58: every way in which clearing away copies could lose a photo, on real file systems.

What is refused for each reason is tested in ``tests/unit/cleanup``; kills and failing disks in
``tests/crash``. Here are whole folders, mounts, full disks and other users.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faultkit.mounts import Mounts

from mobisearch import Embedder, ImageIndex
from mobisearch.cleanup import (
    CleanupReport,
    CoverStatus,
    DraftSettings,
    Plan,
    apply_plan,
    cover_folder,
    draft_plan,
    undo_plan,
)
from mobisearch.cleanup.identity import FileIdentity
from mobisearch.types import DuplicateGroup, GroupMember, ImageRecord, Verdict

SMALL_DISK = "300k"
LARGE = (1500, 1000)


@dataclass
class Place:
    """An index, and a trash for the user."""

    base: Path
    index: ImageIndex

    def plan(self, keep: Path, *copies: Path, protect: tuple[str, ...] = ()) -> Plan:
        def member(path: Path) -> GroupMember:
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            image = ImageRecord(1, str(path), 60, 40, len(data), 0, sha256, "PNG")
            return GroupMember(image, Verdict.RESIZED, 0.9)

        group = DuplicateGroup(member(keep), tuple(map(member, copies)))
        return draft_plan([group], DraftSettings(protect=protect))

    def apply(self, plan: Plan) -> CleanupReport:
        return apply_plan(self.index, plan, is_real=True)

    def undo(self, plan: Plan) -> CleanupReport:
        return undo_plan(self.index, plan.id, is_real=True)


def states(report: CleanupReport) -> list[str]:
    return [outcome.state for outcome in report.outcomes]


def contents(*folders: Path) -> dict[str, str]:
    """Return the hash of each file below folders, by path."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_embedder: Embedder
) -> Iterator[Place]:
    base = Path(os.path.realpath(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(base / "data"))
    with ImageIndex.create(base / "index", fake_embedder) as index:
        yield Place(base, index)


def test_case_58_whatever_is_chosen_of_a_group_one_intact_copy_stays(
    place: Place, make_photo: Callable[..., Path]
) -> None:
    """Each member of a group in turn, with each other one as what is kept."""
    photos = place.base / "photos"
    first = make_photo(photos / "0.png", seed=1)
    paths = [first, *(photos / f"{number}.png" for number in range(1, 5))]
    for path in paths[1:]:
        shutil.copy(first, path)
    place.index.sync(photos)
    plans = [place.plan(kept, copy) for kept, copy in itertools.permutations(paths, 2)]
    found = [states(place.apply(plan))[0] for plan in plans]
    assert found.count("done") == len(paths) - 1
    assert found.count("refused") == len(plans) - len(paths) + 1
    (left,) = [path for path in paths if path.exists()]
    assert left.read_bytes() == next((place.base / "data").rglob("*.png")).read_bytes()
    assert len(place.index) == 1


def test_case_58_a_drive_that_is_mounted_twice_is_not_its_own_copy(
    place: Place, make_photo: Callable[..., Path], mounts: Mounts
) -> None:
    drive, again = place.base / "drive", place.base / "again"
    again.mkdir()
    make_photo(drive / "a.png", seed=1)
    mounts.bind(drive, again)
    before = contents(drive)
    report = place.apply(place.plan(drive / "a.png", again / "a.png"))
    assert states(report) == ["refused"]
    assert "very file that is kept" in report.outcomes[0].reason
    assert contents(drive) == before


@pytest.fixture
def shown(place: Place, make_photo: Callable[..., Path], mounts: Mounts) -> tuple[Path, Path]:
    """A photo with a sidecar in a folder, and as a union mount shows it."""
    card, shown, changes = (place.base / name for name in ("card", "shown", "changes"))
    for folder in (card / "deep", shown, changes):
        folder.mkdir(parents=True)
    make_photo(card / "deep" / "a.png", seed=1)
    (card / "deep" / "a.xmp").write_text("five stars")
    mounts.overlay(card, changes, shown)
    return card / "deep" / "a.png", shown / "deep" / "a.png"


@pytest.mark.parametrize("is_kept_shown", [False, True])
def test_case_58_a_file_that_a_union_mount_shows_again_is_not_its_own_copy(
    place: Place, shown: tuple[Path, Path], is_kept_shown: bool
) -> None:
    direct, again = shown
    assert direct.stat().st_dev != again.stat().st_dev
    kept, copy = (again, direct) if is_kept_shown else (direct, again)
    before = contents(direct.parent, again.parent)
    report = place.apply(place.plan(kept, copy))
    assert set(states(report)) == {"refused"}
    assert "the very file that is kept, seen through another mount" in report.outcomes[0].reason
    assert contents(direct.parent, again.parent) == before


def test_case_58_a_file_that_vanishes_where_a_union_mount_showed_it_is_put_back(
    place: Place, shown: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a union mount gives numbers of its own, so that nothing tells before."""
    monkeypatch.setattr(FileIdentity, "trace", property(lambda identity: identity.device))
    direct, again = shown
    before = contents(direct.parent, again.parent)
    report = place.apply(place.plan(again, direct))
    assert set(states(report)) == {"refused"}
    assert "vanished with it" in report.outcomes[0].reason
    assert contents(direct.parent, again.parent) == before


def test_case_58_a_sidecar_that_a_union_mount_shows_again_is_not_its_own_twin(
    place: Place, shown: tuple[Path, Path]
) -> None:
    """The photo was changed where it is shown, and so is a file of its own; its sidecar is not."""
    direct, again = shown
    again.chmod(0o640)
    os.utime(again, ns=(10**18, 10**18))
    before = contents(direct.parent, again.parent)
    report = place.apply(place.plan(again, direct))
    assert set(states(report)) == {"refused"}
    assert "has not the same sidecar" in report.outcomes[0].reason
    assert contents(direct.parent, again.parent) == before


@pytest.mark.parametrize("is_library_shown", [False, True])
def test_case_58_what_a_union_mount_shows_again_vouches_for_nothing(
    place: Place, shown: tuple[Path, Path], is_library_shown: bool
) -> None:
    folder, library = (path.parent for path in (shown if is_library_shown else shown[::-1]))
    place.index.sync(library)
    [photo] = cover_folder(place.index, folder, [library]).photos
    assert photo.status is CoverStatus.ITSELF


def test_case_58_another_drive_has_a_trash_of_its_own(
    place: Place, make_photo: Callable[..., Path], mounts: Mounts
) -> None:
    """Nothing is copied from one drive to another."""
    drive = place.base / "drive"
    drive.mkdir()
    mounts.tmpfs(drive)
    kept = make_photo(place.base / "photos" / "a.png", seed=1)
    copy = drive / "deep" / "a.png"
    copy.parent.mkdir()
    shutil.copy(kept, copy)
    inode = copy.stat().st_ino
    plan = place.plan(kept, copy)
    report = place.apply(plan)
    assert states(report) == ["done"]
    own = drive / f".Trash-{os.getuid()}"
    assert report.outcomes[0].place == str(own / "files" / "a.png")
    assert (own / "files" / "a.png").stat().st_ino == inode
    assert "Path=deep/a.png\n" in (own / "info" / "a.png.trashinfo").read_text()
    assert not (place.base / "data").exists()
    assert states(place.undo(plan)) == ["done"]
    assert copy.stat().st_ino == inode


def test_case_58_a_hard_link_to_another_drive_is_refused(
    place: Place, make_photo: Callable[..., Path], mounts: Mounts
) -> None:
    drive = place.base / "drive"
    drive.mkdir()
    mounts.tmpfs(drive)
    kept = make_photo(place.base / "photos" / "a.png", seed=1)
    shutil.copy(kept, drive / "a.png")
    before = contents(drive, place.base / "photos")
    report = apply_plan(place.index, place.plan(kept, drive / "a.png"), is_real=True, as_links=True)
    assert states(report) == ["refused"]
    assert "another file system" in report.outcomes[0].reason
    assert contents(drive, place.base / "photos") == before


def test_case_58_a_read_only_drive_loses_nothing(
    place: Place, make_photo: Callable[..., Path], mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Or the top of the real drive, which the folder is on, would get a trash.
    monkeypatch.setattr("mobisearch.cleanup.trash._top_of", lambda *_: str(place.base))
    drive, shown = place.base / "drive", place.base / "shown"
    shown.mkdir()
    make_photo(drive / "a.png", seed=1)
    kept = make_photo(place.base / "photos" / "a.png", seed=1)
    mounts.bind(drive, shown, read_only=True)
    before = contents(drive, kept.parent)
    plan = place.plan(kept, shown / "a.png")
    report = place.apply(plan)
    assert report.count("done") == 0
    assert not report.ok
    assert contents(drive, kept.parent) == before
    assert {action.state for action in place.index.actions(plan.id)} <= {"failed"}
    assert place.undo(plan).outcomes == ()


def test_case_58_a_trash_on_a_full_drive_loses_nothing_and_takes_it_later(
    place: Place, make_photo: Callable[..., Path], mounts: Mounts
) -> None:
    drive = place.base / "drive"
    drive.mkdir()
    mounts.tmpfs(drive, size=SMALL_DISK)
    kept = make_photo(place.base / "photos" / "a.png", seed=1)
    shutil.copy(kept, drive / "a.png")
    filler = drive / "filler"
    try:
        with open(filler, "wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
    except OSError:
        pass
    before = contents(drive, kept.parent)
    plan = place.plan(kept, drive / "a.png")
    report = place.apply(plan)
    if not report.count("done"):  # a name may still fit where no byte does
        assert contents(drive, kept.parent).items() >= before.items()
        filler.unlink()
        assert states(place.apply(plan)) == ["done"]
    assert states(place.undo(plan)) == ["done"]
    assert (drive / "a.png").read_bytes() == kept.read_bytes()


def test_case_58_a_folder_of_somebody_else_loses_nothing(
    open_path: Path,
    make_photo: Callable[..., Path],
    unprivileged: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    make_embedder: Callable[..., Embedder],
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(open_path / "data"))
    kept = make_photo(open_path / "photos" / "a.png", seed=1)
    locked = open_path / "locked"
    locked.mkdir()
    shutil.copy(kept, locked / "a.png")
    locked.chmod(0o555)
    before = contents(open_path / "photos", locked)
    with unprivileged(), ImageIndex.create(open_path / "index", make_embedder()) as index:
        place = Place(open_path, index)
        plan = place.plan(kept, locked / "a.png")
        report = place.apply(plan)
        assert states(report) == ["failed"]
        assert "ermission" in report.outcomes[0].reason
        assert contents(open_path / "photos", locked) == before
        assert {action.state for action in index.actions(plan.id)} == {"failed"}
        files = open_path / "data" / "Trash" / "files"
        assert not list(files.iterdir()), "the name that was reserved is given back"
    locked.chmod(0o755)


def test_case_58_an_unmounted_drive_is_asked_again_when_it_is_back(
    place: Place, make_photo: Callable[..., Path], mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that was cut off, and cannot be looked at now, is neither done nor failed."""
    drive = place.base / "drive"
    drive.mkdir()
    mounts.tmpfs(drive)
    kept = make_photo(place.base / "photos" / "a.png", seed=1)
    (drive / "deep").mkdir()
    shutil.copy(kept, drive / "deep" / "a.png")
    plan = place.plan(kept, drive / "deep" / "a.png")

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mobisearch.cleanup.applying.move_into", cut_off)
        with pytest.raises(KeyboardInterrupt):
            place.apply(plan)
    away = place.base / "away"
    away.mkdir()
    mounts.bind(away, drive)
    report = place.apply(plan)
    assert "cannot be seen now" in report.settled[0]
    assert place.index.actions(plan.id)[0].state == "begun"
    mounts.unmount(drive)
    assert states(place.apply(plan)) == ["done"]
    assert [action.state for action in place.index.actions(plan.id)] == ["failed", "done"]
