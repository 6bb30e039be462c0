"""Counting processors that may be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mobisearch import processors


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1),
     ("nonsense", 8), ("100000 0", 8)],
)  # fmt: skip
def test_a_control_group_with_less_than_the_machine_decides(
    text: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(processors, "_CGROUP_DIR", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert processors.usable_processors() == expected


def test_a_process_that_is_held_to_one_processor_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "_CGROUP_DIR", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert processors.usable_processors() == 1
