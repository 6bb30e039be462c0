"""Killed again and again at random times while the photos change: nothing acknowledged is lost."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from crashkit.client import Outcome, Zygote
from crashkit.state import State
from crashkit.workloads import SMALL_STEPS, Stage

SEED = int(os.environ.get("MOBISEARCH_SOAK_SEED", "1"))
N_CYCLES = int(os.environ.get("MOBISEARCH_SOAK_CYCLES", "200"))
UNDISTURBED = 10
"""One cycle in so many is not killed. It shows how long a run takes here and now."""

BROKEN = b"no picture"
Entry = tuple[str, str]
"""State and SHA-256 (upper case; empty for a file that failed)."""


class Soak:
    """A folder of photos that changes, and a record outside of the index of what it told us.

    Attributes:
        told: by path, what was seen committed of each file that has not been changed since.
    """

    def __init__(self, zygote: Zygote, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.stage = Stage(zygote, folder)
        self.names: list[str] = []
        self.told: dict[str, Entry] = {}
        self.generation = -1
        self.n_killed = self.n_pictures = 0
        for _ in range(12):
            self.add()

    def _path(self, name: str) -> str:
        return str(self.stage.photos / name)

    def add(self) -> None:
        self.n_pictures += 1
        name = f"{self.chance.choice('abc')}/{self.n_pictures:04}.png"
        self._put(name)
        self.names.append(name)

    def _put(self, name: str) -> None:
        if self.chance.random() < 0.1:
            self.stage.put_bytes(name, BROKEN)
        else:
            self.stage.put(name, self.chance.randrange(60))  # so that copies are frequent

    def change(self) -> None:
        name = self.chance.choice(self.names)
        self._put(name)
        self.told.pop(self._path(name), None)

    def move(self) -> None:
        name = self.chance.choice(self.names)
        self.n_pictures += 1
        to = f"{self.chance.choice('abc')}/{self.n_pictures:04}.png"
        self.stage.move(name, to)
        self.names[self.names.index(name)] = to
        self.told.pop(self._path(name), None)

    def delete(self) -> None:
        if len(self.names) > 6:
            name = self.names.pop(self.chance.randrange(len(self.names)))
            self.stage.delete(name)
            self.told.pop(self._path(name), None)

    def on_disk(self) -> dict[str, Entry]:
        """Return what an index should hold of each file."""
        found = {}
        for name in self.names:
            data = (self.stage.photos / name).read_bytes()
            sha256 = hashlib.sha256(data).hexdigest().upper()
            found[self._path(name)] = ("error", "") if data == BROKEN else ("ok", sha256)
        return found

    def run(self, kill_after_seconds: float | None) -> Outcome:
        """Change some photos, let the index follow, and write down what it tells."""
        for _ in range(self.chance.randrange(5)):
            self.chance.choice([self.add, self.add, self.change, self.move, self.delete])()
        action, arguments, removed = "sync", {"prune": self.chance.random() < 0.5}, ""
        if kill_after_seconds is not None and self.chance.random() < 0.1:
            removed = self.chance.choice(self.names)
            action, arguments = "remove", {"names": [removed]}
        outcome = self.stage.zygote.run(
            action,
            self.stage.photos,
            self.stage.index,
            settings=SMALL_STEPS,
            wants_states=True,
            kill_after_seconds=kill_after_seconds,
            **arguments,
        )
        self.n_killed += bool(outcome.signal)
        if outcome.states:
            self._believe(outcome.states[-1])
        # A commit may have been told of before that of the removal, which was not any more.
        self.told.pop(self._path(removed), None)
        return outcome

    def _believe(self, state: State) -> None:
        disk = self.on_disk()
        for path, kind, sha256, _ in state["files"]:
            if disk.get(path) == (kind, sha256 or ""):
                self.told[path] = disk[path]
        self.generation = state["generation"]

    def find_losses(self) -> list[str]:
        """Open the index; return what it told us and does not hold, and what else is wrong."""
        checked = self.stage.zygote.check(self.stage.photos, self.stage.index)
        if checked.state is None:
            return [*checked.problems, *(["the index is gone"] if self.generation >= 0 else [])]
        held = {path: (kind, sha or "") for path, kind, sha, _ in checked.state["files"]}
        lost = [
            f"{path} was acknowledged as {entry}, there is {held.get(path)}"
            for path, entry in self.told.items()
            if held.get(path) != entry
        ]
        if checked.state["generation"] < self.generation:
            lost.append(f"generation {checked.state['generation']} after {self.generation}")
        self._believe(checked.state)  # seen through a fresh opening, so acknowledged
        return [*checked.problems, *lost]


@pytest.mark.timeout(900)
def test_an_index_killed_at_random_times_keeps_all_that_it_acknowledged(
    zygote: Zygote, report: Callable[..., None], tmp_path: Path
) -> None:
    soak = Soak(zygote, tmp_path / "soak", SEED)
    duration = 0.0
    for cycle in range(N_CYCLES):
        if cycle % UNDISTURBED == UNDISTURBED - 1:
            outcome = soak.run(None)
            assert outcome.code == 0, outcome.text
            duration = outcome.seconds
        else:
            soak.run(soak.chance.uniform(0, duration or 0.1))
        losses = soak.find_losses()
        if losses:
            report("soak", "killed at a random time", tried=cycle + 1, lost=1)
        assert not losses, f"seed {SEED}, cycle {cycle}: {losses[:5]}"
    assert soak.run(None).code == 0
    assert not soak.find_losses()
    assert soak.told == soak.on_disk(), "the index does not hold what is in the folder"
    report("soak", "killed at a random time", tried=soak.n_killed, lost=0)
    assert soak.n_killed > N_CYCLES // 2, f"only {soak.n_killed} runs were killed before their end"
