"""What the crash tests share: the library of faults, the forking process, prepared workloads."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for crashkit

from crashkit.client import Zygote
from crashkit.loads import GOLDEN, SIZES, WORKLOADS
from crashkit.starting import build_library
from crashkit.workloads import Case, Prepared

_REPORT = "MOBISEARCH_FAULT_REPORT"
_TRIES_ALL = os.environ.get("MOBISEARCH_CRASH_ALL") == "1"

Prepare = Callable[[str], Prepared]
Report = Callable[[str, str, Sequence[Case]], None]

_NO_LOSS = ("I6", "I8", "I10", "listed but not whole")
"""How problems begin that are wrong but cost no image: files left over, messages, cache files."""


def record(group: str, what: str, *, tried: int, lost: int) -> None:
    """Append a line to the file that MOBISEARCH_FAULT_REPORT names, for the table in the docs."""
    path = os.environ.get(_REPORT)
    if path:
        line = {"group": group, "what": what, "tried": tried, "lost": lost}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


@pytest.fixture(scope="session")
def fault_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """faults.c, compiled."""
    library = build_library(tmp_path_factory.mktemp("faults"))
    if isinstance(library, str):
        pytest.skip(library)
    return library


@pytest.fixture(scope="session")
def zygote(fault_library: Path) -> Iterator[Zygote]:
    """A process that forks a child for each case; two of them where there are two processors."""
    with Zygote(fault_library, n_processes=min(2, len(os.sched_getaffinity(0)))) as made:
        yield made


@pytest.fixture(scope="session")
def prepare(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """A function that gives a workload, by name, ready to be disturbed."""
    made: dict[str, Prepared] = {}

    def prepare(name: str) -> Prepared:
        if name == "migration" and not GOLDEN.exists():
            pytest.skip(f"there is no index of an older format to migrate yet ({GOLDEN.name})")
        if name not in made:
            folder = tmp_path_factory.mktemp("load") / "all"
            made[name] = Prepared(zygote, {**WORKLOADS, **SIZES}[name], folder)
        return made[name]

    return prepare


@pytest.fixture
def report() -> Callable[..., None]:
    """``record``, for tests."""
    return record


@pytest.fixture
def judge() -> Report:
    """A function that counts cases, and fails with the first few that lost something."""

    def judge(group: str, what: str, cases: Sequence[Case]) -> None:
        bad = [case for case in cases if case.problems]
        lost = sum(any(not p.startswith(_NO_LOSS) for p in case.problems) for case in bad)
        record(group, what, tried=len(cases), lost=lost)
        shown = "\n\n".join(describe(case) for case in bad[:3])
        assert not bad, f"{what}: {len(bad)} of {len(cases)} cases:\n{shown}"

    return judge


def describe(case: Case) -> str:
    """Return what is needed to see a case again."""
    outcome = case.outcome
    lines = [str(case.fault), f"ended by signal {outcome.signal} or with code {outcome.code}"]
    if outcome.hit[0]:
        lines.append(f"hit an operation of kind {outcome.hit[0]} on {outcome.hit[1]}")
    return "\n  ".join([*lines, *(text[-1500:] for text in (outcome.text, *case.problems) if text)])


@pytest.fixture
def tries_all() -> bool:
    """Whether neighbours of which one stands for all are tried too: MOBISEARCH_CRASH_ALL=1."""
    return _TRIES_ALL


@pytest.fixture
def choose() -> Callable[[int, int], range]:
    """A function: 1 to n in steps, or every one with MOBISEARCH_CRASH_ALL=1."""

    def choose(n: int, step: int) -> range:
        return range(1, n + 1, 1 if _TRIES_ALL else step)

    return choose
