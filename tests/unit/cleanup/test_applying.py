"""Carrying out a plan: what is done, and everything that keeps it from being done."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import stat
import threading
from typing import Any

import pytest

from mobisearch.cleanup import (
    CleanupReport,
    Plan,
    apply_plan,
    parse_plan,
    plan_text,
    undo_plan,
)
from mobisearch.cleanup.identity import FileIdentity, identify, is_still_there
from mobisearch.cleanup.moves import MAX_NAME_BYTES, marked_name
from mobisearch.cleanup.trash import TrashFolder
from mobisearch.errors import PlanError

Library = Any


def states(report: CleanupReport) -> list[str]:
    return [outcome.state for outcome in report.outcomes]


def reason(report: CleanupReport) -> str:
    return report.outcomes[0].reason


def changed(plan: Plan, **values: Any) -> Plan:
    """Return a plan whose first file has other values."""
    first, *others = plan.groups[0].files
    files = (dataclasses.replace(first, **values), *others)
    return dataclasses.replace(plan, groups=(dataclasses.replace(plan.groups[0], files=files),))


def test_without_being_told_twice_nothing_is_changed(library: Library) -> None:
    before = library.contents()
    report = apply_plan(library.index, library.plan(library.group("a.png", "b.png", "s.png")))
    assert states(report) == ["would", "would"]
    assert report.is_dry
    assert report.freed_bytes == len(before["b.png"]) + len(before["s.png"])
    assert library.contents() == before
    assert not library.trash.exists()


def test_copies_go_to_the_trash_and_their_images_are_not_found_any_more(library: Library) -> None:
    before = library.contents()
    plan = library.plan(library.group("a.png", "b.png", "s.png"))
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["done", "done"]
    assert report.ok
    assert set(library.contents()) == {"a.png", "c.png", "x.png"}
    assert library.trashed() == {name: before[name] for name in ("b.png", "s.png")}
    note = (library.trash / "info" / "b.png.trashinfo").read_text()
    assert f"Path={library.photos}/b.png\n" in note
    assert library.found() == {"a.png", "c.png", "x.png"}
    assert [action.state for action in library.index.actions(plan.id)] == ["done", "done"]
    assert library.index.verify().ok


def test_applying_twice_does_nothing_the_second_time(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    apply_plan(library.index, plan, is_real=True)
    before = library.trashed()
    assert states(apply_plan(library.index, plan, is_real=True)) == ["before"]
    assert library.trashed() == before


def test_what_was_undone_can_be_applied_and_undone_again(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    before = library.contents()
    for _ in range(3):
        assert states(apply_plan(library.index, plan, is_real=True)) == ["done"]
        assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]
        assert library.contents() == before
    assert [action.state for action in library.index.actions(plan.id)] == ["undone"] * 3


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda photos: (photos / "a.png").write_bytes(b"something else"), "has changed since"),
        (lambda photos: (photos / "a.png").unlink(), "is not there any more"),
        (
            lambda photos: ((photos / "a.png").unlink(), (photos / "a.png").mkdir()),
            "is not a regular file",
        ),
        (
            lambda photos: (
                (photos / "a.png").unlink(),
                (photos / "a.png").symlink_to(photos / "b.png"),
            ),
            "is a symbolic link",
        ),
        (lambda photos: (photos / "b.png").write_bytes(b"new"), "has changed since the plan"),
        (lambda photos: (photos / "b.png").unlink(), "is not there any more"),
        (
            lambda photos: (
                (photos / "b.png").unlink(),
                (photos / "b.png").symlink_to(photos / "a.png"),
            ),
            "is a symbolic link",
        ),
        (
            lambda photos: (
                (photos / "b.png").unlink(),
                os.link(photos / "a.png", photos / "b.png"),
            ),
            "the very file that is kept",
        ),
    ],
)
def test_a_step_is_refused_when_the_disk_is_not_as_the_plan_says(
    library: Library, spoil: Any, expected: str
) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    spoil(library.photos)
    before = library.contents()
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["refused"]
    assert expected in reason(report)
    assert library.contents() == before
    assert not library.trashed()


def test_an_image_that_is_no_whole_picture_vouches_for_nothing(library: Library) -> None:
    cut = (library.photos / "x.png").read_bytes()[:-40]
    for name in ("x.png", "b.png"):
        (library.photos / name).write_bytes(cut)
    report = apply_plan(library.index, library.plan(library.group("x.png", "b.png")), is_real=True)
    assert "is no whole picture" in reason(report)
    assert (library.photos / "b.png").exists()


def test_a_path_through_a_linked_folder_is_refused(library: Library) -> None:
    (library.photos.parent / "door").symlink_to(library.photos)
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(
        library.index,
        changed(plan, path=str(library.photos.parent / "door" / "a.png")),
        is_real=True,
    )
    assert "through a symbolic link" in reason(report)
    assert "a.png" in library.contents()


def test_nothing_in_a_protected_folder_is_touched(library: Library) -> None:
    group = library.group("a.png", "b.png")
    plan = library.plan(group, protect=(str(library.photos),))
    assert [file.action for file in plan.groups[0].files] == ["none"]
    report = apply_plan(library.index, changed(plan, action="trash"), is_real=True)
    assert states(report) == ["refused"]
    assert "protected" in reason(report)


def test_a_plan_that_takes_what_it_keeps_is_no_plan(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"), library.group("x.png", "c.png"))
    text = plan_text(plan)
    for path in ("c.png", "b.png"):
        kept = str(library.photos / "a.png")
        with pytest.raises(PlanError, match="twice"):
            parse_plan(text.replace(str(library.photos / path), kept).encode())


def test_a_whole_group_cannot_be_taken_even_when_two_groups_keep_each_other_s_images(
    library: Library,
) -> None:
    """The plan is made by hand, past its checks; what is on the disk still stops it."""
    first, second = (
        library.plan(library.group("a.png", "b.png")),
        library.plan(library.group("b.png", "a.png")),
    )
    plan = dataclasses.replace(first, groups=(*first.groups, *second.groups))
    report = apply_plan(library.index, plan, is_real=True)
    assert report.count("done") == 1
    assert report.count("refused") == 1
    assert len({"a.png", "b.png"} & set(library.contents())) == 1


def test_a_file_that_is_replaced_at_the_last_moment_is_put_back(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def rename_late(source: str, target: str) -> None:
        if source.endswith("b.png"):
            (library.photos / "new").write_bytes(b"somebody's new photo")
            os.replace(library.photos / "new", source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename_late)
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["refused"]
    assert "put back" in reason(report)
    assert library.contents()["b.png"] == b"somebody's new photo"
    assert not library.trashed()
    assert library.index.actions(plan.id)[0].state == "failed"


def test_a_keeper_that_goes_with_its_copy_brings_both_back(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where one drive is mounted twice, so that one file has two numbers."""
    before = library.contents()
    rename = os.rename

    def rename_both(source: str, target: str) -> None:
        rename(source, target)
        if source.endswith("b.png"):
            rename(library.photos / "a.png", library.photos / "hidden")

    monkeypatch.setattr(os, "rename", rename_both)
    report = apply_plan(library.index, library.plan(library.group("a.png", "b.png")), is_real=True)
    assert "vanished with it" in reason(report)
    assert library.contents()["b.png"] == before["b.png"]


def test_a_keeper_of_which_only_a_memory_is_left_brings_its_copy_back(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systems remember what a path led to; the file is opened anew."""
    before = library.contents()
    rename, lstat = os.rename, os.lstat
    kept = str(library.photos / "a.png")
    remembered = lstat(kept)

    def rename_both(source: str, target: str) -> None:
        rename(source, target)
        if source.endswith("b.png"):
            rename(kept, library.photos / "hidden")

    monkeypatch.setattr(os, "rename", rename_both)
    monkeypatch.setattr(os, "lstat", lambda path: remembered if path == kept else lstat(path))
    report = apply_plan(library.index, library.plan(library.group("a.png", "b.png")), is_real=True)
    assert "vanished with it" in reason(report)
    assert library.contents()["b.png"] == before["b.png"]


@pytest.mark.parametrize("listed", ["a.png", "hidden"])
def test_a_keeper_that_its_folder_does_not_list_any_more_is_gone(
    library: Library, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    """Union mounts open what was moved beneath them."""
    kept = library.record("a.png").path
    identity = identify(kept)
    assert is_still_there(kept, identity, is_listed=True)
    os.rename(kept, library.photos / "hidden")
    shutil.copy2(library.photos / "hidden", kept)
    assert not is_still_there(kept, identity)
    identity = identify(kept)
    entries = [entry for entry in os.scandir(library.photos) if entry.name == listed]
    monkeypatch.setattr(os, "scandir", lambda _: contextlib.nullcontext(iter(entries)))
    assert is_still_there(kept, identity)
    assert is_still_there(kept, identity, is_listed=True) == (listed == "a.png")


def test_a_file_that_is_seen_on_two_devices_is_not_its_own_copy(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Union mounts show the file of another folder with its number and times."""

    def identify_both(path: str) -> FileIdentity:
        found = identify(library.record("a.png").path)
        return dataclasses.replace(found, device=found.device + path.endswith("b.png"))

    plan = library.plan(library.group("a.png", "b.png"))
    monkeypatch.setattr("mobisearch.cleanup.safeguards.identify", identify_both)
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["refused"]
    assert "the very file that is kept, seen through another mount" in reason(report)
    assert "b.png" in library.contents()


def test_the_name_in_the_trash_is_free_however_many_have_it(library: Library) -> None:
    (library.trash / "files").mkdir(parents=True)
    (library.trash / "info").mkdir()
    (library.trash / "files" / "b.png").write_bytes(b"an older one")
    folder = TrashFolder(str(library.trash), None)
    for _ in range(1000):
        folder.reserve(folder.choose_name("/photos/b.png"), "/photos/b.png")
    before = library.contents()["b.png"]
    plan = library.plan(library.group("a.png", "b.png"))
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done"]
    there = library.trashed()
    assert len(there) == 1002
    assert there["b.png"] == b"an older one"
    assert list(there.values()).count(before) == 1


def test_a_name_as_long_as_can_be_fits_into_the_trash(library: Library) -> None:
    name = "ä" * 120 + "bcdefghi.png"
    assert len(os.fsencode(name)) == 252
    shutil.copy(library.photos / "a.png", library.photos / name)
    plan = library.plan(library.group("a.png", name))
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]
    assert name in library.contents()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ending", ["x" * 245, "ä" * 122, os.fsdecode(b"\xff" * 245)])
def test_a_name_whose_ending_is_as_long_as_can_be_fits_into_the_trash(
    library: Library, ending: str
) -> None:
    name = f"a.{ending}"
    shutil.copy(library.photos / "a.png", library.photos / name)
    plan = library.plan(library.group("a.png", name))
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done"]
    [there] = library.trashed()
    assert there.startswith(name[:20])
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]
    assert name in library.contents()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", "a.mark.jpg"),
        ("noending", "noending.mark"),
        ("a" * 250 + ".jpg", "a" * 246 + ".mark.jpg"),
        ("ä" * 124 + ".jpg", "ä" * 123 + ".mark.jpg"),
        ("a." + "x" * 245, "a." + "x" * 245 + ".mark"),
        ("a." + "ä" * 126, "a." + "ä" * 124 + ".mark"),
        (os.fsdecode(b"\xe9" * 251 + b".jpg"), os.fsdecode(b"\xe9" * 246 + b".mark.jpg")),
    ],
)
def test_a_mark_in_a_name_leaves_its_ending_and_its_characters_whole(
    name: str, expected: str
) -> None:
    assert marked_name(name, ".mark") == expected
    assert len(os.fsencode(expected)) <= MAX_NAME_BYTES


def test_a_name_that_is_not_utf8_goes_and_returns(library: Library) -> None:
    name = os.fsdecode(b"caf\xe9 %41\n.png")
    shutil.copy(library.photos / "a.png", library.photos / name)
    plan = parse_plan(plan_text(library.plan(library.group("a.png", name))).encode())
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]
    assert name in library.contents()


def test_a_trash_that_cannot_be_made_loses_nothing(library: Library) -> None:
    library.trash.parent.mkdir(exist_ok=True)
    library.trash.write_bytes(b"a file is in the way")
    (library.photos.parent / f".Trash-{os.getuid()}").write_bytes(b"and here too")
    before = library.contents()
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["failed"]
    assert library.contents() == before


def test_the_trash_of_the_drive_takes_what_that_of_the_user_cannot(library: Library) -> None:
    library.trash.parent.mkdir(exist_ok=True)
    library.trash.write_bytes(b"a file is in the way")
    before = library.contents()
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["done"]
    own = library.photos.parent / f".Trash-{os.getuid()}"
    assert "Path=photos/b.png\n" in (own / "info" / "b.png.trashinfo").read_text()
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]
    assert library.contents() == before


def test_a_full_trash_loses_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mobisearch.cleanup.trash._create", refuse)
    before = library.contents()
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["failed"]
    assert "No space" in reason(report)
    assert library.contents() == before
    assert {action.state for action in library.index.actions(plan.id)} == {"failed"}


def test_a_stop_ends_between_two_steps(library: Library) -> None:
    stop = threading.Event()
    report = apply_plan(
        library.index,
        library.plan(library.group("a.png", "b.png", "c.png")),
        is_real=True,
        stop=stop,
        on_outcome=lambda _: stop.set(),
    )
    assert report.interrupted
    assert states(report) == ["done"]
    assert set(library.contents()) == {"a.png", "c.png", "s.png", "x.png"}


def test_what_a_plan_says_about_groups_that_stay_is_remembered(library: Library) -> None:
    plan = library.plan(library.group("a.png", "s.png"), library.group("x.png", "b.png"))
    groups = [
        dataclasses.replace(
            group,
            decision="different" if group.keep.path.endswith("a.png") else "keep",
            files=tuple(dataclasses.replace(file, action="none") for file in group.files),
        )
        for group in plan.groups
    ]
    plan = parse_plan(plan_text(dataclasses.replace(plan, groups=tuple(groups))).encode())
    before = library.contents()
    apply_plan(library.index, plan)
    assert library.index.decisions() == []
    for _ in range(2):
        assert apply_plan(library.index, plan, is_real=True).outcomes == ()
    found = {(decision.kind, len(decision.sha256s)) for decision in library.index.decisions()}
    assert found == {("different", 2), ("keep", 2)}
    for decision in library.index.decisions():
        there = [len(library.index.images_of(sha256)) for sha256 in decision.sha256s]
        assert list(decision.n_files) == there
    assert library.contents() == before


# ---- hard links


def test_identical_copies_become_links_and_files_of_their_own_again(library: Library) -> None:
    before = library.contents()
    times = {name: (library.photos / name).stat().st_mtime_ns for name in before}
    (library.photos / "b.png").chmod(0o640)
    plan = library.plan(library.group("a.png", "b.png", "s.png"))
    report = apply_plan(library.index, plan, is_real=True, as_links=True)
    assert states(report) == ["done", "left"]
    assert os.path.samefile(library.photos / "a.png", library.photos / "b.png")
    assert library.contents() == before
    assert library.found() == {"a.png", "c.png", "s.png", "x.png"}
    again = apply_plan(library.index, plan, is_real=True, as_links=True)
    assert states(again) == ["before", "left"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]
    status = (library.photos / "b.png").stat()
    assert status.st_nlink == 1
    assert status.st_mtime_ns == times["b.png"]
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert library.contents() == before
    assert library.found() == set(before)


def test_a_link_is_refused_for_what_is_not_byte_identical(library: Library) -> None:
    plan = library.plan(library.group("a.png", "s.png"))
    report = apply_plan(library.index, changed(plan, action="link"), is_real=True)
    assert states(report) == ["refused"]
    assert "not byte-identical" in reason(report)
    assert not os.path.samefile(library.photos / "a.png", library.photos / "s.png")


def test_what_is_written_into_a_copy_at_the_last_moment_is_kept(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def rename_late(source: str, target: str) -> None:
        if source.endswith(".link"):
            with open(target, "r+b") as file:
                file.write(b"late")
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename_late)
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(library.index, plan, is_real=True, as_links=True)
    assert states(report) == ["refused"]
    assert library.contents()["b.png"].startswith(b"late")
    assert not library.contents()["a.png"].startswith(b"late")
    assert sorted(library.contents()) == ["a.png", "b.png", "c.png", "s.png", "x.png"]
