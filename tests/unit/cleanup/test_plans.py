"""The plan file: written, changed by people, and read with distrust."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch.cleanup import (
    KeptFile,
    Plan,
    PlannedFile,
    PlannedGroup,
    parse_plan,
    plan_reading,
    plan_text,
    read_plan,
    write_plan,
)
from mobisearch.errors import PlanError, PlanNotFoundError, ReportError

SHA = "ab" * 32
ODD = os.fsdecode(b"/photos/caf\xe9\n.jpg")


def make_plan() -> Plan:
    group = PlannedGroup(
        KeptFile("/photos/a.jpg", SHA, 10, 1_700_000_000_123_456_789, "largest: has 4 x 4 pixels"),
        (
            PlannedFile(1, "trash", ODD, SHA, 10, -5, "same file", 1.0, "oldest"),
            PlannedFile(2, "trash", "/photos/b.CR2", SHA, 99, 7, "RAW", companion_of=1),
            PlannedFile(3, "none", "/photos/c.jpg", "cd" * 32, 5, 7, "cropped", 0.9),
            PlannedFile(
                4, "trash", "/photos/d.jpg", "ef" * 32, 5, 7, "resized", is_loss_accepted=True
            ),
        ),
    )
    return Plan("0" * 32, "2026-01-31T12:00:00+00:00", (group,), (os.fsdecode(b"/keep/\xff"),))


def document() -> Any:
    return json.loads(plan_text(make_plan()))


def parse(value: Any) -> Plan:
    return parse_plan(json.dumps(value).encode())


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", make_plan())
    assert read_plan(tmp_path / "plan.json") == make_plan()
    assert (tmp_path / "plan.json").read_bytes().isascii()


def test_a_plan_replaces_a_plan_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    for _ in range(2):
        write_plan(target, make_plan())
    target.write_text('{"mine": 1}')
    with pytest.raises(ReportError, match="left alone"):
        write_plan(target, make_plan())
    target.unlink()
    target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReportError, match="left alone"):
        write_plan(target, make_plan())
    with pytest.raises(ReportError, match="cannot be written"):
        write_plan(tmp_path / "no" / "plan.json", make_plan())
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def _set(*keys: str | int, to: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        value[keys[-1]] = to

    return change


FILE = ("groups", 0, "files", 0)


@pytest.mark.parametrize(
    "change",
    [
        _set("mobisearch_plan", to=2),
        _set("id", to="../../etc"),
        _set("groups", to={}),
        _set("more", to=1),
        _set("protect", to=["/keep"]),
        _set("groups", 0, "keep", to=None),
        _set("groups", 0, "keep", "sha256", to=SHA.upper()),
        _set("groups", 0, "decision", to="maybe"),
        _set("groups", 0, "decision", to="keep"),
        _set(*FILE, "action", to="delete"),
        _set(*FILE, "step", to=0),
        _set(*FILE, "step", to=2),
        _set(*FILE, "step", to=True),
        _set(*FILE, "size_bytes", to=-1),
        _set(*FILE, "size_bytes", to=1.5),
        _set(*FILE, "mtime_ns", to=2**63),
        _set(*FILE, "score", to="high"),
        _set(*FILE, "reason", to="x" * 5000),
        _set(*FILE, "path_b64", to="***"),
        _set(*FILE, "path_b64", to=""),
        _set(*FILE, "loss_accepted", to="yes"),
        _set(*FILE, "loss_accepted", to=1),
        _set(*FILE, "loss_accepted", to=None),
        _set(*FILE, "companion_of", to=9),
        _set(*FILE, "companion_of", to=2),
        _set(*FILE, "comment", to="?"),
        _set("groups", 0, "files", 2, "path", to="photos/c.jpg"),
        _set("groups", 0, "files", 2, "path", to="/photos/../etc/passwd"),
        _set("groups", 0, "files", 2, "path", to="/photos//c.jpg"),
        _set("groups", 0, "files", 2, "path", to="/photos/\0"),
        _set("groups", 0, "files", 2, "path", to="/photos/\ud800"),
        _set("groups", 0, "files", 2, "path", to="/photos/a.jpg"),
        _set("groups", 0, "files", 2, "action", to="link"),
        _set("groups", 0, "files", 1, "action", to="link"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_whole(change: Callable[[Any], None]) -> None:
    value = document()
    parse(value)
    change(value)
    with pytest.raises(PlanError) as caught:
        parse(value)
    assert caught.value.path == "<plan>"


@pytest.mark.parametrize("number", [2**63, 10**30, -(10**30)])
def test_a_number_out_of_range_is_told_the_range(number: int) -> None:
    value = document()
    _set(*FILE, "mtime_ns", to=number)(value)
    with pytest.raises(PlanError, match=f"from {-(2**63) + 1} to {2**63 - 1}"):
        parse(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"groups": []}',
        b'{"mobisearch_plan": 1, "mobisearch_plan": 1}',
        b'{"mobisearch_plan": NaN}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(PlanError):
        parse_plan(data)


def test_a_file_larger_than_a_plan_can_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_reading, "MAX_PLAN_BYTES", 100)
    with pytest.raises(PlanError, match="larger than"):
        parse_plan(plan_text(make_plan()).encode())


def test_a_plan_that_is_not_there_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "no.json", tmp_path):
        with pytest.raises(PlanNotFoundError):
            read_plan(path)


def test_people_may_change_what_is_done() -> None:
    value = document()
    value["groups"][0]["files"][2]["action"] = "trash"
    value["groups"][0]["files"][0]["action"] = "none"
    (group,) = parse(value).groups
    assert [file.action for file in group.files] == ["none", "trash", "trash", "trash"]
    assert group.reclaimable_bytes == 109


def test_a_loss_is_accepted_only_where_the_plan_says_so() -> None:
    value = document()
    files = value["groups"][0]["files"]
    assert ["loss_accepted" in file for file in files] == [False, False, False, True]
    files[0]["loss_accepted"] = True
    files[3]["loss_accepted"] = False
    (group,) = parse(value).groups
    assert [file.is_loss_accepted for file in group.files] == [True, False, False, False]
