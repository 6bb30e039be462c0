"""Taking back: everything returns, nothing is overwritten."""

from __future__ import annotations

import os
import shutil
import sys
import types
from typing import Any

import pytest

from mobisearch.cleanup import apply_plan, undo_plan
from mobisearch.embedding import Embedder

Library = Any


def test_what_was_trashed_returns_with_its_time_its_mode_and_its_embedding(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = library.contents()
    (library.photos / "s.png").chmod(0o640)
    status = (library.photos / "s.png").stat()
    plan = library.plan(library.group("a.png", "b.png", "s.png"))
    apply_plan(library.index, plan, is_real=True)

    def refuse(*_: object) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr(Embedder, "pool_pixels", refuse, raising=False)
    report = undo_plan(library.index, plan.id, is_real=True)
    assert [outcome.state for outcome in report.outcomes] == ["done", "done"]
    assert library.contents() == before
    after = (library.photos / "s.png").stat()
    assert (after.st_mtime_ns, after.st_mode) == (status.st_mtime_ns, status.st_mode)
    assert library.found() == set(before)
    assert not library.trashed()
    assert not list((library.trash / "info").iterdir())
    assert library.index.sync(library.photos).added == 0


def test_undoing_is_a_dry_run_too(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    apply_plan(library.index, plan, is_real=True)
    there = library.contents()
    report = undo_plan(library.index, plan.id)
    assert [outcome.state for outcome in report.outcomes] == ["would"]
    assert library.contents() == there


def test_undoing_twice_does_nothing_the_second_time(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    apply_plan(library.index, plan, is_real=True)
    undo_plan(library.index, plan.id, is_real=True)
    before = library.contents()
    assert undo_plan(library.index, plan.id, is_real=True).outcomes == ()
    assert library.contents() == before


def test_what_is_at_the_old_place_is_not_overwritten(library: Library) -> None:
    old = library.contents()["b.png"]
    plan = library.plan(library.group("a.png", "b.png"))
    for n in range(3):
        apply_plan(library.index, plan, is_real=True)
        (library.photos / "b.png").write_bytes(b"a new one")
        report = undo_plan(library.index, plan.id, is_real=True)
        assert "its place was taken" in report.outcomes[0].reason
        name = "b (restored).png" if not n else f"b (restored {n + 1}).png"
        assert library.contents()[name] == old
        assert library.contents()["b.png"] == b"a new one"
        assert name in library.found()
        (library.photos / "b.png").write_bytes(old)


def test_the_journal_tells_of_names_that_are_not_utf8(library: Library) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    shutil.copy(library.photos / "a.png", library.photos / name)
    plan = library.plan(library.group("a.png", name))
    apply_plan(library.index, plan, is_real=True)
    (library.photos / name).write_bytes(b"a new one")
    [outcome] = undo_plan(library.index, plan.id, is_real=True).outcomes
    assert (outcome.state, os.path.exists(outcome.place or "")) == ("done", True)
    assert "caf\\xe9 (restored).png" in (library.index.actions(plan.id)[0].reason or "")


@pytest.mark.parametrize("as_links", [False, True])
@pytest.mark.parametrize("stem", ["C" + "c" * 243, "ä" * 122, os.fsdecode(b"\xe9" * 244)])
def test_a_name_as_long_as_can_be_returns_beside_its_place_under_a_shorter_one(
    library: Library, stem: str, as_links: bool
) -> None:
    name = f"{stem}.png"
    assert len(os.fsencode(name)) == 248
    shutil.copy(library.photos / "a.png", library.photos / name)
    old = library.contents()[name]
    plan = library.plan(library.group("a.png", name))
    apply_plan(library.index, plan, is_real=True, as_links=as_links)
    (library.photos / name).unlink(missing_ok=True)
    (library.photos / name).write_bytes(b"a new one")
    [foreseen] = undo_plan(library.index, plan.id).outcomes
    [outcome] = undo_plan(library.index, plan.id, is_real=True).outcomes
    assert (foreseen.state, outcome.state) == ("would", "done")
    assert foreseen.place == outcome.place
    beside = os.path.basename(outcome.place or "")
    assert beside == stem[: 240 // len(os.fsencode(stem[-1]))] + " (restored).png"
    assert library.contents()[beside] == old
    assert library.contents()[name] == b"a new one"


def test_a_dry_run_gives_no_name_twice(library: Library) -> None:
    """Names that differ only where they are cut, and one that is what another would become."""
    long = ["C" * 243 + f"{number}.png" for number in range(2)]
    names = ["b (restored).png", "b.png", *long]
    for name in names:
        shutil.copy(library.photos / "a.png", library.photos / name)
    plan = library.plan(library.group("a.png", *names))
    apply_plan(library.index, plan, is_real=True)
    for name in ("b.png", *long):
        (library.photos / name).write_bytes(b"a new one")
    foreseen = undo_plan(library.index, plan.id).outcomes
    outcomes = undo_plan(library.index, plan.id, is_real=True).outcomes
    assert [outcome.state for outcome in outcomes] == ["done"] * 4
    assert [outcome.place for outcome in foreseen] == [outcome.place for outcome in outcomes]
    assert len({outcome.place for outcome in outcomes}) == 4


def test_companions_return_and_are_no_images(library: Library) -> None:
    names = ("b.png.xmp", "b.png.json", "c.png.xmp")
    for name in names:
        (library.photos / name).write_bytes(name.encode())
    plan = library.plan(library.group("a.png", "b.png", "c.png"), moves_companions=True)
    apply_plan(library.index, plan, is_real=True)
    (library.photos / "c.png.xmp").write_bytes(b"a new one")
    report = undo_plan(library.index, plan.id, is_real=True)
    assert {outcome.state for outcome in report.outcomes} == {"done"}
    assert {*names, "c.png (restored).xmp"} <= set(library.contents())
    assert library.index.errors() == []


def test_a_companion_that_was_taken_for_an_image_is_forgotten_by_the_next_sync(
    library: Library,
) -> None:
    for name in ("b.png.xmp", ".hidden.png"):
        (library.photos / name).write_bytes(b"no picture")
    library.index.add([library.photos / "b.png.xmp", library.photos / ".hidden.png"])
    assert len(library.index.errors()) == 2
    library.index.sync(library.photos)
    [failure] = library.index.errors()
    assert failure.path.endswith(".hidden.png")
    assert (library.photos / "b.png.xmp").exists()


def test_an_image_whose_name_is_of_none_is_found_again(library: Library) -> None:
    (library.photos / "b.png").rename(library.photos / "b.backup")
    library.index.add([library.photos / "b.backup"])
    plan = library.plan(library.group("a.png", "b.backup"))
    apply_plan(library.index, plan, is_real=True)
    assert "b.backup" not in library.found()
    undo_plan(library.index, plan.id, is_real=True)
    assert "b.backup" in library.found()


def test_a_folder_that_is_gone_is_made_again(library: Library) -> None:
    (library.photos / "deep").mkdir()
    shutil.copy(library.photos / "a.png", library.photos / "deep" / "b.png")
    plan = library.plan(library.group("a.png", "deep/b.png"))
    apply_plan(library.index, plan, is_real=True)
    (library.photos / "deep").rmdir()
    undo_plan(library.index, plan.id, is_real=True)
    assert "deep/b.png" in library.contents()


@pytest.mark.parametrize("as_links", [False, True])
def test_what_stands_where_a_folder_was_is_named(library: Library, as_links: bool) -> None:
    folder = library.photos / "deep" / "er"
    folder.mkdir(parents=True)
    shutil.copy(library.photos / "a.png", folder / "b.png")
    plan = library.plan(library.group("a.png", "deep/er/b.png"))
    apply_plan(library.index, plan, is_real=True, as_links=as_links)
    shutil.rmtree(library.photos / "deep")
    (library.photos / "deep").write_bytes(b"a file now")
    for is_real in (False, True):
        [outcome] = undo_plan(library.index, plan.id, is_real=is_real).outcomes
        assert outcome.state == "refused"
        assert outcome.reason.startswith(f"{folder.parent} is no folder now")
    (library.photos / "deep").unlink()
    [outcome] = undo_plan(library.index, plan.id, is_real=True).outcomes
    assert outcome.state == "done"
    assert "deep/er/b.png" in library.contents()


def test_a_trash_that_was_emptied_is_said_to_be(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    apply_plan(library.index, plan, is_real=True)
    shutil.rmtree(library.trash)
    report = undo_plan(library.index, plan.id, is_real=True)
    assert [outcome.state for outcome in report.outcomes] == ["refused"]
    assert "not in the trash any more" in report.outcomes[0].reason


def test_another_file_under_its_name_in_the_trash_stays_there(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    apply_plan(library.index, plan, is_real=True)
    (library.trash / "files" / "b.png").write_bytes(b"another")
    report = undo_plan(library.index, plan.id, is_real=True)
    assert "another file now" in report.outcomes[0].reason
    assert library.trashed() == {"b.png": b"another"}


def test_a_plan_that_the_journal_does_not_know_undoes_nothing(library: Library) -> None:
    assert undo_plan(library.index, "0" * 32, is_real=True).outcomes == ()


def test_a_link_whose_keeper_is_gone_still_becomes_a_file_of_its_own(library: Library) -> None:
    old = library.contents()["b.png"]
    plan = library.plan(library.group("a.png", "b.png"))
    apply_plan(library.index, plan, is_real=True, as_links=True)
    os.unlink(library.photos / "a.png")
    report = undo_plan(library.index, plan.id, is_real=True)
    assert [outcome.state for outcome in report.outcomes] == ["done"]
    assert library.contents()["b.png"] == old


def test_on_a_system_that_does_not_tell_people_are_sent_to_its_trash(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows and macOS, of which Send2Trash is replaced here."""
    monkeypatch.setattr("mobisearch.cleanup.applying.uses_freedesktop", lambda: False)
    away = library.photos.parent / "recycled"
    stand_in = types.ModuleType("send2trash")
    stand_in.send2trash = lambda path: os.rename(path, away)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "send2trash", stand_in)
    plan = library.plan(library.group("a.png", "b.png"))
    report = apply_plan(library.index, plan, is_real=True)
    assert [outcome.state for outcome in report.outcomes] == ["done"]
    report = undo_plan(library.index, plan.id, is_real=True)
    assert "restore b.png there by hand" in report.outcomes[0].reason
    os.rename(away, library.photos / "b.png")
    report = undo_plan(library.index, plan.id, is_real=True)
    assert [outcome.state for outcome in report.outcomes] == ["done"]
    assert "b.png" in library.found()
