"""The workloads do what the cases 1 to 8 say; else these would be tried on something else."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from crashkit.client import RENAME, UNLINK
from crashkit.loads import WORKLOADS
from crashkit.oplog import MARK, Operation
from crashkit.state import State
from crashkit.workloads import Prepared

Operations = Callable[[str], list[Operation]]


@pytest.fixture
def operations(prepare: Callable[[str], Prepared]) -> Operations:
    """A function that gives what an undisturbed run of a workload does to the disk."""
    return lambda name: prepare(name).operations()


def _folder_of(path: str) -> str:
    return os.path.basename(os.path.dirname(path))


def _states(load: Prepared) -> tuple[State, State]:
    first, last = load.states[0], load.states[-1]
    assert first is not None
    assert last is not None
    return first, last


def test_there_is_a_workload_for_each_case_of_a_killed_run() -> None:
    assert {load.case for load in WORKLOADS.values()} == set(range(1, 9))


def test_the_first_build_makes_the_index_in_several_commits(
    prepare: Callable[[str], Prepared],
) -> None:
    states = prepare("first build").states
    assert states[0] is None
    counts = {len(state["files"]) for state in states if state is not None}
    assert len(counts) > 2


def test_adding_adds_in_several_commits(prepare: Callable[[str], Prepared]) -> None:
    load = prepare("incremental add")
    first, last = _states(load)
    assert len(last["vectors"]) > len(first["vectors"]) > 0
    assert len({len(state["files"]) for state in load.states if state}) > 2


def test_sealing_publishes_a_cache_file_of_vectors_that_were_in_none(
    prepare: Callable[[str], Prepared], operations: Operations
) -> None:
    load = prepare("sealing")
    first, last = _states(load)
    assert first["vectors"] == last["vectors"]
    assert len(last["segments"]) > len(first["segments"])
    published = [o for o in operations("sealing") if o.kind == RENAME]
    assert "segments" in {_folder_of(operation.other) for operation in published}


def test_merging_leaves_one_cache_file_and_deletes_the_others(
    prepare: Callable[[str], Prepared], operations: Operations
) -> None:
    load = prepare("merging")
    first, last = _states(load)
    assert len(first["segments"]) > len(last["segments"]) == 1
    deleted = [o for o in operations("merging") if o.kind == UNLINK]
    n_deleted = sum(_folder_of(operation.path) == "segments" for operation in deleted)
    assert n_deleted >= len(first["segments"])


def test_repairing_deletes_files_that_are_not_listed_and_those_that_it_replaced(
    prepare: Callable[[str], Prepared], operations: Operations
) -> None:
    load = prepare("repair of the cache")
    listed = set(load.stale)
    deleted = [o.path for o in operations("repair of the cache") if o.kind == UNLINK]
    names = {os.path.basename(path) for path in deleted if _folder_of(path) == "segments"}
    assert names & listed
    assert names - listed
    assert "tmp" in map(_folder_of, deleted)


def test_labelling_stores_labels_and_norms_in_several_commits(
    prepare: Callable[[str], Prepared],
) -> None:
    load = prepare("labelled")
    first, last = _states(load)
    assert (len(first["norms"]), len(last["norms"])) == (3, 6)
    assert (len(first["labels"]), len(last["labels"])) == (0, 12)
    counts = {len(state["labels"]) for state in load.states if state is not None}
    assert counts == {0, 6, 12}


def test_adding_a_model_stores_its_embeddings_in_several_commits(
    prepare: Callable[[str], Prepared],
) -> None:
    load = prepare("model added")
    first, last = _states(load)
    assert (len(first["beside"]), len(last["beside"])) == (0, 6)
    assert {len(state["beside"]) for state in load.states if state} == {0, 3, 6}
    assert first["vectors"] == last["vectors"]


def test_using_a_model_exchanges_all_embeddings_in_one_commit(
    prepare: Callable[[str], Prepared], operations: Operations
) -> None:
    load = prepare("model used")
    first, last = _states(load)
    assert first["in_use"] != last["in_use"]
    assert {row[0] for row in first["beside"]} == {"other"}
    assert {row[0] for row in last["beside"]} == {"fake"}
    kept = [[sha, vec] for _, sha, vec, _ in last["beside"]]
    assert kept == [[sha, vec] for sha, _, vec in first["vectors"]]
    assert len(first["vectors"]) == len(last["vectors"]) == 6
    switched = [state["in_use"] for state in load.states if state]
    assert switched == sorted(switched, key=switched.index), "there and back"
    names = {os.path.basename(o.path) for o in operations("model used") if o.kind == UNLINK}
    assert any(name.startswith("seg-") for name in names)


@pytest.mark.parametrize("name", ["remove", "changed, moved, deleted and pruned"])
def test_removing_and_pruning_delete_files_and_vectors(
    prepare: Callable[[str], Prepared], name: str
) -> None:
    first, last = _states(prepare(name))
    assert len(last["files"]) < len(first["files"])
    assert {row[0] for row in first["vectors"]} - {row[0] for row in last["vectors"]}


def test_migration_publishes_a_backup_before_it_changes_the_catalog(
    prepare: Callable[[str], Prepared], operations: Operations
) -> None:
    load = prepare("migration")
    first, last = _states(load)
    assert last["version"] > first["version"]
    assert load.states[1] is not None
    assert load.states[1]["version"] == last["version"], "the first commit is the migration"
    done = operations("migration")
    backup = next(
        n for n, o in enumerate(done) if o.kind == RENAME and _folder_of(o.other) == "backups"
    )
    commit = next(n for n, o in enumerate(done) if o.kind == MARK)
    assert backup < commit
