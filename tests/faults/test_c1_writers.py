"""Two writers: who waits, and who is told what."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faultkit.processes import go_on, started

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import IndexLockedError

SYNC_SLOWLY = """
import sys
from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

def wait(progress):
    if progress.done == 1:
        print("writing", flush=True)
        sys.stdin.readline()

embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), isolated=sys.argv[3] == "isolated")
with ImageIndex.open(sys.argv[1], embedder) as index:
    report = index.sync(sys.argv[2], on_progress=wait)
print(report.added, flush=True)
"""


@pytest.fixture
def index_dir(index: ImageIndex, tmp_path: Path) -> Path:
    """The directory of ``index``."""
    return tmp_path / "index"


# ---------------------------------------------------------------- two writers


def test_case_16_a_second_writer_ends_with_75_and_the_first_is_not_disturbed(
    photos: Path,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    command: Callable[..., Any],
    fake_embedder: Embedder,
) -> None:
    index_dir = tmp_path / "index"
    make_photo(tmp_path / "one" / "a.png", seed=99)
    assert command("index", tmp_path / "one", "--index", index_dir).code == 0
    with _paused_command(index_dir, photos) as first:
        for words in (("index", photos), ("remove", photos), ("index", photos, "--prune")):
            done = command(*words, "--index", index_dir)
            assert done.code == 75
            assert f"process {first.pid} on {socket.gethostname()}" in done.stderr
        assert command("search", tmp_path / "one" / "a.png", "--index", index_dir).code == 0
        assert go_on(first) == "0 4"
    done = command("status", "--index", index_dir, "--json")
    assert done.document["images"] == 5
    assert command("verify", "--index", index_dir).code == 0


PAUSED_COMMAND = """
import runpy, sys
import mobisearch, mobisearch.embedding
mobisearch.embedding.load_runtime = runpy.run_path(sys.argv[1])["CoarseRuntime"]

def wait(progress):
    if progress.done == 1:
        print("writing", flush=True)
        sys.stdin.readline()

with mobisearch.ImageIndex.open(sys.argv[2]) as index:
    report = index.sync(sys.argv[3], on_progress=wait)
print(report.failed, report.added)
"""


@contextlib.contextmanager
def _paused_command(index_dir: Path, photos: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is indexing with the default model's shape and waits in the middle."""
    fake = Path(__file__).parent / "fake_command.py"
    with started(PAUSED_COMMAND, fake, index_dir, photos, says="writing") as process:
        yield process


@pytest.mark.parametrize("decoding", ["in-process", "isolated"])
def test_case_16_after_a_killed_writer_the_next_one_starts_at_once(
    index: ImageIndex,
    index_dir: Path,
    photos: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    decoding: str,
) -> None:
    with started(SYNC_SLOWLY, index_dir, photos, decoding, says="writing") as other:
        with pytest.raises(IndexLockedError, match=f"process {other.pid} on "):
            index.sync(photos)
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert index.sync(photos).failed == 0, "no stale lock, no worker that keeps it"
    assert len(index) == 4
    check_sound(index, fake_embedder)
