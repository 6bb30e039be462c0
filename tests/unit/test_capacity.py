"""How many pictures a machine decodes at once: processors, control groups, memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import capacity
from mobisearch.capacity import count_workers

Group = Callable[..., None]
MEGABYTE = 1 << 20


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Group:
    """A function that says what the machine has, and what control groups grant."""
    monkeypatch.setattr(capacity, "_GROUPS_DIR", str(tmp_path / "groups"))
    monkeypatch.setattr(capacity, "_OWN_GROUP", str(tmp_path / "own"))

    def make(
        *,
        processors: int = 8,
        memory_bytes: float = 64_000 * MEGABYTE,
        own: str | None = "0::/",
        **files: str,
    ) -> None:
        monkeypatch.setattr(capacity, "_bound_processors", lambda: processors)
        monkeypatch.setattr(capacity, "_physical_bytes", lambda: memory_bytes)
        if own is not None:
            (tmp_path / "own").write_text(f"12:cpu:/old\n{own}\n")
        for name, text in files.items():
            folder, _, kind = name.rpartition("__")
            path = tmp_path / "groups" / folder.replace("__", "/") / kind.replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")

    return make


def test_there_is_one_for_each_processor(machine: Group) -> None:
    machine(processors=6)
    assert count_workers() == 6


@pytest.mark.parametrize(
    ("quota", "n_workers"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("10000 50000", 1),
        ("9900000 100000", 8),
        ("", 8),
        ("100000 0", 8),
        ("-1 100000", 8),
        ("nonsense", 8),
    ],
)
def test_a_control_group_may_grant_fewer(machine: Group, quota: str, n_workers: int) -> None:
    machine(cpu_max=quota)
    assert count_workers() == n_workers


def test_the_groups_above_count_too(machine: Group) -> None:
    limits = {"a__cpu_max": "300000 100000", "a__b__cpu_max": "max 100000", "c__cpu_max": "1 1"}
    machine(own="0::/a/b", **limits)
    assert count_workers() == 3


@pytest.mark.parametrize(
    ("memory_bytes", "granted", "n_workers"),
    [
        (4096 * MEGABYTE, "max", 8),
        (2048 * MEGABYTE, "max", 4),
        (100 * MEGABYTE, "max", 1),
        (64_000 * MEGABYTE, str(1100 * MEGABYTE), 2),
        (float("inf"), "0", 1),
    ],
)
def test_little_memory_means_fewer(
    machine: Group, memory_bytes: float, granted: str, n_workers: int
) -> None:
    machine(memory_bytes=memory_bytes, memory_max=granted)
    assert count_workers() == n_workers


def test_a_system_without_control_groups_is_no_obstacle(machine: Group) -> None:
    machine(own=None)
    assert count_workers() == 8


def test_this_machine_has_room_for_one_at_least_and_no_more_than_it_has_processors() -> None:
    assert 1 <= count_workers() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not bound here")
def test_the_processors_that_this_process_is_bound_to_count() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert count_workers() == 1
    finally:
        os.sched_setaffinity(0, before)
