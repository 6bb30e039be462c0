"""The workloads: each way in which an index is written."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

from .state import CATALOG, open_plainly
from .workloads import REAL_STEPS, Stage, Workload

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "format-1.db.gz"

N_BEFORE = 70
"""Images before some are added: enough for a cache file of the usual size."""


def _prepare_build(stage: Stage) -> None:
    stage.put_many("a", range(5))
    stage.put("b/copy.png", 3)
    stage.put("b/other.png", 6)
    stage.put_bytes("b/broken.png", b"no picture")


def _prepare_add(stage: Stage) -> None:
    _prepare_build(stage)
    stage.run("sync")
    stage.put_many("new", range(10, 16))
    stage.put("a/copy.png", 11)


def _prepare_follow(stage: Stage) -> None:
    stage.put_many("a", range(9))
    stage.put_bytes("a/broken.png", b"no picture")
    stage.run("sync")
    stage.put("a/00000.png", 20)  # changed
    stage.put("a/00001.png", 2)  # changed into a copy
    stage.move("a/00003.png", "b/moved.png")
    stage.move("a/00004.png", "a/renamed.png")
    stage.delete("a/00005.png")
    stage.delete("a/00006.png")
    stage.delete("a/broken.png")


def _prepare_remove(stage: Stage) -> None:
    stage.put_many("a", range(6))
    stage.put_many("b", range(6, 9))
    stage.put("b/copy.png", 1)
    stage.run("sync")


def _prepare_seal(stage: Stage) -> None:
    stage.put_many("a", range(3))
    stage.run("sync")
    stage.put_many("b", range(3, 9))
    stage.run("sync", settings={"_MIN_SEGMENT": 1000})


def _prepare_merge(stage: Stage) -> None:
    """Three cache files of three vectors, one vector dead; a fourth comes with the call."""
    for start in (0, 3, 6):
        stage.put_many("a", range(start, start + 3))
        stage.run("sync", settings={"_MIN_SEGMENT": 1, "_MERGE_AT": 1000})
    stage.delete("a/00004.png")
    stage.put_many("a", range(9, 12))


def _prepare_repair(stage: Stage) -> None:
    """Three cache files: one with a flipped bit, one cut short, one gone; and strays."""
    for start in (0, 3, 6, 9):
        stage.put_many("a", range(start, start + 3))
        stage.run("sync", settings={"_MIN_SEGMENT": 1, "_MERGE_AT": 1000})
    flipped, cut, gone, _ = _segments(stage.index)
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()
    stray = f"seg-{1:016x}-{7:032x}.faiss"
    (stage.index / "segments" / stray).write_bytes(b"not listed")
    (stage.index / "tmp" / stray).write_bytes(b"left by an interrupted run")


def _listed(index: Path) -> list[str]:
    """Return the names of all cache files that the catalog lists, sound or not."""
    connection = open_plainly(index)
    try:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        tables = sorted({"segment", "structure"} & there)
        return [row[0] for t in tables for row in connection.execute(f"SELECT name FROM {t}")]
    finally:
        connection.close()


def _segments(index: Path) -> list[Path]:
    return sorted((index / "segments").glob("seg-*.faiss"))


def _prepare_migrate(stage: Stage) -> None:
    stage.put_many("a", range(3))
    (stage.index / "segments").mkdir(parents=True)
    (stage.index / "tmp").mkdir()
    (stage.index / CATALOG).write_bytes(gzip.decompress(GOLDEN.read_bytes()))


def _prepare_copies(stage: Stage) -> None:
    """Images that were never looked at for copies; two have the same content."""
    stage.put_many("a", range(6))
    stage.put("b/copy.png", 3)
    stage.run("sync")


def _prepare_labels(stage: Stage) -> None:
    """Images without labels, some of them without norms, as from an older format."""
    _prepare_copies(stage)
    connection = sqlite3.connect(stage.index / CATALOG)
    with connection:
        connection.execute("DELETE FROM norm WHERE vector_id % 2")
    connection.close()


def _prepare_model(stage: Stage) -> None:
    """A model beside the one in use."""
    _prepare_copies(stage)
    stage.run("add model")


def _prepare_structure(stage: Stage) -> None:
    """Images enough for a structure, if they may have one."""
    stage.put_many("a", range(10))
    stage.run("sync")


def _prepare_structure_append(stage: Stage) -> None:
    stage.put_many("a", range(10))
    stage.run("sync", settings=STRUCTURED)
    stage.put_many("b", range(10, 15))


def _prepare_structure_rebuild(stage: Stage) -> None:
    """A structure whose file is cut short, and new images."""
    _prepare_structure_append(stage)
    [path] = (stage.index / "segments").glob("ann-*.faiss")
    path.write_bytes(path.read_bytes()[:-1])


def _prepare_one_more(stage: Stage) -> None:
    stage.put_many("a", range(N_BEFORE))
    stage.run("sync")
    stage.put("b/new.png", N_BEFORE)


def _prepare_64_more(stage: Stage) -> None:
    stage.put_many("a", range(N_BEFORE))
    stage.run("sync")
    stage.put_many("b", range(N_BEFORE, N_BEFORE + 64))


STRUCTURED = {
    "_MIN_VECTORS": 8,
    "_MIN_FOR_LISTS": 8,
    "_MIN_TAIL": 2,
    "_ROWS_PER_BLOCK": 4,
    "_CANDIDATES": (1_000,),
    "_PROBES": (1_000,),
    "_MAX_SHARE": 1e6,
}
"""So that a few images have a structure, whose candidates are all of them."""

MERGING = {"_MIN_SEGMENT": 1, "_MERGE_AT": 2, "_MIN_GROWTH": 1}
APART = {"_MIN_SEGMENT": 1, "_MERGE_AT": 1000}

COMPARING = {
    "_LOOKS_PER_COMMIT": 3,
    "_PAIRS_PER_STEP": 8,
    "_PAIRS_PER_COMMIT": 8,
    "_N_TRIALS": 2,
    "_N_ALTERED": 1,
}
"""So that a few images make several commits of looks and of relations."""

LABELLING = {"_LABELLED_PER_COMMIT": 3}
UPGRADING = {"_EMBEDDED_PER_COMMIT": 3}

WORKLOADS = {
    load.name: load
    for load in (
        Workload("first build", 1, _prepare_build),
        Workload("incremental add", 2, _prepare_add),
        Workload("sealing", 3, _prepare_seal, settings={"_MIN_SEGMENT": 2}),
        Workload("merging", 4, _prepare_merge, settings=MERGING, arguments={"prune": True}),
        Workload("repair of the cache", 5, _prepare_repair, settings=APART, stale=_listed),
        Workload("structure built", 3, _prepare_structure, settings=STRUCTURED),
        Workload("structure added to", 4, _prepare_structure_append, settings=STRUCTURED),
        Workload(
            "structure rebuilt", 5, _prepare_structure_rebuild, settings=STRUCTURED, stale=_listed
        ),
        Workload("remove", 6, _prepare_remove, "remove", {"names": ["b", "a/00002.png"]}),
        Workload(
            "changed, moved, deleted and pruned", 6, _prepare_follow, arguments={"prune": True}
        ),
        Workload("copies looked for", 2, _prepare_copies, "duplicates", settings=COMPARING),
        Workload("labelled", 2, _prepare_labels, "label", settings=LABELLING),
        Workload("model added", 7, _prepare_copies, "add model", settings=UPGRADING),
        Workload("model used", 7, _prepare_model, "use model"),
        Workload("model replaced", 7, _prepare_model, "replace model"),
        Workload(
            "migration", 8, _prepare_migrate, settings=APART, stale=_listed, keeps_backup=True
        ),
    )
}

SIZES = {
    load.name: load
    for load in (
        Workload("1 file added", 2, _prepare_one_more, steps=REAL_STEPS),
        Workload("64 files added", 2, _prepare_64_more, steps=REAL_STEPS),
    )
}
"""Commits and cache files are as large as for users here."""
