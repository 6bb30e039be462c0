"""Steps that were cut off: what is said of them, and how they are taken back all the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from mobisearch.cleanup import (
    CleanupReport,
    Plan,
    apply_plan,
    check_not_carried_out,
    settle_interrupted,
    undo_plan,
    write_plan,
)
from mobisearch.errors import ReportError

Library = Any


def states(report: CleanupReport) -> list[str]:
    return [outcome.state for outcome in report.outcomes]


@pytest.fixture
def plan(library: Library) -> Plan:
    """A plan that moves ``deep/b.png``, the only file of its folder, and ``c.png``."""
    (library.photos / "deep").mkdir()
    shutil.copy(library.photos / "a.png", library.photos / "deep" / "b.png")
    made: Plan = library.plan(library.group("a.png", "c.png", "deep/b.png"))
    return made


def cut_off(
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[[], object],
    name: str,
    ending: str = "b.png",
) -> None:
    """End a run right after something was done to ``deep/b.png``."""
    module, _, function = name.rpartition(".")
    whole = getattr(__import__(module, fromlist=["_"]), function)

    def do(path: str, *others: Any, **values: Any) -> None:
        whole(path, *others, **values)
        if path.endswith(ending):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(name, do)
        with pytest.raises(KeyboardInterrupt):
            run()


def cut_apply_off(library: Library, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> object:
        return apply_plan(library.index, plan, is_real=True)

    cut_off(library, monkeypatch, run, "mobisearch.cleanup.applying.move_into")
    assert [action.state for action in library.index.actions(plan.id)] == ["done", "begun"]


def test_a_dry_run_counts_what_was_cut_off(
    library: Library, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_apply_off(library, plan, monkeypatch)
    assert states(apply_plan(library.index, plan)) == ["before", "before"]
    assert states(undo_plan(library.index, plan.id)) == ["would", "would"]
    assert [action.state for action in library.index.actions(plan.id)] == ["done", "begun"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done", "done"]
    assert "deep/b.png" in library.contents()


def test_what_was_not_moved_when_it_was_cut_off_is_not_counted(
    library: Library, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_apply_off(library, plan, monkeypatch)
    [there] = [name for name in library.trashed() if name.startswith("b")]
    os.rename(library.trash / "files" / there, library.photos / "deep" / "b.png")
    assert states(undo_plan(library.index, plan.id)) == ["would"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done"]


@pytest.mark.parametrize("is_settled_before", [False, True])
def test_a_step_that_was_cut_off_returns_into_a_folder_that_is_gone(
    library: Library, plan: Plan, monkeypatch: pytest.MonkeyPatch, is_settled_before: bool
) -> None:
    before = library.contents()
    cut_apply_off(library, plan, monkeypatch)
    (library.photos / "deep").rmdir()
    if is_settled_before:
        [line] = settle_interrupted(library.index)
        assert line.endswith("an earlier run was cut off here: it is in the trash")
    assert states(undo_plan(library.index, plan.id)) == ["would", "would"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done", "done"]
    assert library.contents() == before


def test_a_step_that_cannot_be_settled_counts(
    library: Library, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_apply_off(library, plan, monkeypatch)
    (library.photos / "deep").rename(library.photos / "away")
    library.trash.rename(library.photos.parent / "elsewhere")
    for is_real in (False, True):
        report = undo_plan(library.index, plan.id, is_real=is_real)
        assert states(report) == ["refused", "refused"]
        assert "cut off here, and its folder cannot be seen now" in report.outcomes[0].reason
        assert not report.ok
    (library.photos.parent / "elsewhere").rename(library.trash)
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done", "done"]


@pytest.mark.parametrize("as_links", [False, True])
def test_taking_back_that_is_cut_off_before_the_folder_is_made_again_goes_on(
    library: Library, plan: Plan, monkeypatch: pytest.MonkeyPatch, as_links: bool
) -> None:
    before = library.contents()
    apply_plan(library.index, plan, is_real=True, as_links=as_links)
    shutil.rmtree(library.photos / "deep")
    folder = str(library.photos / "deep")

    def run() -> object:
        return undo_plan(library.index, plan.id, is_real=True)

    cut_off(library, monkeypatch, run, "os.makedirs", folder)
    os.rmdir(folder)
    assert [action.state for action in library.index.actions(plan.id)] == ["done", "undoing"]
    assert states(undo_plan(library.index, plan.id)) == ["would", "would"]
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done", "done"]
    assert library.contents() == before


def test_a_plan_whose_only_step_was_cut_off_is_not_written_over(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    path = str(library.photos.parent / "plan.json")
    write_plan(path, plan)

    def run() -> object:
        return apply_plan(library.index, plan, is_real=True)

    cut_off(library, monkeypatch, run, "mobisearch.cleanup.applying.move_into")
    with pytest.raises(ReportError, match="carried out, 1 steps"):
        check_not_carried_out(library.index, path)
