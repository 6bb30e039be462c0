"""Adding 1, 64 and 10,000 files, with commits and cache files of the size that users get."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from crashkit.client import Fault, Zygote
from crashkit.loads import SIZES
from crashkit.state import State, open_plainly, read_state
from crashkit.workloads import REAL_STEPS, Prepared, Stage

N_BEFORE = 70
N_ADDED = 10_000
PER_COMMIT = 64
N_KILLS = 5

COMMITS_BETWEEN = N_ADDED // PER_COMMIT // (N_KILLS + 1)
"""From the start of a run to its death, so that the deaths are evenly spaced."""

N_SEARCHES = 200
"""Images that are searched by their own vector in the end."""


@pytest.mark.parametrize("name", list(SIZES))
def test_case_02_a_run_that_adds_a_few_files_and_is_killed_at_a_commit_loses_nothing(
    prepare: Callable[[str], Prepared], judge: Callable[..., None], name: str
) -> None:
    load = prepare(name)
    before, after = load.changing_commits()
    assert len(after) > 1
    faults = [*map(Fault.kill_before_commit, before), *map(Fault.kill_after_commit, after)]
    cases = load.try_faults(faults)
    assert {case.outcome.signal for case in cases} == {signal.SIGKILL}
    judge("crash", f"killed at a commit: {load.title}", cases)


def _read(index: Path) -> State:
    connection = open_plainly(index)
    try:
        return read_state(connection)
    finally:
        connection.close()


def _rows(state: State) -> set[tuple[object, ...]]:
    """Return the files and the vectors that a state holds."""
    return {tuple(row) for name in ("files", "vectors") for row in state[name]}


def test_case_02_runs_that_add_ten_thousand_files_and_are_killed_now_and_then_lose_nothing(
    zygote: Zygote, report: Callable[..., None], tmp_path: Path
) -> None:
    """Each run goes on where the one before died, and the last one completes it."""
    stage = Stage(zygote, tmp_path / "load", steps=REAL_STEPS)
    stage.put_many("a", range(N_BEFORE))
    stage.run("sync")
    stage.put_many("b", range(N_BEFORE, N_BEFORE + N_ADDED))
    known = _read(stage.index)
    lost = n_other_commits = 0
    for number in range(N_KILLS):
        kill = Fault.kill_after_commit if number % 2 else Fault.kill_before_commit
        outcome = zygote.run(
            "sync", stage.photos, stage.index, settings=REAL_STEPS, fault=kill(COMMITS_BETWEEN)
        )
        assert outcome.signal == signal.SIGKILL
        now = _read(stage.index)
        lost += len(_rows(known) - _rows(now))
        n_new = len(now["files"]) - len(known["files"])
        assert n_new % PER_COMMIT == 0, "all files of a commit or none of them"
        # Whatever else a run commits, such as the folder, is the same each time.
        n_commits = COMMITS_BETWEEN - 1 + number % 2
        n_other_commits = n_other_commits or n_commits - n_new // PER_COMMIT
        assert n_commits - n_new // PER_COMMIT == n_other_commits, "a commit is lost, or undone"
        assert now["generation"] > known["generation"]
        known = now
    stage.run("sync")
    state = _read(stage.index)
    lost += len(_rows(known) - _rows(state))
    assert len(state["files"]) == len(state["vectors"]) == N_BEFORE + N_ADDED
    assert {kind for _, kind, _, _ in state["files"]} == {"ok"}
    problems = zygote.check(stage.photos, stage.index, n_searches=N_SEARCHES).problems
    report(
        "crash", f"killed at a commit: case 02 {N_ADDED:,} files added", tried=N_KILLS, lost=lost
    )
    assert not lost
    assert not problems, problems[:5]
