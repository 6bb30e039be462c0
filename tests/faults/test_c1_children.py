"""What the children of a process that writes inherit."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from faultkit.processes import DEADLINE_SECONDS

from mobisearch import Embedder, ImageIndex


@pytest.fixture
def index_dir(index: ImageIndex, tmp_path: Path) -> Path:
    """The directory of ``index``."""
    return tmp_path / "index"


# ---------------------------------------------------------------- what children inherit


def _opened_by(process: str, folder: Path) -> set[str]:
    """Return the files below a folder that a process has open."""
    found = set()
    for entry in os.scandir(f"/proc/{process}/fd"):
        with contextlib.suppress(OSError):
            found.add(os.readlink(entry.path))
    return {os.path.relpath(path, folder) for path in found if path.startswith(str(folder))}


LIST_FILES = "import os; print([os.readlink(f'/proc/self/fd/{n}') for n in range(3, 200)" + (
    " if os.path.lexists(f'/proc/self/fd/{n}')])"
)


def test_case_19_a_child_of_a_writing_thread_inherits_neither_database_nor_lock(
    index: ImageIndex, index_dir: Path, photos: Path, skip_case: Callable[[str], object]
) -> None:
    if not os.path.isdir("/proc/self/fd"):
        skip_case("this system does not list the open files of a process")
    own: list[set[str]] = []
    inherited: list[str] = []

    def start_a_child(_: object) -> None:
        own.append(_opened_by("self", index_dir))
        command = [sys.executable, "-c", LIST_FILES]
        inherited.append(subprocess.check_output(command, close_fds=False, text=True))

    thread = threading.Thread(target=lambda: index.sync(photos, on_progress=start_a_child))
    thread.start()
    thread.join()
    assert {"mobisearch.db", "writer.lock"} <= own[0], "or this test sees nothing"
    assert inherited
    assert not any(str(index_dir) in listing for listing in inherited)
    assert index.sync(photos).unchanged == 4, "the lock of the thread is free"


def test_case_19_decode_workers_hold_neither_database_nor_lock(
    index_dir: Path,
    photos: Path,
    make_embedder: Callable[..., Embedder],
    skip_case: Callable[[str], object],
) -> None:
    if not os.path.isdir("/proc/self/fd"):
        skip_case("this system does not list the open files of a process")
    held: dict[str, set[str]] = {}

    def look(_: object) -> None:
        for task in os.scandir("/proc/self/task"):
            for child in Path(task.path, "children").read_text().split():
                held[child] = _opened_by(child, index_dir)

    with ImageIndex.open(index_dir, make_embedder(isolated=True)) as index:
        assert index.sync(photos, on_progress=look).added == 4
    assert held, "there were workers"
    assert not any(held.values())


def test_case_19_a_writer_may_fork_and_the_child_may_end_without_harm(
    index: ImageIndex,
    photos: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    skip_case: Callable[[str], object],
) -> None:
    if not hasattr(os, "fork"):
        skip_case("this system does not fork")
    program = """
import os, sys
from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

def fork(progress):
    child = os.fork()
    if not child:
        os._exit(0)  # as the children of multiprocessing end
    os.waitpid(child, 0)

with ImageIndex.open(sys.argv[1], Embedder(FAKE_MODEL, runtime=FakeRuntime())) as index:
    print(index.sync(sys.argv[2], on_progress=fork).added, len(index), flush=True)
"""
    words = [sys.executable, "-W", "ignore", "-c", program, index.status().path, str(photos)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "4 4"
    check_sound(index, fake_embedder)
    shutil.rmtree(photos)
