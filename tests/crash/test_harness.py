"""The crash tests notice what they are there for: each is tried on code that is broken on purpose.

The same workloads without the sabotage are clean, which is what the other modules test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from crashkit.client import RENAME, SYNC, WRITE, Fault, Zygote
from crashkit.oplog import MARK, Operation, telling_points
from crashkit.outages import find_losses
from crashkit.state import CATALOG, open_plainly
from crashkit.workloads import SMALL_STEPS, Prepared, Stage


@pytest.mark.parametrize(
    ("name", "sabotage"), [("incremental add", "commit halves"), ("remove", "remove one by one")]
)
def test_a_change_committed_in_two_parts_is_noticed(
    prepare: Callable[[str], Prepared], name: str, sabotage: str
) -> None:
    """Killed in between, the index is in a state that no undisturbed run knows."""
    load = prepare(name)
    found = []
    for n in range(1, load.whole.n_operations, 3):
        index = load.place("sabotaged")
        load.run(index, fault=Fault.kill(n), sabotage=[sabotage])
        found += load.zygote.check(load.photos, index, legal=load.states).problems
        shutil.rmtree(index.parent)
        if found:
            break
    assert any("not the state after any whole number of commits" in problem for problem in found)


@pytest.mark.parametrize(
    ("name", "sabotage", "problem"),
    [
        ("incremental add", "skip the catalog's syncs", ""),
        ("sealing", "skip the files' syncs", "listed but not whole"),
    ],
)
def test_a_flush_left_out_is_noticed(
    prepare: Callable[[str], Prepared], tmp_path: Path, name: str, sabotage: str, problem: str
) -> None:
    tried, lost = find_losses(prepare(name), tmp_path, sabotage=[sabotage])
    assert tried
    assert any(problem in line for line in lost)


def test_a_migration_without_a_backup_is_noticed(prepare: Callable[[str], Prepared]) -> None:
    load = prepare("migration")
    index = load.place("sabotaged")
    load.run(index, fault=Fault.kill_after_commit(1), sabotage=["skip the backup"])
    problems = load.complete(index, None).problems
    assert any("without a backup" in problem for problem in problems)


def test_a_vector_that_is_not_the_pictures_is_noticed(
    prepare: Callable[[str], Prepared],
) -> None:
    load = prepare("incremental add")
    index = load.place("sabotaged")
    assert load.run(index, sabotage=["store other vectors"]).code == 0
    problems = load.zygote.check(load.photos, index).problems
    assert any(problem.startswith("I4") for problem in problems)


def test_a_file_written_outside_of_the_index_is_noticed(
    prepare: Callable[[str], Prepared],
) -> None:
    load = prepare("incremental add")
    index = load.place("sabotaged")
    outcome = load.run(index, sabotage=["write elsewhere"], fault=Fault())
    assert outcome.outside.endswith("elsewhere")


def test_a_damaged_catalog_is_noticed(prepare: Callable[[str], Prepared]) -> None:
    load = prepare("incremental add")
    index = load.place("sabotaged")
    connection = open_plainly(index)
    vec = connection.execute("SELECT vec FROM vector LIMIT 1").fetchone()[0]
    connection.close()
    data = (index / CATALOG).read_bytes()
    (index / CATALOG).write_bytes(data.replace(vec, vec[4:] + vec[:4]))
    assert load.zygote.check(load.photos, index).problems


def test_a_damaged_cache_file_is_noticed(prepare: Callable[[str], Prepared]) -> None:
    load = prepare("incremental add")
    index = load.place("sabotaged")
    victim = next((index / "segments").glob("seg-*"))
    victim.write_bytes(victim.read_bytes()[:-1])
    problems = load.zygote.check(load.photos, index).problems
    assert problems == (f"listed but not whole: {victim.name}",)


def test_the_count_of_operations_is_the_same_each_time(
    prepare: Callable[[str], Prepared],
) -> None:
    """Else the n-th operation of one run would be another one in the next, and some never hit."""
    load = prepare("changed, moved, deleted and pruned")
    assert len({load.count(WRITE) for _ in range(3)}) == 1
    assert load.count(0xFF) == load.whole.n_operations


def test_a_case_leaves_nothing_behind_for_the_next(zygote: Zygote, tmp_path: Path) -> None:
    """Constants, sabotage and faults are those of one child only."""
    stage = Stage(zygote, tmp_path / "stage")
    stage.put_many("a", range(3))
    settings = {**SMALL_STEPS, "_FILES_PER_COMMIT": 1}
    killed = zygote.run("sync", stage.photos, stage.index, settings=settings, fault=Fault.kill(9))
    assert killed.signal
    assert killed.code is None
    stage.run("sync")
    assert not zygote.check(stage.photos, stage.index).problems


def test_kills_that_leave_the_same_are_tried_once() -> None:
    log, database = "catalog.db-wal", "catalog.db"
    kinds = [(WRITE, log)] * 6 + [(SYNC, log), (MARK, "")] + [(WRITE, log)] * 2 + [(MARK, "")]
    kinds += [(WRITE, database)] * 3 + [(RENAME, log), (SYNC, database)]
    operations = [Operation(kind, 1, 0, path, "", b"") for kind, path in kinds]
    # Of the first transaction pages 1, 5 and 6, of the next both, all other writes, no flush.
    assert telling_points(operations) == [1, 5, 6, 8, 9, 10, 11, 12, 13]
