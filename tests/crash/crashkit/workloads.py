"""What is tried: photos, an index as it was before, and one call whose every step is hit."""

from __future__ import annotations

import dataclasses
import io
import itertools
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .client import Checked, Fault, Outcome, Zygote
from .oplog import Operation, iter_operations
from .state import State, fingerprint, lasting, open_plainly, read_state

SMALL_STEPS: Mapping[str, Any] = {
    "_FILES_PER_COMMIT": 4,
    "_MIN_SEGMENT": 4,
    "_RACY_NS": -(10**15),  # stamps vouch for files here, each write has a time of its own
}
"""So that a few files make several commits and cache files."""

REAL_STEPS: Mapping[str, Any] = {"_RACY_NS": SMALL_STEPS["_RACY_NS"]}
"""Commits and cache files of the size that they have for users."""


def picture(number: int, compress_level: int = 6) -> bytes:
    """Return a small picture as PNG, another one for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "png", compress_level=compress_level)
    return data.getvalue()


class Stage:
    """A folder of photos and an index beside it, made by undisturbed runs."""

    def __init__(
        self, zygote: Zygote, folder: Path, *, steps: Mapping[str, Any] = SMALL_STEPS
    ) -> None:
        self.zygote = zygote
        self.folder = folder
        self.steps = steps
        self.photos = folder / "photos"
        self.index = folder / "before" / "index"
        self.photos.mkdir(parents=True)
        self.index.parent.mkdir()
        self._clock = 10**18

    def put(self, name: str, number: int) -> None:
        """Add a picture, or change one."""
        self.put_bytes(name, picture(number))

    def put_bytes(self, name: str, data: bytes) -> None:
        path = self.photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._clock += 10**9
        os.utime(path, ns=(self._clock, self._clock))

    def put_many(self, folder: str, numbers: range) -> None:
        for number in numbers:
            self.put(f"{folder}/{number:05}.png", number)

    def move(self, name: str, to: str) -> None:
        (self.photos / to).parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.photos / name, self.photos / to)

    def delete(self, name: str) -> None:
        (self.photos / name).unlink()

    def run(self, action: str, *, settings: Mapping[str, Any] | None = None, **rest: Any) -> None:
        chosen = {**self.steps, **(settings or {})}
        outcome = self.zygote.run(action, self.photos, self.index, settings=chosen, **rest)
        assert outcome.code == 0, outcome.text


@dataclass(frozen=True)
class Workload:
    """One call, and what there is before it.

    Attributes:
        case: the number of the fault case that it is for.
        prepare: makes the photos and, unless the call is to make it, the index.
        stale: says which cache files may be damaged before the call has completed.
        keeps_backup: the first commit of the call brings the index to a newer format; from then on
            there must be a sound backup of the catalog as it was.
    """

    name: str
    case: int
    prepare: Callable[[Stage], None]
    action: str = "sync"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    stale: Callable[[Path], list[str]] = lambda _: []
    steps: Mapping[str, Any] = field(default_factory=lambda: SMALL_STEPS)
    keeps_backup: bool = False


@dataclass(frozen=True)
class Case:
    """What a fault led to."""

    fault: Fault
    outcome: Outcome
    problems: tuple[str, ...]


class Prepared:
    """A workload with its photos and index on disk, and what an undisturbed run of it does."""

    def __init__(self, zygote: Zygote, workload: Workload, folder: Path) -> None:
        self.zygote, self.workload, self.folder = zygote, workload, folder
        self._numbers = itertools.count(1)
        stage = Stage(zygote, folder, steps=workload.steps)
        workload.prepare(stage)
        self.photos, self.base = stage.photos, stage.index
        zygote.learn(self.photos)
        self.settings = {**workload.steps, **workload.settings}
        self.stale = workload.stale(self.place("listed")) if self.base.exists() else []
        self.photos_before = fingerprint(self.photos)
        start = self._read_start() if self.base.exists() else None
        index = self.place("whole")
        self.whole = self.run(index, wants_states=True, fault=Fault())
        assert self.whole.code == 0, self.whole.text
        assert not self.whole.outside, f"I10: {self.whole.outside} was written"
        checked = zygote.check(self.photos, index)
        assert not checked.problems, checked.problems
        self.states: list[State | None] = [start, *self.whole.states]
        assert checked.state == self.states[-1]
        self.end = lasting(checked.state)

    @property
    def title(self) -> str:
        """Its case and name, for reports."""
        return f"case {self.workload.case:02} {self.workload.name}"

    def changing_commits(self) -> tuple[list[int], list[int]]:
        """Return the commits that change what is on the disk: to die before, and to die after."""
        states = self.states
        changing = [n for n in range(1, len(states)) if states[n] != states[n - 1]]
        before = [n for n in changing if states[n - 1] is not None]  # creation is no commit
        return before, changing

    def _read_start(self) -> State:
        """Read the state before the call, in a copy: opening an index may change its files."""
        index = self.place("start")
        connection = open_plainly(index)
        try:
            return read_state(connection)
        finally:
            connection.close()
            shutil.rmtree(index.parent)

    def place(self, name: str) -> Path:
        """Return the path of an index as it is before the call, in a folder of its own."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        if self.base.exists():
            shutil.copytree(self.base, folder / "index", symlinks=True)
        else:
            folder.mkdir()
        return folder / "index"

    def run(self, index: Path, **options: Any) -> Outcome:
        """Make the call."""
        load = self.workload
        options.setdefault("settings", self.settings)
        arguments = dict(load.arguments)
        return self.zygote.run(load.action, self.photos, index, **options, **arguments)

    def try_faults(self, faults: Sequence[Fault], **options: Any) -> list[Case]:
        """Try each of several faults on its own, as many at a time as there are processes."""
        with ThreadPoolExecutor(self.zygote.n_processes) as pool:
            return list(pool.map(lambda fault: self.try_fault(fault, **options), faults))

    def count(self, mask: int) -> int:
        """Count the operations of some kinds in an undisturbed run."""
        index = self.place("count")
        outcome = self.run(index, fault=Fault(mask=mask))
        shutil.rmtree(index.parent)
        return outcome.n_operations

    def operations(self) -> list[Operation]:
        """Return what an undisturbed run does to the disk, numbered as faults number it."""
        index, log = self.place("logged"), self.folder / "operations.log"
        outcome = self.run(index, fault=Fault(), log=log, below=index)
        assert outcome.code == 0, outcome.text
        shutil.rmtree(index.parent)
        return list(iter_operations(log))

    def complete(self, index: Path, legal: list[State | None] | None) -> Checked:
        """Check the index, make the call again, check again and compare with an undisturbed run."""
        load = self.workload
        checked = self.zygote.check(
            self.photos,
            index,
            legal=legal,
            stale=self.stale,
            backup_of=self.states[0] if load.keeps_backup else None,
            settings=self.settings,
            then=load.action,
            **load.arguments,
        )
        problems = list(checked.problems)
        if checked.state is not None and lasting(checked.state) != self.end:
            problems.append(f"after another run: {checked.state}, expected {self.end}")
        if sorted(path.name for path in index.parent.iterdir()) != ["index"]:
            problems.append("I10: something was written beside the index")
        return dataclasses.replace(checked, problems=tuple(problems))

    def try_fault(self, fault: Fault, **options: Any) -> Case:
        """Make the call with a fault, then see that nothing is lost and that it can be made again.

        What was committed must be there, and nothing of a commit that was not; the one commit that
        had not returned yet may be there or not.
        """
        index = self.place(f"case-{next(self._numbers)}")
        outcome = self.run(index, fault=fault, **options)
        known = outcome.n_commits
        is_killed = bool(outcome.signal)
        legal = self.states[known : known + 2] if is_killed else self.states[known:]
        if outcome.code == 0:
            legal = self.states[-1:]
        checked = self.complete(index, legal)
        problems = list(checked.problems)
        if outcome.outside:
            problems.append(f"I10: {outcome.outside} was to be written")
        if fingerprint(self.photos) != self.photos_before:
            problems.append("I9: the photos changed")
        shutil.rmtree(index.parent)
        return Case(fault, outcome, tuple(problems))
