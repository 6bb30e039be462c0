"""``mobisearch apply`` and ``undo``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch.cleanup import Plan, draft_plan, write_plan
from mobisearch.types import DuplicateGroup, GroupMember, ImageRecord, Verdict

Command = Callable[..., Any]


@pytest.fixture
def plan_path(
    command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A plan that keeps ``a.png`` and moves its copy ``copy.png`` to a trash beside them."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("mobisearch.cleanup.trash._top_of", lambda *_: str(tmp_path))
    (photos / "broken.jpg").unlink()
    shutil.copy(photos / "a.png", photos / "copy.png")
    assert command("index", photos).code == 0
    matches = command("search", photos / "a.png", "--json").document[0]["matches"]
    records = {
        os.path.basename(match["path"]): ImageRecord(
            id=match["id"],
            path=match["path"],
            width=match["width"],
            height=match["height"],
            size_bytes=match["size_bytes"],
            mtime_ns=0,
            sha256=match["sha256"],
            format=match["format"],
        )
        for match in matches
    }
    keep = GroupMember(records["a.png"], Verdict.SAME_FILE, 1.0, reason="largest: 60 x 40")
    copy = GroupMember(records["copy.png"], Verdict.SAME_FILE, 1.0)
    plan: Plan = draft_plan([DuplicateGroup(keep, (copy,))])
    target = tmp_path / "plan.json"
    write_plan(target, plan)
    return target


def test_a_plan_is_only_shown_until_it_is_confirmed(
    command: Command, photos: Path, plan_path: Path
) -> None:
    done = command("apply", plan_path)
    assert done.code == 0
    assert f"would     trash  {photos / 'copy.png'}" in done.stdout
    assert "1 would be done" in done.stdout
    assert "mobisearch apply --yes PLAN" in done.stderr
    assert (photos / "copy.png").exists()


def test_a_plan_is_carried_out_and_taken_back(
    command: Command, photos: Path, plan_path: Path
) -> None:
    before = (photos / "copy.png").read_bytes()
    done = command("apply", plan_path, "--yes", "--json")
    assert (done.code, done.document["done"], done.document["dry_run"]) == (0, 1, False)
    assert not (photos / "copy.png").exists()
    assert Path(done.document["steps"][0]["place"]).read_bytes() == before
    assert command("status", "--json").document["images"] == 3
    assert command("undo", plan_path).code == 0
    assert not (photos / "copy.png").exists()
    assert command("undo", plan_path, "--yes").code == 0
    assert (photos / "copy.png").read_bytes() == before
    assert command("status", "--json").document["images"] == 4
    again = command("undo", plan_path, "--yes")
    assert (again.code, "was taken back before" in again.stderr) == (0, True)


def test_space_is_free_once_the_trash_is_emptied_and_of_links_at_once(
    command: Command, photos: Path, plan_path: Path
) -> None:
    assert "1 would be done; " in (before := command("apply", plan_path).stdout)
    assert before.endswith(" to be freed\n")
    done = command("apply", plan_path, "--yes").stdout
    assert done.endswith(" will be free once the trash is emptied\n")
    assert command("undo", plan_path, "--yes").code == 0


def test_a_plan_that_was_never_carried_out_cannot_be_taken_back(
    command: Command, plan_path: Path
) -> None:
    done = command("undo", plan_path, "--yes")
    assert (done.code, "was never carried out" in done.stderr) == (66, True)


def test_each_command_says_which_plan_it_needs(command: Command, indexed: Path) -> None:
    assert "mobisearch duplicates --plan FILE" in command("apply", "nothing.json").stderr
    done = command("undo", "nothing.json")
    assert done.code == 66
    assert "name the plan that 'mobisearch apply' was given" in done.stderr
    assert "--plan" not in done.stderr


def test_a_plan_that_was_carried_out_is_not_written_over(command: Command, plan_path: Path) -> None:
    assert command("apply", plan_path, "--yes").code == 0
    before = plan_path.read_bytes()
    done = command("duplicates", "--plan", plan_path)
    assert (done.code, "was carried out" in done.stderr) == (73, True)
    assert plan_path.read_bytes() == before


def test_links_replace_copies_when_asked(command: Command, photos: Path, plan_path: Path) -> None:
    done = command("apply", plan_path, "--link", "--yes")
    assert (done.code, done.stdout.endswith(" freed\n")) == (0, True)
    assert os.path.samefile(photos / "a.png", photos / "copy.png")


def test_a_refused_step_is_exit_code_one(command: Command, photos: Path, plan_path: Path) -> None:
    (photos / "a.png").write_bytes(b"changed")
    done = command("apply", plan_path, "--yes")
    assert done.code == 1
    assert "refused" in done.stdout
    assert (photos / "copy.png").exists()


def test_a_plan_of_which_nothing_was_done_is_not_said_to_be_taken_back(
    command: Command, photos: Path, plan_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mobisearch.cleanup.trash._create", refuse)
        assert command("apply", plan_path, "--yes").code == 1
    done = command("undo", plan_path, "--yes")
    assert (done.code, "nothing of this plan was done" in done.stderr) == (0, True)


def test_what_was_cut_off_and_cannot_be_seen_is_listed_and_no_success(
    command: Command, photos: Path, plan_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mobisearch.cleanup.applying.move_into", cut_off)
        assert command("apply", plan_path, "--yes").code == 130
    photos.rename(photos.with_name("away"))
    for words in ([], ["--yes"]):
        done = command("undo", plan_path, *words)
        assert done.code == 1
        assert f"refused   restore  {photos / 'copy.png'}: an earlier run was cut" in done.stdout
        assert "was taken back before" not in done.stderr


@pytest.mark.parametrize("name", ["apply", "undo"])
def test_what_is_no_plan_is_refused(
    command: Command, photos: Path, plan_path: Path, tmp_path: Path, name: str
) -> None:
    assert command(name, tmp_path / "nothing.json").code == 66
    (tmp_path / "other.json").write_text('{"groups": []}')
    done = command(name, tmp_path / "other.json")
    assert done.code == 65
    assert "no plan of mobisearch" in done.stderr


def test_an_interrupted_run_ends_between_two_steps(
    command: Command, plan_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threading.Event.is_set", lambda _: True)
    done = command("apply", plan_path, "--yes")
    assert done.code == 130
    assert (photos / "copy.png").exists()


def test_indexing_settles_what_was_cut_off(
    command: Command, plan_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mobisearch.cleanup.applying.move_into", cut_off)
        assert command("apply", plan_path, "--yes").code == 130
    done = command("index")
    assert done.code == 0
    assert "an earlier run was cut off here: it had not been moved" in done.stderr
    assert "cut off" not in command("index").stderr
