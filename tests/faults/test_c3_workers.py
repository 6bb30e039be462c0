"""Pictures that crash, hang or fill the decoder: only they are marked, and tried twice at most.

The decode worker is the real one, in a process of its own; one function in it does to itself what a
decoder with a bug would. It tells of each attempt through a pipe that is open before its limits.
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.imaging import shared_workers
from mobisearch.imaging.workers import process
from mobisearch.types import DecodeSettings

FAULTY_WORKER = """\
import os, signal, sys, time
sys.path[:] = sys.argv[1:]
from mobisearch.imaging.workers import child
plain, pipe = child.prepare, os.open(PIPE, os.O_WRONLY)

def prepare(data, **options):
    word = data[:20].decode("ascii", "replace").split()[0]
    if word in WORDS:
        os.write(pipe, f"{word} {os.getpid()}\\n".encode())
    if word == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "abort":
        os.abort()
    while word == "loop":
        pass
    if word in ("sleep", "victim"):
        time.sleep(3600)
    if word == "balloon":
        kept = []
        while True:
            kept.append(bytearray(b"x") * 50_000_000)
    if word == "print":
        os.write(1, b"what a decoder has to say" * 100)
        print("on stdout", flush=True)
        os.write(2, b"and on stderr")
        data = GOOD
    if word == "unlucky":
        if not os.path.exists(MARK):
            time.sleep(3600)
        data = GOOD
    return plain(data, **options)

child.prepare = prepare
child.main()
"""

FATAL = {
    "segfault": "crashed",
    "abort": "crashed",
    "loop": "timeout",
    "sleep": "timeout",
    "balloon": "memory",
    "victim": "crashed",
}
"""What the pictures do, and how they must end. A victim is killed from outside each time."""

HARMLESS = ("print", "unlucky")
"""The unlucky one is killed from outside once, as when the system is short of memory."""

SETTINGS = DecodeSettings(deadline_seconds=2.0, max_memory_bytes=200_000_000)
"""A deadline that sound pictures of a thousand pixels never come near."""

MOST_ATTEMPTS = 2

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="case 49: there are no signals and no pipes with a name"
)


class Attempts:
    """Counts what the workers tell, and kills those that are to be killed from outside."""

    def __init__(self, pipe: Path, mark: Path) -> None:
        os.mkfifo(pipe)
        self._handle = os.open(pipe, os.O_RDWR)
        self._mark = mark
        self.counts: collections.Counter[str] = collections.Counter()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with os.fdopen(self._handle, closefd=False) as lines:
            for line in lines:
                word, _, pid = line.partition(" ")
                if word == "end":
                    return
                self.counts[word] += 1
                if word == "unlucky" and not self._mark.exists():
                    self._mark.touch()
                    os.kill(int(pid), signal.SIGKILL)
                elif word == "victim":
                    os.kill(int(pid), signal.SIGKILL)

    def close(self) -> None:
        os.write(self._handle, b"end \n")
        self._thread.join()
        os.close(self._handle)


@pytest.fixture
def attempts(
    tmp_path: Path, make_photo: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Attempts]:
    """How often each picture was tried by the faulty workers, which are used from now on."""
    good = make_photo(tmp_path / "good.png", seed=90).read_bytes()
    program = FAULTY_WORKER
    for name, value in {
        "PIPE": str(tmp_path / "pipe"),
        "MARK": str(tmp_path / "mark"),
        "WORDS": (*FATAL, *HARMLESS),
        "GOOD": good,
    }.items():
        program = program.replace(name, repr(value))
    with _own_workers(), contextlib.closing(Attempts(tmp_path / "pipe", tmp_path / "mark")) as made:
        monkeypatch.setattr(process, "_PROGRAM", program)
        yield made


@contextlib.contextmanager
def _own_workers() -> Iterator[None]:
    """Begin and end without workers that run another program."""
    shared_workers().close()
    shared_workers.cache_clear()
    try:
        yield
    finally:
        shared_workers().close()
        shared_workers.cache_clear()


def _put(folder: Path, *words: str) -> None:
    for word in words:
        (folder / f"{word}.jpg").write_bytes(f"{word} is what this picture does".encode())


def _codes(index: ImageIndex) -> dict[str, str]:
    return {os.path.basename(failure.path): failure.code for failure in index.errors()}


@pytest.mark.usefixtures("trusted_stamps")
def test_case_49_what_kills_decoders_costs_only_itself_and_is_tried_twice_at_most(
    photos: Path,
    tmp_path: Path,
    make_embedder: Callable[..., Embedder],
    make_photo: Callable[..., Path],
    attempts: Attempts,
    check_sound: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """All of them among good pictures, over several runs, each of which is a new process's view."""
    if sys.platform != "linux":
        pytest.skip("case 49: only Linux limits the memory of a process")
    _put(photos, *FATAL, *HARMLESS)
    embedder = make_embedder(isolated=True, settings=SETTINGS)
    expected = {f"{word}.jpg": code for word, code in FATAL.items()}
    with ImageIndex.create(tmp_path / "index", embedder) as index:
        report = index.sync(photos)
        assert (report.added, report.failed) == (4 + len(HARMLESS), len(FATAL))
        assert _codes(index) == expected
    for seed in range(2):
        make_photo(photos / f"new {seed}.png", seed=20 + seed)
        with ImageIndex.open(tmp_path / "index", embedder) as index:
            report = index.sync(photos)
            assert (report.added, report.failed, report.failed_now) == (1, len(FATAL), 0)
            assert _codes(index) == expected
    assert attempts.counts.keys() == {*FATAL, *HARMLESS}
    assert max(attempts.counts.values()) == MOST_ATTEMPTS
    assert attempts.counts["segfault"] == attempts.counts["unlucky"] == 2
    assert attempts.counts["loop"] == attempts.counts["balloon"] == attempts.counts["print"] == 1
    assert capfd.readouterr() == ("", ""), "what a decoder prints goes nowhere"
    for path in photos.glob("*.jpg"):
        path.unlink()
    with ImageIndex.open(tmp_path / "index", make_embedder()) as index:
        check_sound(index, make_embedder())


@pytest.mark.usefixtures("trusted_stamps")
@pytest.mark.parametrize("word", ["segfault", "sleep", "victim"])
def test_case_49_a_retry_tries_again_and_a_repaired_file_is_taken(
    photos: Path,
    tmp_path: Path,
    make_embedder: Callable[..., Embedder],
    make_photo: Callable[..., Path],
    attempts: Attempts,
    check_sound: Callable[..., None],
    word: str,
) -> None:
    _put(photos, word)
    embedder = make_embedder(isolated=True, settings=SETTINGS)
    with ImageIndex.create(tmp_path / "index", embedder) as index:
        assert index.sync(photos).added == 4
        first = attempts.counts[word]
        assert 1 <= first <= MOST_ATTEMPTS
        assert index.retry_errors().failed == 1
        assert first < attempts.counts[word] <= first + MOST_ATTEMPTS, "asked for, so tried again"
        assert _codes(index) == {f"{word}.jpg": FATAL[word]}
        n_tried = attempts.counts[word]
        make_photo(photos / f"{word}.jpg", seed=30)
        report = index.sync(photos)
        assert (report.failed, report.unchanged, len(index)) == (0, 4, 5)
        assert index.errors() == []
        assert attempts.counts[word] == n_tried
        check_sound(index, embedder)
