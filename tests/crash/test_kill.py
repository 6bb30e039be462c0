"""A run that is killed at any of its operations loses nothing, and the next one completes it.

Each workload is one of the cases 1 to 8; ``test_workloads`` shows that they are what the
cases say.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from crashkit.client import WRITE, Fault
from crashkit.loads import WORKLOADS
from crashkit.oplog import telling_points
from crashkit.workloads import Prepared

TORN_STEP = 7
"""What half a write leaves is no file that anybody reads yet, or a log whose checksums end before
it: one case in seven shows it for each kind of file."""

each_workload = pytest.mark.parametrize("name", list(WORKLOADS))


@each_workload
def test_cases_01_to_08_a_run_killed_at_any_operation_loses_nothing(
    prepare: Callable[[str], Prepared], judge: Callable[..., None], tries_all: bool, name: str
) -> None:
    """Every operation that leaves something else than the one before, or that may."""
    load = prepare(name)
    n = load.whole.n_operations
    assert n > 20, "the workload writes next to nothing: it is not what it was meant to be"
    points = range(1, n + 1) if tries_all else telling_points(load.operations())
    assert len(points) > 20
    cases = load.try_faults([*map(Fault.kill, points), Fault.kill_after(n)])
    assert {case.outcome.signal for case in cases} == {signal.SIGKILL}
    judge("crash", f"killed at an operation: {load.title}", cases)


@each_workload
def test_cases_01_to_08_a_run_killed_just_before_or_after_a_commit_loses_nothing(
    prepare: Callable[[str], Prepared], judge: Callable[..., None], name: str
) -> None:
    """Of the commits, those that change what is on the disk."""
    load = prepare(name)
    before, after = load.changing_commits()
    faults = [*map(Fault.kill_before_commit, before), *map(Fault.kill_after_commit, after)]
    cases = load.try_faults(faults)
    assert {case.outcome.signal for case in cases} == {signal.SIGKILL}
    judge("crash", f"killed at a commit: {load.title}", cases)


@each_workload
def test_cases_01_to_08_a_run_killed_in_the_middle_of_a_write_loses_nothing(
    prepare: Callable[[str], Prepared],
    judge: Callable[..., None],
    choose: Callable[[int, int], range],
    name: str,
) -> None:
    load = prepare(name)
    cases = load.try_faults([*map(Fault.torn, choose(load.count(WRITE), TORN_STEP))])
    assert {case.outcome.signal for case in cases} == {signal.SIGKILL}
    judge("crash", f"killed inside a write: {load.title}", cases)
