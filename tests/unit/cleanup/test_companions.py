"""Companions of copies: a RAW, a film or a sidecar goes with its image, or keeps it."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from mobisearch.cleanup import (
    CleanupReport,
    Plan,
    PlannedFile,
    apply_plan,
    parse_plan,
    plan_text,
    undo_plan,
)

Library = Any


def states(report: CleanupReport) -> list[str]:
    return [outcome.state for outcome in report.outcomes]


def reason(report: CleanupReport) -> str:
    return report.outcomes[0].reason


def _with_companion(library: Library, name: str, data: bytes) -> None:
    (library.photos / "raw").mkdir(exist_ok=True)
    shutil.copy(library.photos / "a.png", library.photos / "raw" / "IMG_1.jpg")
    (library.photos / "raw" / name).write_bytes(data)


def test_a_copy_with_a_raw_that_exists_nowhere_else_stays(library: Library) -> None:
    _with_companion(library, "IMG_1.CR2", b"raw")
    plan = library.plan(library.group("a.png", "raw/IMG_1.jpg"))
    files: tuple[PlannedFile, ...] = plan.groups[0].files
    assert [file.action for file in files] == ["none", "none"]
    assert "IMG_1.CR2" in files[0].reason
    assert apply_plan(library.index, plan, is_real=True).outcomes == ()


def test_companions_move_and_return_with_their_image_when_asked(library: Library) -> None:
    _with_companion(library, "IMG_1.CR2", b"raw")
    before = library.contents()
    plan = library.plan(library.group("a.png", "raw/IMG_1.jpg"), moves_companions=True)
    assert [(file.action, file.companion_of) for file in plan.groups[0].files] == [
        ("trash", None),
        ("trash", 1),
    ]
    assert states(apply_plan(library.index, plan)) == ["would", "would"]
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done", "done"]
    assert library.trashed()["IMG_1.CR2"] == b"raw"
    assert states(undo_plan(library.index, plan.id, is_real=True)) == ["done", "done"]
    assert library.contents() == before


def test_a_companion_stays_when_its_image_stays(library: Library) -> None:
    _with_companion(library, "IMG_1.CR2", b"raw")
    plan = library.plan(library.group("a.png", "raw/IMG_1.jpg"), moves_companions=True)
    (library.photos / "raw" / "IMG_1.jpg").write_bytes(b"edited")
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["refused", "refused"]
    assert "its image stays" in report.outcomes[1].reason


def test_a_companion_that_another_photo_needs_stays(library: Library) -> None:
    _with_companion(library, "IMG_1.CR2", b"raw")
    plan = library.plan(library.group("a.png", "raw/IMG_1.jpg"), moves_companions=True)
    shutil.copy(library.photos / "x.png", library.photos / "raw" / "IMG_1.heic")
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["done", "refused"]
    assert "IMG_1.heic" in report.outcomes[1].reason


def test_a_companion_that_came_after_the_plan_keeps_its_image(library: Library) -> None:
    _with_companion(library, "IMG_2.CR2", b"of another")
    plan = library.plan(library.group("a.png", "raw/IMG_1.jpg"))
    (library.photos / "raw" / "IMG_1.xmp").write_text("five stars")
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["refused"]
    assert "IMG_1.xmp" in reason(report)


def test_a_copy_whose_companions_the_kept_one_has_too_goes_with_them(library: Library) -> None:
    for folder in ("one", "two"):
        (library.photos / folder).mkdir()
        shutil.copy(library.photos / "a.png", library.photos / folder / "IMG_1.jpg")
        (library.photos / folder / "IMG_1.NEF").write_bytes(b"the same raw")
    plan = library.plan(library.group("one/IMG_1.jpg", "two/IMG_1.jpg"))
    assert [file.action for file in plan.groups[0].files] == ["trash", "trash"]
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done", "done"]
    assert not [name for name in library.contents() if name.startswith("two")]


# ---- what the one kept has at the moment of moving


@pytest.fixture
def pair(library: Library) -> Path:
    """``one/IMG_1.jpg`` and ``two/IMG_1.jpg`` with the same sidecar; its folder ``one``."""
    for folder in ("one", "two"):
        (library.photos / folder).mkdir()
        shutil.copy(library.photos / "a.png", library.photos / folder / "IMG_1.jpg")
        (library.photos / folder / "IMG_1.xmp").write_text("five stars")
    return Path(library.photos / "one")


def with_files(plan: Plan, *files: PlannedFile) -> Plan:
    group = dataclasses.replace(plan.groups[0], files=files)
    return dataclasses.replace(plan, groups=(group, *plan.groups[1:]))


def pair_plan(library: Library, **settings: Any) -> Plan:
    return parse_plan(
        plan_text(
            library.plan(library.group("one/IMG_1.jpg", "two/IMG_1.jpg"), **settings)
        ).encode()
    )


@pytest.mark.parametrize("is_edited", [False, True])
@pytest.mark.parametrize("is_real", [False, True])
def test_a_sidecar_that_the_kept_one_has_lost_since_the_plan_keeps_its_image(
    library: Library, pair: Path, is_edited: bool, is_real: bool
) -> None:
    plan = pair_plan(library)
    if is_edited:
        (pair / "IMG_1.xmp").write_text("no stars")
    else:
        (pair / "IMG_1.xmp").unlink()
    before = library.contents()
    report = apply_plan(library.index, plan, is_real=is_real)
    assert states(report) == ["refused", "refused"]
    assert (
        reason(report) == "the one kept has not the same sidecar now (IMG_1.xmp); make a new plan"
    )
    assert library.contents() == before


def test_a_sidecar_that_has_changed_since_the_plan_keeps_its_image(
    library: Library, pair: Path
) -> None:
    plan = pair_plan(library)
    (library.photos / "two" / "IMG_1.xmp").write_text("four stars")
    before = library.contents()
    report = apply_plan(library.index, plan, is_real=True)
    assert states(report) == ["refused", "refused"]
    assert "IMG_1.xmp, has changed since the plan was made" in reason(report)
    assert library.contents() == before


def test_a_sidecar_that_is_gone_since_the_plan_keeps_nothing(library: Library, pair: Path) -> None:
    plan = pair_plan(library)
    (library.photos / "two" / "IMG_1.xmp").unlink()
    (pair / "IMG_1.xmp").unlink()
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done", "refused"]


def test_companions_that_no_other_has_go_only_where_the_plan_accepts_it(
    library: Library, pair: Path
) -> None:
    (pair / "IMG_1.xmp").unlink()
    plan = pair_plan(library, moves_companions=True)
    image, sidecar = plan.groups[0].files
    assert (image.is_loss_accepted, sidecar.is_loss_accepted) == (False, True)
    # As plans were written before, and as people write them who only change an action.
    silent = with_files(plan, image, dataclasses.replace(sidecar, is_loss_accepted=False))
    report = apply_plan(library.index, silent, is_real=True)
    assert states(report) == ["refused", "refused"]
    assert "make a new plan" in reason(report)
    assert states(apply_plan(library.index, plan, is_real=True)) == ["done", "done"]


def test_what_the_one_kept_has_too_is_no_accepted_loss(library: Library, pair: Path) -> None:
    for moves_companions in (False, True):
        plan = pair_plan(library, moves_companions=moves_companions)
        assert [file.is_loss_accepted for file in plan.groups[0].files] == [False, False]


@pytest.mark.parametrize("is_loss_accepted", [False, True])
def test_a_plan_cannot_call_any_file_a_companion(library: Library, is_loss_accepted: bool) -> None:
    """A photo would be moved then without being compared with anything."""
    plan = library.plan(library.group("a.png", "b.png"))
    [image] = plan.groups[0].files
    path = library.photos / "x.png"
    photo = dataclasses.replace(
        image,
        step=9,
        path=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size_bytes=path.stat().st_size,
        verdict="",
        companion_of=image.step,
        is_loss_accepted=is_loss_accepted,
    )
    before = library.contents()
    report = apply_plan(library.index, with_files(plan, image, photo), is_real=True)
    assert states(report) == ["refused", "refused"]
    assert reason(report) == "x.png is no companion of b.png, by its name"
    # The image went earlier: the file is looked at by itself.
    alone = with_files(plan, image)
    assert states(apply_plan(library.index, alone, is_real=True)) == ["done"]
    report = apply_plan(library.index, with_files(plan, image, photo), is_real=True)
    assert states(report) == ["before", "refused"]
    assert report.outcomes[1].reason == "x.png is no companion of b.png, by its name"
    assert library.contents()["x.png"] == before["x.png"]
