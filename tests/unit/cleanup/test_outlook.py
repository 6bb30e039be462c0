"""What a plan would move, said before there is one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mobisearch.cleanup import (
    DraftSettings,
    apply_plan,
    draft_plan,
    foresee_plan,
    outlook_of,
)
from mobisearch.types import DuplicateGroup, Relation, Verdict

Library = Any


@pytest.fixture
def group(library: Library) -> DuplicateGroup:
    """``b.png`` and ``c.png`` are as ``a.png`` and have sidecars; ``s.png`` was mirrored."""
    for name, text in (("a", "5 stars"), ("b", "5 stars"), ("c", "no stars")):
        (library.photos / f"{name}.png.xmp").write_text(text)
    found: DuplicateGroup = library.group("a.png", "b.png", "c.png", "s.png")
    relation = Relation(Verdict.MIRRORED, (Verdict.MIRRORED,), 0.99)
    last = dataclasses.replace(found.copies[2], verdict=Verdict.MIRRORED, relation=relation)
    return dataclasses.replace(found, copies=(*found.copies[:2], last))


@pytest.mark.parametrize(
    ("settings", "actions", "n_companions"),
    [
        (DraftSettings(), ["trash", "none", "none"], 1),
        (DraftSettings(moves_companions=True), ["trash", "trash", "none"], 2),
        (DraftSettings(moves_versions=True), ["trash", "none", "trash"], 1),
        (DraftSettings(action="link"), ["link", "link", "none"], 0),
        (DraftSettings(protect=("/",)), ["none", "none", "none"], 0),
    ],
)
def test_what_is_foreseen_is_what_is_planned_and_no_file_is_read(
    group: DuplicateGroup,
    settings: DraftSettings,
    actions: list[str],
    n_companions: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = draft_plan([group], settings)
    planned = outlook_of(plan)

    def refuse(*_: object) -> None:
        raise AssertionError("a file was opened")

    with monkeypatch.context() as patch:
        patch.setattr("os.open", refuse)
        patch.setattr("builtins.open", refuse)
        foreseen = foresee_plan([group], settings)
    assert foreseen == planned
    assert [foreseen.copies[copy.image.path].action for copy in group.copies] == actions
    assert foreseen.n_moved == 3 - actions.count("none")
    assert foreseen.n_companions == n_companions
    assert foreseen.moved_bytes == sum(file.size_bytes for _, file in plan.steps())
    assert foreseen.group_bytes == {group.keep.image.path: foreseen.moved_bytes}


@pytest.mark.parametrize(
    ("kind", "names", "actions"),
    [
        ("keep", ("a.png",), ["none", "trash"]),
        ("keep", ("s.png",), ["trash", "none"]),
        ("keep", ("a.png", "s.png"), ["none", "none"]),
        ("keep", ("s.png", "x.png"), ["trash", "trash"]),
        ("different", ("a.png", "s.png"), ["trash", "none"]),
    ],
)
def test_what_was_decided_to_stay_is_planned_to_and_so_nothing_is_refused(
    library: Library, kind: str, names: tuple[str, ...], actions: list[str]
) -> None:
    found = library.group("a.png", "b.png", "s.png")
    library.index.decide(kind, [library.record(name).path for name in names])
    decisions = library.index.decisions()
    plan = draft_plan([found], decisions=decisions)
    assert [file.action for file in plan.groups[0].files] == actions
    assert foresee_plan([found], DraftSettings(), decisions=decisions) == outlook_of(plan)
    assert apply_plan(library.index, plan).ok
    stays = [file.reason for file in plan.groups[0].files if file.action == "none"]
    assert all(reason.startswith("it stays: you decided that it ") for reason in stays)


def test_companions_of_one_size_pass_for_the_same_until_they_are_read(library: Library) -> None:
    for name, text in (("a", "5 stars"), ("b", "3 stars")):
        (library.photos / f"{name}.png.xmp").write_text(text)
    found = library.group("a.png", "b.png")
    assert foresee_plan([found], DraftSettings()).n_moved == 1
    assert outlook_of(draft_plan([found])).n_moved == 0
