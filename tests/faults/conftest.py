"""What the fault cases share: mounts, other users, photos, embedders and commands."""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for faultkit

from faultkit.disks import N_PHOTOS, WIDE, WideRuntime
from faultkit.mounts import Mounts
from faultkit.names import NAMES
from faultkit.reporting import CASE, LostImageError
from faultkit.reporting import pytest_runtest_logreport as pytest_runtest_logreport
from faultkit.reporting import pytest_runtest_makereport as pytest_runtest_makereport
from faultkit.reporting import pytest_terminal_summary as pytest_terminal_summary

from mobisearch import Embedder, ImageIndex, SyncReport
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

PROGRAM = Path(__file__).parent / "fake_command.py"
DEADLINE_SECONDS = 120.0
"""For a process to end or to reach a state; only there so that a hang fails instead of staying."""

MOST_COPIES = 10
"""No test has more copies of one picture than this."""

NOBODY = 65534
"""The user that owns nothing, on every Unix."""

COUNTS = ("added", "updated", "moved", "returned", "unchanged", "failed", "missing", "pruned")


# ---------------------------------------------------------------- what a machine may lack


@pytest.fixture
def skip_case(request: pytest.FixtureRequest) -> Callable[[str], NoReturn]:
    """A function that skips the test with a reason that names its case."""
    found = CASE.search(request.node.name)
    assert found is not None

    def skip(reason: str) -> NoReturn:
        pytest.skip(f"case {int(found[1]):02}: {reason}")

    return skip


@pytest.fixture
def mounts(skip_case: Callable[[str], NoReturn]) -> Iterator[Mounts]:
    """Mounts that end with the test; it is skipped where they are not allowed."""
    made = Mounts(skip_case)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that every user may read and write, unlike ``tmp_path``."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="mobisearch-")))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def unprivileged() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """A context in which this process is held to permissions, as root is not.

    Files that it is to own inside must be in ``open_path``.
    """

    @contextlib.contextmanager
    def change() -> Iterator[None]:
        if not hasattr(os, "setresuid") or os.geteuid() != 0:
            yield
            return
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)

    return change


# ---------------------------------------------------------------- embedders and indexes

EmbedderMaker = Callable[..., Embedder]


@pytest.fixture(scope="session")
def make_embedder() -> EmbedderMaker:
    """A function that makes an embedder of the fake model which decodes in this process."""

    def make(**options: Any) -> Embedder:
        given = {"model": FAKE_MODEL, "isolated": False, **options}
        if "runtime" not in given:
            given["runtime"] = FakeRuntime(given["model"])
        return Embedder(given.pop("model"), **given)

    return make


@pytest.fixture
def fake_embedder(make_embedder: EmbedderMaker) -> Embedder:
    """An embedder that needs no weights, 64 values."""
    return make_embedder()


@pytest.fixture
def photos(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """Three photos in a folder and one in a folder below it."""
    folder = Path(os.path.realpath(tmp_path)) / "photos"
    for seed, name in enumerate(["a.png", "b.png", "c.png", "deep/d.png"]):
        make_photo(folder / name, seed=seed)
    return folder


@pytest.fixture(scope="session")
def counts() -> Callable[[SyncReport], dict[str, int]]:
    """A function that gives what a report counts, without its zeros."""

    def select(report: SyncReport) -> dict[str, int]:
        return {name: getattr(report, name) for name in COUNTS if getattr(report, name)}

    return select


@pytest.fixture(scope="session")
def ids_of() -> Callable[[ImageIndex], dict[str, int]]:
    """A function that gives the id of each image that a search can return, by path."""

    def collect(index: ImageIndex) -> dict[str, int]:
        if not len(index):
            return {}
        matches = index.search_by_vector([1.0] * index.status().dim, k=1_000_000)
        return {match.image.path: match.image.id for match in matches}

    return collect


@pytest.fixture(scope="session")
def check_sound(
    ids_of: Callable[[ImageIndex], dict[str, int]],
) -> Callable[[ImageIndex, Embedder], None]:
    """A function that checks what must hold after every fault.

    The catalog is sound; each image is found exactly once; those whose file is still there have the
    embedding that their file gives, and find themselves with a score of 1.
    """

    def check(index: ImageIndex, embedder: Embedder) -> None:
        try:
            look(index)
        except AssertionError as error:
            raise LostImageError(str(error)) from error

    def look(index: ImageIndex) -> None:
        report = index.verify()
        assert report.ok, report.damage
        ids = ids_of(index)
        assert len(ids) == len(set(ids.values())) == len(index)
        there = [path for path in ids if os.path.exists(path)]
        for path, matches in zip(there, index.search_many(there, k=MOST_COPIES), strict=True):
            assert path in [match.image.path for match in matches if match.score == 1]

    return check


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all files that were read for their content, in the order of reading."""
    from mobisearch import pipeline

    seen: list[str] = []
    read_file = pipeline.read_file

    def counted(path: str, **limits: int) -> object:
        seen.append(path)
        return read_file(path, **limits)

    monkeypatch.setattr(pipeline, "read_file", counted)
    return seen


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes | None]]:
    """A function that gives the content of every file below a folder, None for what is no file."""

    def read(folder: Path) -> dict[str, bytes | None]:
        return {
            os.path.relpath(path, folder): path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))
        }

    return read


# ---------------------------------------------------------------- photos and pictures


@pytest.fixture(scope="session")
def many_photos(tmp_path_factory: pytest.TempPathFactory, make_photo: Callable[..., Path]) -> Path:
    """Photos whose embeddings take five megabytes. No test changes them."""
    folder = Path(os.path.realpath(tmp_path_factory.mktemp("many")))
    for seed in range(N_PHOTOS):
        make_photo(folder / f"{seed:03}.png", seed=seed, size=(12, 12))
    return folder


@pytest.fixture
def wide(make_embedder: Callable[..., Embedder]) -> Embedder:
    """An embedder of 4096 values."""
    return make_embedder(model=WIDE, runtime=WideRuntime())


@pytest.fixture(scope="session")
def pictures(
    tmp_path_factory: pytest.TempPathFactory, make_photo: Callable[..., Path]
) -> list[bytes]:
    """As many photos as there are names."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = [make_photo(folder / f"{seed}.png", seed=seed) for seed in range(len(NAMES))]
    return [path.read_bytes() for path in paths]


@pytest.fixture
def named(tmp_path: Path, pictures: list[bytes]) -> dict[str, bytes]:
    """A photo of each name, by kind: whole paths."""
    folder = os.fsencode(os.path.realpath(tmp_path)) + b"/photos"
    os.mkdir(folder)
    paths = {kind: folder + b"/" + name for kind, name in NAMES.items()}
    for path, picture in zip(paths.values(), pictures, strict=True):
        with open(path, "wb") as file:
            file.write(picture)
    if len(os.listdir(folder)) < len(NAMES):
        pytest.skip("case 36: this file system takes different names for one")
    return paths


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """A smooth picture of 96 x 64."""
    small = np.random.default_rng(7).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((96, 64), Image.Resampling.BICUBIC)


# ---------------------------------------------------------------- the command line


@dataclass(frozen=True)
class Outcome:
    """What a command gave back."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The JSON document that is all of stdout."""
        return json.loads(self.stdout)


Command = Callable[..., Outcome]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A function that runs ``mobisearch`` in this process with a network of microseconds.

    It is checked that there is never a traceback, and never a message about something unexpected.
    """
    from mobisearch.cli import app

    runtime = runpy.run_path(str(PROGRAM))["CoarseRuntime"]
    monkeypatch.setattr("mobisearch.embedding.load_runtime", runtime)
    monkeypatch.delenv("MOBISEARCH_INDEX", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str | os.PathLike[str]) -> Outcome:
        words = [os.fspath(argument) for argument in arguments]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["mobisearch", *words])
            capsys.readouterr()
            code = app._run(is_debug=False)
            captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert "something unexpected" not in captured.err, captured.err
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """A function that runs ``mobisearch`` as a process of its own; its output is bytes.

    ``prefix`` is what the command is started by; ``more`` goes to ``subprocess.run``.
    """

    def run(
        *arguments: str | bytes | os.PathLike[str],
        environment: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        **more: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        kept = {k: v for k, v in os.environ.items() if k not in ("MOBISEARCH_INDEX", "COLUMNS")}
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.run(
            [*prefix, sys.executable, PROGRAM, *arguments],
            env={**kept, "COLUMNS": "100", **(environment or {})},
            timeout=DEADLINE_SECONDS,
            **options,
        )

    return run
