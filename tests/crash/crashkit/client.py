"""The tests' side: faults, the process that forks cases, and what became of a case."""

from __future__ import annotations

import dataclasses
import errno
import json
import queue
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from .starting import start_server
from .state import State, digest

WRITE, SYNC, RENAME, UNLINK, TRUNCATE, MKDIR, CREATE, LINK = (1 << bit for bit in range(8))
"""Kinds of operations, as faults.c numbers them."""

ALL = 0xFF
TAKES_SPACE = WRITE | CREATE | MKDIR
"""What a full disk refuses; it still lets files be flushed, renamed, cut and deleted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and at which operation of those in ``mask``; see the constructors."""

    kind: int = 0
    n: int = 0
    mask: int = ALL
    errno: int = 0
    before_commit: int = 0
    after_commit: int = 0

    @classmethod
    def kill(cls, n: int) -> Self:
        """Die just before the n-th operation."""
        return cls(1, n)

    @classmethod
    def kill_after(cls, n: int) -> Self:
        """Die just after the n-th operation."""
        return cls(2, n)

    @classmethod
    def torn(cls, n: int) -> Self:
        """Die in the middle of the n-th write."""
        return cls(7, n, WRITE)

    @classmethod
    def kill_before_commit(cls, n: int) -> Self:
        """Die just before the n-th commit."""
        return cls(before_commit=n)

    @classmethod
    def kill_after_commit(cls, n: int) -> Self:
        """Die just after the n-th commit, before anybody is told."""
        return cls(after_commit=n)

    @classmethod
    def eio(cls, n: int) -> Self:
        """The n-th operation fails as on a failing disk, the others do not."""
        return cls(3, n, ALL, errno.EIO)

    @classmethod
    def failing_flush(cls, n: int) -> Self:
        """The n-th flush to the disk fails, the next ones do not."""
        return cls(3, n, SYNC, errno.EIO)

    @classmethod
    def enospc(cls, n: int) -> Self:
        """The n-th operation that takes space, or a flush, finds the disk full; later ones not."""
        return cls(3, n, TAKES_SPACE | SYNC, errno.ENOSPC)

    @classmethod
    def full_from(cls, n: int) -> Self:
        """From the n-th operation that takes space on, the disk is full and stays full."""
        return cls(4, n, TAKES_SPACE, errno.ENOSPC)

    @classmethod
    def short(cls, n: int) -> Self:
        """The n-th write writes half and says so, which is legal."""
        return cls(5, n, WRITE)

    @classmethod
    def short_then_full(cls, n: int) -> Self:
        """The n-th write writes half and says so, and the next finds the disk full."""
        return cls(6, n, WRITE, errno.ENOSPC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        signal: what killed it, 0 if nothing did.
        code: the exit code that the command line would give, None if it was killed.
        error: name of the exception, if there was one, and ``text`` what it says.
        n_operations: how many operations of the fault's kinds there were.
        n_commits: how many commits had returned.
        states: what the catalog held after each of them, if that was asked for.
        hit: kind and file of the operation that the fault hit.
        outside: the first file outside of the index that was to be written, or "".
    """

    signal: int
    code: int | None
    seconds: float
    n_commits: int = 0
    error: str = ""
    text: str = ""
    report: Mapping[str, int] = field(default_factory=dict)
    n_operations: int = 0
    states: tuple[State, ...] = ()
    hit: tuple[int, str] = (0, "")
    outside: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found: the state of the catalog, None for no index, and what is wrong."""

    state: State | None
    digest: str
    problems: tuple[str, ...]


class Zygote:
    """A process with everything imported that forks one child for each case: tens of milliseconds.

    ::

        with Zygote(library) as zygote:
            outcome = zygote.run("sync", photos, index, prune=True, fault=Fault.kill(17))
            assert not zygote.check(photos, index).problems

    Several threads may use it; as many cases run at a time as there are processes.
    """

    def __init__(self, library: Path, *, n_processes: int = 1) -> None:
        self.n_processes = n_processes
        self._processes = [start_server(library) for _ in range(n_processes)]
        self._idle: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait(30)
            process.stdout.close()

    def _ask(self, **request: Any) -> dict[str, Any]:
        process = self._idle.get()
        try:
            return _ask(process, request)
        finally:
            self._idle.put(process)

    def learn(self, photos: Path) -> None:
        """Embed all pictures once, so that the checks need not do it again and again."""
        for process in self._processes:
            _ask(process, {"job": "learn", "photos": str(photos)})

    def run(
        self,
        action: str,
        photos: Path,
        index: Path,
        *,
        fault: Fault | None = None,
        kill_after_seconds: float | None = None,
        settings: Mapping[str, Any] | None = None,
        sabotage: Sequence[str] = (),
        wants_states: bool = False,
        log: Path | None = None,
        below: Path | None = None,
        **arguments: Any,
    ) -> Outcome:
        """Do one thing to an index in a child of its own.

        Args:
            action: ``sync`` (prune=...), ``add`` (names=...), ``remove`` (names=...), ``apply`` or
                ``undo`` (plan=..., data_home=..., as_links=...). An index that
                is not there is made first.
            settings: private constants of the package to change, by name.
            sabotage: what to break, by name in ``actions.SABOTAGE``, to try the tests themselves.
            wants_states: tell what the catalog holds after each commit.
            below: the folder in which operations are counted; None takes that of the index.
            log: where every operation is written down, for ``powerloss``.
        """
        answer = self._ask(
            job="act",
            action=action,
            photos=str(photos),
            index=str(index),
            below=str(below or (index.parent if log else index)),
            fault=dataclasses.asdict(fault) if fault else None,
            kill_after_s=kill_after_seconds,
            settings=settings or {},
            sabotage=list(sabotage),
            wants_states=wants_states,
            log=str(log or ""),
            arguments={"prune": False, **arguments},
        )
        *told, last = answer["lines"] or [{}]
        if "end" not in last:
            told, last = answer["lines"], {"end": {"code": None}}
        if answer["exit"] == 99 or (last["end"]["code"] is None and not answer["signal"]):
            raise RuntimeError(f"the child failed outside of the code under test: {answer}")
        end = last["end"]
        end["hit"] = tuple(end.get("hit", (0, "")))
        states = tuple(line["state"] for line in told if "state" in line)
        return Outcome(answer["signal"], n_commits=len(told), seconds=answer["seconds"],
                       states=states, **end)  # fmt: skip

    def check(
        self,
        photos: Path,
        index: Path,
        *,
        legal: Sequence[State | None] | None = None,
        legal_digests: Sequence[str] | None = None,
        stale: Sequence[str] = (),
        backup_of: State | None = None,
        n_searches: int = 1_000_000,
        settings: Mapping[str, Any] | None = None,
        then: str | None = None,
        **arguments: Any,
    ) -> Checked:
        """Check an index, in a child of its own.

        Args:
            legal: the states that it may be in; None allows any.
            stale: cache files that may be missing or damaged.
            backup_of: the state before a migration; in any other one there must be a backup of it.
            n_searches: how many images are searched by their own vector, at most.
            then: an action that is done afterwards without a fault; it must leave all clean. The
                state that is returned is the one after it.
        """
        if legal is not None:
            legal_digests = [digest(state) for state in legal]
        answer = self._ask(
            job="check",
            photos=str(photos),
            index=str(index),
            below=str(index),
            legal=legal_digests,
            stale=list(stale),
            backup_of=None if backup_of is None else digest(backup_of),
            n_searches=n_searches,
            settings=settings or {},
            action=then,
            arguments={"prune": False, **arguments},
        )
        end = answer["lines"][-1]["end"]
        return Checked(end["state"], end["digest"], tuple(end["problems"]))


def _ask(process: subprocess.Popen[str], request: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the forking process ended with {process.wait(30)}")
    answer: dict[str, Any] = json.loads(line)
    if answer.get("is_hung"):
        raise RuntimeError(f"hung: {request}")
    return answer
