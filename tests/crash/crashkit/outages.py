"""Trying every state that the power may leave of a workload."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .client import Fault
from .oplog import iter_operations
from .powerloss import Disk, PowerLoss, iter_power_losses, restore
from .state import digest
from .workloads import Prepared

SEED = 20240229


def find_losses(
    load: Prepared, folder: Path, *, sabotage: Sequence[str] = ()
) -> tuple[int, list[str]]:
    """Try every power loss of a workload; return how many, and what went wrong."""
    index = load.place("logged")
    disk = Disk(index.parent)
    log = folder / "operations.log"
    outcome = load.run(index, fault=Fault(), log=log, sabotage=sabotage)
    assert outcome.code == 0, outcome.text
    assert outcome.n_commits == len(load.states) - 1
    legal = ["".join(map(digest, load.states[n : n + 2])) for n in range(len(load.states))]
    losses = iter_power_losses(disk, list(iter_operations(log)), legal, seed=SEED)

    def try_one(numbered: tuple[int, PowerLoss]) -> list[str]:
        number, loss = numbered
        place = folder / str(number)
        place.mkdir()
        restore(loss.tree, disk.root, place)
        checked = load.complete(place / "index", load.states[loss.n_commits : loss.n_commits + 2])
        shutil.rmtree(place)
        return [f"{loss.label}, {loss.n_commits} commits: {line}" for line in checked.problems[:1]]

    with ThreadPoolExecutor(load.zygote.n_processes) as pool:
        found = list(pool.map(try_one, enumerate(losses)))
    shutil.rmtree(index.parent)
    return len(found), [line for lines in found for line in lines]
