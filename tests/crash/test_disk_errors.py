"""A disk that is full or fails is one clear error, and what was stored before stays.

After each failure, the workload is done again without one and must complete.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from crashkit.client import ALL, CREATE, SYNC, TAKES_SPACE, WRITE, Fault
from crashkit.loads import WORKLOADS
from crashkit.workloads import Case, Prepared

from mobisearch.cli import exit_codes

ERROR_STEP = 7
SHORT_STEP = 15
"""Neighbouring operations are mostly the pages of one transaction, which fail in the same way:
every one of them is tried with MOBISEARCH_CRASH_ALL=1."""

KINDS = {
    "input or output error": (Fault.eio, ALL),
    "no space once": (Fault.enospc, TAKES_SPACE | SYNC),
    "no space from then on": (Fault.full_from, TAKES_SPACE),
    "half a write, then no space": (Fault.short_then_full, WRITE),
}

each_workload = pytest.mark.parametrize("name", list(WORKLOADS))


def _wrong_answer(case: Case) -> str:
    """Return what is wrong with how a run ended, or nothing.

    An operation that does not matter, such as the note of who is writing, may fail unnoticed.
    """
    outcome = case.outcome
    if outcome.code in (exit_codes.OK, exit_codes.STORAGE):
        return ""
    kind, path = outcome.hit
    # SQLite says only that it cannot open a file, not why, when it cannot create one.
    is_database = path.endswith((".db", "-journal", "-wal", "-shm"))
    if outcome.code == exit_codes.CANNOT_CREATE and kind == CREATE and is_database:
        return ""
    return f"I8: code {outcome.code} ({outcome.error}) for {path}: {outcome.text}"


@each_workload
@pytest.mark.parametrize("kind", list(KINDS))
def test_case_10_a_disk_error_is_told_as_one_and_loses_nothing(
    prepare: Callable[[str], Prepared],
    judge: Callable[..., None],
    choose: Callable[[int, int], range],
    kind: str,
    name: str,
) -> None:
    load = prepare(name)
    make_fault, mask = KINDS[kind]
    cases = load.try_faults([make_fault(n) for n in choose(load.count(mask), ERROR_STEP)])
    assert any(case.outcome.code == exit_codes.STORAGE for case in cases), "no fault was noticed"
    wrong = [answer for case in cases if (answer := _wrong_answer(case))]
    judge("disk errors", f"{kind}: {load.title}", cases)
    assert not wrong, "\n".join(wrong)


@each_workload
def test_case_10_a_write_that_takes_only_half_is_continued(
    prepare: Callable[[str], Prepared],
    judge: Callable[..., None],
    choose: Callable[[int, int], range],
    name: str,
) -> None:
    """As the system may do at any time; it is no error."""
    load = prepare(name)
    cases = load.try_faults([*map(Fault.short, choose(load.count(WRITE), SHORT_STEP))])
    assert {case.outcome.code for case in cases} == {exit_codes.OK}
    judge("disk errors", f"half a write: {load.title}", cases)


@each_workload
def test_case_13_a_flush_that_fails_once_is_told_and_the_next_run_is_clean(
    prepare: Callable[[str], Prepared], judge: Callable[..., None], name: str
) -> None:
    """That its file is thrown away and not flushed again is tested in ``faults``."""
    load = prepare(name)
    cases = load.try_faults([*map(Fault.failing_flush, range(1, load.count(SYNC) + 1))])
    assert any(case.outcome.code == exit_codes.STORAGE for case in cases), "no fault was noticed"
    wrong = [answer for case in cases if (answer := _wrong_answer(case))]
    judge("disk errors", f"a flush that fails once: {load.title}", cases)
    assert not wrong, "\n".join(wrong)
