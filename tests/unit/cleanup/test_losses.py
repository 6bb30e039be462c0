"""What is not moved, because something would be lost with it."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from mobisearch.cleanup import apply_plan, draft_plan
from mobisearch.cleanup.drafting import DraftSettings
from mobisearch.cleanup.moves import is_second_name
from mobisearch.types import DuplicateGroup, Relation, Verdict

Library = Any


def related(group: DuplicateGroup, verdict: Verdict, **values: Any) -> DuplicateGroup:
    """Return a group whose copies have this relation to the one that is kept."""
    relation = Relation(verdict, (verdict,), 0.99, **values)
    copies = tuple(
        dataclasses.replace(copy, verdict=verdict, relation=relation) for copy in group.copies
    )
    return dataclasses.replace(group, copies=copies)


@pytest.mark.parametrize(
    ("verdict", "values", "action"),
    [
        (Verdict.RESIZED, {"scale": 0.5}, "trash"),
        (Verdict.CROPPED, {"first_share": 0.5}, "none"),
        (Verdict.RESIZED, {"scale": 0.5, "detail": "stretched"}, "none"),
        (Verdict.CROPPED, {"second_share": 0.5}, "none"),
        (Verdict.RECOLOURED, {"detail": "grey"}, "none"),
        (Verdict.OVERLAID, {"detail": "caption"}, "none"),
        (Verdict.RETOUCHED, {}, "none"),
        (Verdict.MIRRORED, {}, "none"),
    ],
)
def test_other_versions_stay_unless_one_says_otherwise(
    library: Library, verdict: Verdict, values: dict[str, Any], action: str
) -> None:
    group = related(library.group("a.png", "s.png"), verdict, **values)
    [file] = draft_plan([group]).groups[0].files
    assert file.action == action
    assert ("it stays" in file.reason) == (action == "none")
    [file] = draft_plan([group], DraftSettings(moves_versions=True)).groups[0].files
    assert file.action == "trash"


@pytest.mark.parametrize(("kind", "words"), [("different", "different"), ("keep", "both stay")])
def test_what_was_decided_after_the_plan_was_made_holds(
    library: Library, kind: str, words: str
) -> None:
    plan = library.plan(library.group("a.png", "s.png"))
    images = [library.record(name).path for name in ("a.png", "s.png")]
    library.index.decide(kind, images)
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert (outcome.state, words in outcome.reason) == ("refused", True)
    assert "s.png" in library.contents()


def test_byte_identical_files_that_were_decided_to_stay_do(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    before = library.contents()
    library.index.decide("keep", [library.record(name).path for name in ("a.png", "b.png")])
    for as_links in (False, True):
        report = apply_plan(library.index, plan, is_real=True, as_links=as_links)
        assert [outcome.state for outcome in report.outcomes] == ["refused"]
        assert "both stay" in report.outcomes[0].reason
    assert library.contents() == before


@pytest.mark.parametrize("names", [("a.png", "b.png"), ("a.png", "s.png")])
def test_where_a_file_came_after_its_likes_were_decided_to_stay_one_is_asked_again(
    library: Library, names: tuple[str, ...]
) -> None:
    (library.photos / "c.png").unlink()
    library.index.sync(library.photos)
    made = library.index.decide("keep", [library.record(name).path for name in names])
    assert library.index.outgrown_decisions() == frozenset()
    shutil.copy(library.photos / "a.png", library.photos / "c.png")
    library.index.sync(library.photos)
    found = library.group("a.png", "b.png", "c.png")
    outgrown = library.index.outgrown_decisions()
    assert outgrown == {made.id}
    plan = draft_plan([found], decisions=library.index.decisions(), outgrown=outgrown)
    report = apply_plan(library.index, library.plan(found), is_real=True)
    reasons = [file.reason for file in plan.groups[0].files]
    for reason in (*reasons, *(outcome.reason for outcome in report.outcomes)):
        assert "you decided that it" not in reason
        assert f"decisions --forget {made.id}" in reason
    assert {outcome.state for outcome in report.outcomes} == {"refused"}
    library.index.forget_decisions([made.id])
    assert apply_plan(library.index, library.plan(found), is_real=True).ok


def test_a_content_that_was_decided_to_stay_by_itself_stays_whatever_is_kept(
    library: Library,
) -> None:
    plan = library.plan(library.group("a.png", "b.png", "s.png"))
    library.index.decide("keep", [library.record("s.png").path])
    outcomes = apply_plan(library.index, plan, is_real=True).outcomes
    assert [outcome.state for outcome in outcomes] == ["done", "refused"]
    assert "you decided that it stays" in outcomes[1].reason


def test_what_was_decided_to_differ_from_another_may_go_as_a_copy_of_itself(
    library: Library,
) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    library.index.decide("different", [library.record(name).path for name in ("a.png", "x.png")])
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert outcome.state == "done"


def test_a_keeper_in_the_trash_vouches_for_nothing(library: Library) -> None:
    plan = library.plan(library.group("a.png", "b.png"))
    place = library.trash / "files" / "a.png"
    place.parent.mkdir(parents=True)
    shutil.copy2(library.record("a.png").path, place)
    keep = dataclasses.replace(plan.groups[0].keep, path=str(place))
    plan = dataclasses.replace(plan, groups=(dataclasses.replace(plan.groups[0], keep=keep),))
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert (outcome.state, "in a trash" in outcome.reason) == ("refused", True)


def test_a_plan_cannot_call_other_bytes_the_same_file(library: Library) -> None:
    plan = library.plan(library.group("a.png", "s.png"))
    [file] = plan.groups[0].files
    files = (dataclasses.replace(file, verdict="same file"),)
    plan = dataclasses.replace(plan, groups=(dataclasses.replace(plan.groups[0], files=files),))
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert (outcome.state, "not the same file" in outcome.reason) == ("refused", True)


def test_two_forms_that_differ_in_one_digit_both_stay(library: Library) -> None:
    photos = Path(library.record("a.png").path).parent
    for name, number in (("form 1.jpg", "4711 0"), ("form 2.jpg", "4711 8")):
        page = Image.new("RGB", (600, 800), "white")
        draw = ImageDraw.Draw(page)
        for line in range(20):
            draw.text((40, 30 + 36 * line), f"Line {line} of a form", "black", font_size=20)
        draw.text((400, 30), number, "black", font_size=20)
        page.save(photos / name, quality=90)
    group = related(library.group("form 1.jpg", "form 2.jpg"), Verdict.RECOMPRESSED)
    plan = draft_plan([group], DraftSettings(moves_versions=True))
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert (outcome.state, "in places" in outcome.reason) == ("refused", True)


def test_a_recompressed_copy_passes_the_last_look(library: Library) -> None:
    photos = Path(library.record("a.png").path).parent
    with Image.open(Path(__file__).parents[2] / "photos" / "cat.jpg") as picture:
        picture.save(photos / "cat.jpg", quality=92)
        picture.save(photos / "poor.jpg", quality=40)
    group = related(library.group("cat.jpg", "poor.jpg"), Verdict.RECOMPRESSED)
    [outcome] = apply_plan(library.index, draft_plan([group])).outcomes
    assert outcome.state == "would", outcome.reason


def test_two_spellings_of_one_name_are_not_two_names(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x").write_text("x")
    (tmp_path / "link").symlink_to(folder)
    assert not is_second_name(str(tmp_path / "link" / "x"), str(folder / "x"))
    assert not is_second_name(str(folder / "x"), str(folder / "x"))
    os.link(folder / "x", folder / "y")
    assert is_second_name(str(folder / "x"), str(folder / "y"))
    assert not is_second_name(str(tmp_path / "link" / "x"), str(folder / "x"))
    assert not is_second_name(str(folder / "x"), str(folder / "nothing"))
