"""``mobisearch decide`` and ``decisions``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_a_decision_is_remembered_by_content_and_listed(command: Command, indexed: Path) -> None:
    done = command("decide", "different", indexed / "a.png", indexed / "b.png")
    assert done.code == 0
    assert "2 contents, different pictures" in done.stdout
    (indexed / "a.png").rename(indexed / "moved.png")
    command("index", indexed)
    (found,) = command("decisions", "--json").document["decisions"]
    assert found["kind"] == "different"
    paths = {image["path"] for content in found["contents"] for image in content["images"]}
    assert paths == {str(indexed / "moved.png"), str(indexed / "b.png")}
    shown = command("decisions")
    assert "moved.png" in shown.stdout


def test_decisions_go_to_an_index_that_is_made_anew(
    command: Command, indexed: Path, tmp_path: Path
) -> None:
    made = command("decide", "keep", indexed / "a.png")
    assert made.stdout == "decision 1: 1 content, all of them stay\n"
    assert command("decisions", "--export", "old.json").code == 0
    assert command("decisions", "--export", "old.json").code == 73
    other = tmp_path / "other"
    command("index", indexed, "--index", other)
    assert (
        "1 decision is new" in command("decisions", "--import", "old.json", "--index", other).stderr
    )
    again = command("decisions", "--import", "old.json", "--index", other)
    assert "0 decisions are new" in again.stderr
    found = command("decisions", "--json", "--index", other).document["decisions"]
    assert [decision["kind"] for decision in found] == ["keep"]


def test_a_decision_can_be_forgotten(command: Command, indexed: Path) -> None:
    made = command("decide", "keep", indexed / "a.png", "--json").document
    assert command("decisions", "--forget", str(made["id"])).code == 0
    assert command("decisions", "--json").document == {"decisions": []}
    assert command("decisions", "--forget", str(made["id"])).code == 2


def test_what_is_no_image_of_the_index_cannot_be_decided_on(
    command: Command, indexed: Path, make_photo: Callable[..., Path]
) -> None:
    (indexed / "note.txt").write_text("no picture")
    make_photo(indexed / "new.png", seed=99)
    for name in ("note.txt", "new.png", "broken.jpg"):
        for kind in ("keep", "different"):
            done = command("decide", kind, indexed / "a.png", indexed / name)
            assert (done.code, done.stdout) == (66, "")
            assert f"{indexed / name}: no image in the index has the bytes" in done.stderr
    assert command("decisions", "--json").document == {"decisions": []}
    command("index", indexed)
    assert command("decide", "different", indexed / "a.png", indexed / "new.png").code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_decisions_are_only_read_from_a_file_that_ends(
    command: Command, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo("pipe")
    for name in ("pipe", "/dev/zero", str(indexed)):
        done = command("decisions", "--import", name)
        assert (done.code, f"{name}: is not a file" in done.stderr) == (66, True)
    monkeypatch.setattr("mobisearch.remembering._MAX_FILE_BYTES", 9)
    Path("large.json").write_text(" " * 10)
    done = command("decisions", "--import", "large.json")
    assert (done.code, "is larger than 9 bytes" in done.stderr) == (65, True)


def test_decisions_that_make_no_sense_are_refused(command: Command, indexed: Path) -> None:
    assert command("decide", "different", indexed / "a.png").code == 2
    assert command("decide", "equal", indexed / "a.png").code == 2
    assert command("decide", "keep", indexed / "nothing.png").code == 66
    absent = command("decisions", "--import", "nothing.json")
    assert (absent.code, "decisions --export FILE" in absent.stderr) == (66, True)
    Path("bad.json").write_text(json.dumps({"decisions": []}))
    assert command("decisions", "--import", "bad.json").code == 65
    Path("bad.json").write_text(
        json.dumps({"mobisearch_decisions": 1, "decisions": [{"kind": "keep"}]})
    )
    assert command("decisions", "--import", "bad.json").code == 65
    assert command("decisions", "--json").document == {"decisions": []}
