"""Clearing away copies that is killed, or whose disk fails, at any operation loses no photo.

After each case: every content that was there is there, at its place or in the trash; the journal
says of each step what is so; doing it again completes it; taking it back restores everything.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crashkit.client import Fault, Outcome, Zygote
from crashkit.oplog import Operation, iter_operations, telling_points
from crashkit.state import CATALOG
from crashkit.workloads import picture

from mobisearch import Embedder, ImageIndex
from mobisearch.cleanup import DraftSettings, draft_plan, write_plan
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import DuplicateGroup, GroupMember, ImageRecord, Verdict

FAILURE_STEP = 3
"""A disk that fails once in three operations shows what it does to each kind of step."""

Contents = dict[str, tuple[str, int, int]]


def contents(folder: Path) -> Contents:
    """Return hash, time and mode of each file below a folder."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
            path.stat().st_mode,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def copy_all(source: Path, target: Path) -> None:
    """Copy a folder with its hard links, times and modes."""
    subprocess.run(["cp", "-a", source, target], check=True)


@dataclass
class Scene:
    """Photos with copies, an index of them, and a plan; put back before each case."""

    zygote: Zygote
    live: Path
    saved: Path
    as_links: bool
    before: Contents
    copies: tuple[str, ...]

    @property
    def photos(self) -> Path:
        return self.live / "photos"

    def run(self, action: str, fault: Fault | None = None, log: Path | None = None) -> Outcome:
        return self.zygote.run(
            action,
            self.photos,
            self.live / "index",
            fault=fault,
            log=log,
            below=self.live,
            plan=str(self.live / "plan.json"),
            data_home=str(self.live / "data"),
            as_links=self.as_links,
        )

    def put_back(self, applied: bool) -> None:
        """Put everything back as it was before, or as it is once the plan was carried out."""
        done = self.saved.with_name("applied")
        if applied and not done.exists():
            self.put_back(applied=False)
            self.do("apply")
            copy_all(self.live, done)
        shutil.rmtree(self.live)
        copy_all(done if applied else self.saved, self.live)

    def do(self, action: str) -> Outcome:
        outcome = self.run(action)
        assert outcome.code == 0, outcome.text
        return outcome

    def actions(self) -> list[dict[str, Any]]:
        connection = sqlite3.connect(
            f"{(self.live / 'index' / CATALOG).as_uri()}?mode=ro", uri=True
        )
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM action")]
        finally:
            connection.close()

    def problems(self) -> Iterator[str]:
        """Give what is wrong right after a case, before anything was done about it."""
        there = contents(self.live)
        held = {sha256 for sha256, _, _ in there.values()}
        now = contents(self.photos)
        for name, (sha256, _, _) in self.before.items():
            if sha256 not in held:
                yield f"{name} is nowhere any more"
            if name not in now and not self._in_trash(sha256):
                yield f"{name} is neither at its place nor in the trash"
            if name in now and now[name][0] != sha256 and self._size(name):
                yield f"{name} was overwritten"
        for name in ("a.png", "x.png"):
            if now.get(name) != self.before[name]:
                yield f"{name}, which is kept, was changed"
        for row in self.actions():
            yield from self._untruths(row)

    def _size(self, name: str) -> int:
        return (self.photos / name).stat().st_size

    def _in_trash(self, sha256: str) -> bool:
        files = self.live / "data" / "Trash" / "files"
        own = self.live / f".Trash-{os.getuid()}" / "files"
        found = [*contents(files).values(), *contents(own).values()]
        return any(entry[0] == sha256 for entry in found)

    def _untruths(self, row: dict[str, Any]) -> Iterator[str]:
        path = Path(os.fsdecode(row["path"]))
        sha256 = row["sha256"].hex()
        is_at_place = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        is_linked = path.exists() and os.path.samefile(path, os.fsdecode(row["keeper"]))
        is_done = is_linked if row["kind"] == "link" else not path.exists()
        if row["state"] == "done" and not is_done:
            yield f"the journal says that {path.name} was done with"
        if row["state"] in ("failed", "undone") and (not is_at_place or is_linked):
            newer = [r for r in self.actions() if r["path"] == row["path"]]
            if newer[-1]["action_id"] == row["action_id"]:
                yield f"the journal says that {path.name} is at its place ({row['state']})"

    def repeated(self) -> Iterator[str]:
        """Give what is wrong after everything was done again, and then taken back."""
        self.do("apply")
        now = contents(self.photos)
        if self.as_links:
            kept = self.photos / "a.png"
            linked = [os.path.samefile(self.photos / name, kept) for name in self.copies]
            if not all(linked) or set(now) != set(self.before):
                yield f"after another apply: {linked}, {sorted(now)}"
        elif set(now) != {"a.png", "x.png"}:
            yield f"after another apply: {sorted(now)}"
        yield from self.problems()
        self.do("undo")
        now = contents(self.photos)
        if now != self.before:
            yield f"after undo: {now}, expected {self.before}"
        if any(path.stat().st_nlink > 1 for path in self.photos.iterdir()):
            yield "after undo something is still a link"
        yield from self.problems()
        embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), isolated=False)
        with ImageIndex.open(self.live / "index", embedder) as index:
            if len(index) != len(self.before) or not index.verify().ok:
                yield f"the index holds {len(index)} images: {index.verify().damage}"

    def try_fault(self, action: str, fault: Fault) -> list[str]:
        self.put_back(applied=action == "undo")
        outcome = self.run(action, fault)
        if outcome.outside:
            return [f"{fault}: {outcome.outside} was to be written"]
        found = [*self.problems(), *self.repeated()]
        return [f"{fault}, {outcome.hit}: {problem}" for problem in found]


@pytest.fixture(params=[False, True], ids=["trash", "links"])
def scene(request: pytest.FixtureRequest, zygote: Zygote, tmp_path: Path) -> Scene:
    """``a.png`` with a copy, and another one; or ``x.png`` with one of other bytes too."""
    live = Path(os.path.realpath(tmp_path)) / "live"
    photos = live / "photos"
    photos.mkdir(parents=True)
    as_links = bool(request.param)
    numbers = {"a.png": 1, "b.png": 1, "x.png": 2}
    numbers |= {"c.png": 1} if as_links else {"y.png": 2}
    for place, (name, number) in enumerate(numbers.items()):
        (photos / name).write_bytes(picture(number, compress_level=1 if name == "y.png" else 6))
        os.utime(photos / name, ns=(10**18 + place, 10**18 + place))
    (photos / "b.png").chmod(0o640)
    embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), isolated=False)
    with ImageIndex.create(live / "index", embedder) as index:
        index.sync(photos)

    def record(name: str) -> ImageRecord:
        data = (photos / name).read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        return ImageRecord(1, str(photos / name), 12, 8, len(data), 0, sha256, "PNG")

    def group(keep: str, *copies: str) -> DuplicateGroup:
        return DuplicateGroup(
            GroupMember(record(keep), Verdict.SAME_FILE, 1.0),
            tuple(GroupMember(record(name), Verdict.CROPPED, 0.9) for name in copies),
        )

    copies = ("b.png", "c.png") if as_links else ("b.png",)
    groups = [group("a.png", *copies)]
    if not as_links:
        groups.append(group("x.png", "y.png"))
    write_plan(live / "plan.json", draft_plan(groups, DraftSettings(moves_versions=True)))
    saved = live.parent / "saved"
    shutil.copytree(live, saved)
    return Scene(zygote, live, saved, as_links, contents(photos), copies)


def count(scene: Scene, action: str) -> tuple[int, int]:
    """Return how many operations and commits an undisturbed run has."""
    scene.put_back(applied=action == "undo")
    outcome = scene.run(action, Fault())
    assert outcome.code == 0, outcome.text
    assert not list(scene.problems())
    return outcome.n_operations, outcome.n_commits


def log_operations(scene: Scene, action: str) -> list[Operation]:
    """Return what an undisturbed run does to the disk."""
    scene.put_back(applied=action == "undo")
    log = scene.live.parent / "operations.log"
    outcome = scene.run(action, Fault(), log)
    assert outcome.code == 0, outcome.text
    return list(iter_operations(log))


@pytest.mark.parametrize("action", ["apply", "undo"])
def test_case_58_clearing_away_that_is_killed_at_any_operation_loses_nothing(
    scene: Scene, action: str, tries_all: bool, report: Callable[..., None]
) -> None:
    """Every operation that leaves something else than the one before, or that may."""
    n_operations, n_commits = count(scene, action)
    points = telling_points(log_operations(scene, action))
    assert len(points) > 20
    faults = [Fault.kill(n) for n in (range(1, n_operations + 1) if tries_all else points)]
    faults += [Fault.kill_before_commit(n) for n in range(1, n_commits + 1)]
    faults += [Fault.kill_after_commit(n) for n in range(1, n_commits + 1)]
    problems = [scene.try_fault(action, fault) for fault in faults]
    bad = [lines for lines in problems if lines]
    kind = "links" if scene.as_links else "trash"
    report(
        "crash",
        f"killed while clearing away copies: case 58 {action}, {kind}",
        tried=len(faults),
        lost=len(bad),
    )
    assert not bad, f"{len(bad)} of {len(faults)}: {bad[:3]}"


@pytest.mark.parametrize("action", ["apply", "undo"])
def test_case_58_clearing_away_on_a_disk_that_fails_or_fills_loses_nothing(
    scene: Scene, action: str, choose: Callable[[int, int], range], report: Callable[..., None]
) -> None:
    n_operations, _ = count(scene, action)
    numbers = choose(n_operations, FAILURE_STEP)
    faults = [make(n) for n in numbers for make in (Fault.eio, Fault.enospc)]
    bad = [lines for fault in faults if (lines := scene.try_fault(action, fault))]
    kind = "links" if scene.as_links else "trash"
    report(
        "crash",
        f"a failing or full disk while clearing away copies: case 58 {action}, {kind}",
        tried=len(faults),
        lost=len(bad),
    )
    assert not bad, f"{len(bad)} of {len(faults)}: {bad[:3]}"


def test_case_58_the_kills_are_kills(scene: Scene) -> None:
    n_operations, _ = count(scene, "apply")
    scene.put_back(applied=False)
    assert scene.run("apply", Fault.kill(n_operations // 2)).signal == signal.SIGKILL
