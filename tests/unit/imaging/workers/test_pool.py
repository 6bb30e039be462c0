"""Decode workers: what they answer, and what they survive.

The faults are real ones: a worker is told, by a picture made for that, to end itself, to hang, or
to allocate without end. That program is the real worker with one function replaced.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch.errors import (
    CorruptImageError,
    DecodeMemoryError,
    DecoderCrashedError,
    DecodeTimeoutError,
    ImageError,
    ImageTooLargeError,
    TruncatedImageError,
    UnsupportedFormatError,
    WorkerStartError,
)
from mobisearch.imaging import prepare
from mobisearch.imaging.workers import DecodeWorkers, Halt, HaltedError, pool, process
from mobisearch.types import DecodeSettings, Preprocessing

NETWORK = Preprocessing(resize_px=36, crop_px=32, mean=(0, 0, 0), std=(1, 1, 1))
SETTINGS = DecodeSettings()
SHORT = DecodeSettings(deadline_seconds=0.5)
LONG_SECONDS = 30
"""No test comes near it unless something hangs."""

FAULTS = """\
import os, signal, sys, time
sys.path[:] = sys.argv[1:]
from mobisearch.imaging.workers import child
plain = child.prepare

def prepare(data, **options):
    if data == b"segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if data == b"abort":
        os.abort()
    if data == b"exit":
        os._exit(3)
    if data == b"loop":
        while True:
            pass
    if data == b"sleep":
        time.sleep(3600)
    if data == b"balloon":
        kept = []
        while True:
            kept.append(bytearray(b"x") * 50_000_000)
    if data == b"print":
        os.write(1, b"what a decoder has to say" * 100)
        print("on stdout", flush=True)
        os.write(2, b"and on stderr")
        data = GOOD
    if data == b"lie":
        return Lie()
    if data == b"write":
        with open(LEAK, "w") as file:
            file.write("x")
    return plain(data, **options)

class Lie:
    def __init__(self):
        from mobisearch.types import ImageFacts
        import numpy
        self.facts = ImageFacts("PNG", 8, 8)
        self.pixels = numpy.zeros((3, 3, 3), numpy.uint8)

child.prepare = prepare
child.main()
"""


def png(seed: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def workers() -> Iterator[DecodeWorkers]:
    made = DecodeWorkers(max_idle=2)
    yield made
    made.close()


@pytest.fixture
def faulty(
    workers: DecodeWorkers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> DecodeWorkers:
    program = FAULTS.replace("GOOD", repr(png())).replace("LEAK", repr(str(tmp_path / "leak")))
    monkeypatch.setattr(process, "_PROGRAM", program)
    return workers


def decode(workers: DecodeWorkers, data: bytes, settings: DecodeSettings = SETTINGS) -> object:
    return workers.prepare(data, name="/a.png", preprocessing=NETWORK, settings=settings)


def n_processes(workers: DecodeWorkers) -> int:
    return len(workers._idle) + len(workers._busy)


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("folder", ["shipped_photos", "shared_photos"])
def test_a_worker_gives_what_decoding_here_gives(
    workers: DecodeWorkers, folder: str, request: pytest.FixtureRequest
) -> None:
    for path in sorted(request.getfixturevalue(folder).rglob("*.jpg"))[:40]:
        data = path.read_bytes()
        here = prepare(data, name="a", preprocessing=NETWORK, settings=SETTINGS)
        there = workers.prepare(data, name="a", preprocessing=NETWORK, settings=SETTINGS)
        assert np.array_equal(there.pixels, here.pixels)
        assert there.facts == here.facts
    assert n_processes(workers) == 1


@pytest.mark.parametrize(
    ("data", "settings", "kind"),
    [
        (b"", SETTINGS, CorruptImageError),
        (b"text", SETTINGS, UnsupportedFormatError),
        (png()[:-200], SETTINGS, TruncatedImageError),
        (png(), DecodeSettings(max_pixels_other=1199), ImageTooLargeError),
    ],
)
def test_an_error_is_the_same_as_here(
    workers: DecodeWorkers, data: bytes, settings: DecodeSettings, kind: type[ImageError]
) -> None:
    with pytest.raises(kind) as here:
        prepare(data, name="/a.png", preprocessing=NETWORK, settings=settings)
    with pytest.raises(kind) as there:
        decode(workers, data, settings)
    assert type(there.value) is type(here.value) is kind
    assert str(there.value) == str(here.value)
    assert vars(there.value) == vars(here.value)


def test_a_cut_picture_is_taken_only_when_asked_for_and_marked(workers: DecodeWorkers) -> None:
    tolerant = DecodeSettings(tolerant=True)
    cut = png(size=(200, 150))[:40_000]
    with pytest.raises(TruncatedImageError):
        decode(workers, cut)
    image = decode(workers, cut, tolerant)
    assert image.facts.is_truncated  # type: ignore[attr-defined]
    whole = decode(workers, png(size=(200, 150)), tolerant)
    assert not whole.facts.is_truncated  # type: ignore[attr-defined]
    with pytest.raises(TruncatedImageError):  # the switch was turned back
        decode(workers, cut)
    from PIL import ImageFile

    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_several_threads_get_their_own_answers(workers: DecodeWorkers) -> None:
    expected = {
        n: prepare(png(n), name="a", preprocessing=NETWORK, settings=SETTINGS).pixels
        for n in range(12)
    }
    wrong: list[int] = []

    def work(offset: int) -> None:
        for n in range(12):
            number = (n + offset) % 12
            image = workers.prepare(png(number), name="a", preprocessing=NETWORK, settings=SETTINGS)
            if not np.array_equal(image.pixels, expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert wrong == []
    assert n_processes(workers) <= 2, "more than max_idle stay"


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"segfault", "SIGSEGV"), (b"abort", "SIGABRT"), (b"exit", "exit code 3"), (b"lie", "twice")],
)
def test_a_worker_that_dies_costs_only_its_picture(
    faulty: DecodeWorkers, data: bytes, words: str
) -> None:
    with pytest.raises(DecoderCrashedError, match=words) as caught:
        decode(faulty, data)
    assert caught.value.path == "/a.png"
    decode(faulty, png())
    assert n_processes(faulty) == 1


@pytest.mark.parametrize("data", [b"loop", b"sleep"])
def test_a_worker_that_hangs_is_ended_at_the_deadline(faulty: DecodeWorkers, data: bytes) -> None:
    start = time.monotonic()
    with pytest.raises(DecodeTimeoutError, match=r"longer than 0\.5 seconds"):
        decode(faulty, data, SHORT)
    assert time.monotonic() - start < LONG_SECONDS
    decode(faulty, png())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_picture_that_takes_too_much_memory_is_an_error(faulty: DecodeWorkers) -> None:
    with pytest.raises(DecodeMemoryError):
        decode(faulty, b"balloon", DecodeSettings(max_memory_bytes=200_000_000))
    decode(faulty, png())
    assert n_processes(faulty) == 1, "the worker itself goes on"


def test_what_a_decoder_prints_goes_nowhere(
    faulty: DecodeWorkers, capfd: pytest.CaptureFixture[str]
) -> None:
    decode(faulty, b"print")
    decode(faulty, png())
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such limit")
def test_a_worker_can_write_no_file(faulty: DecodeWorkers, tmp_path: Path) -> None:
    with pytest.raises((ImageError, DecoderCrashedError)):
        decode(faulty, b"write")
    leak = tmp_path / "leak"
    assert not leak.exists() or leak.stat().st_size == 0


def test_workers_that_were_killed_while_idle_are_replaced_and_no_picture_is_blamed(
    workers: DecodeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_ATTEMPTS", 1)
    together = threading.Barrier(2, timeout=LONG_SECONDS)

    class Meeting(Halt):
        @contextlib.contextmanager
        def over(self, worker: process.DecodeWorker) -> Iterator[None]:
            with super().over(worker):
                together.wait()
                yield

    threads = [
        threading.Thread(target=decode_under, args=(Meeting(), workers, png())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_SECONDS)
    first, second = workers._idle
    for worker in (first, second):
        worker._process.kill()
        worker._process.wait(LONG_SECONDS)
    decode(workers, png())
    [worker] = workers._idle
    assert worker not in (first, second)


def test_a_worker_is_replaced_when_it_has_done_its_share(
    workers: DecodeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_PICTURES_PER_WORKER", 2)
    seen = set()
    for _ in range(4):
        decode(workers, png())
        seen |= {worker._process.pid for worker in workers._idle}
    assert len(seen) == 2


def test_time_in_which_this_process_was_stopped_does_not_count(
    faulty: DecodeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a laptop's lid was closed: the watchdog wakes up once, hours later."""
    clock = iter([0.0, *(10_000.0 * n for n in range(1, 100_000))])
    monkeypatch.setattr(pool.time, "monotonic", lambda: next(clock))
    for _ in range(5):
        decode(faulty, png(), DecodeSettings(deadline_seconds=20))


def test_a_worker_that_cannot_start_says_why(
    workers: DecodeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_PROGRAM", "raise SystemExit('no decoder here')")
    with pytest.raises(WorkerStartError, match="no decoder here"):
        decode(workers, png())
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(WorkerStartError, match="No such file"):
        decode(workers, png())


def test_closing_ends_all_processes_and_nothing_is_left(workers: DecodeWorkers) -> None:
    decode(workers, png())
    [worker] = workers._idle
    workers.close()
    assert worker._process.returncode is not None
    workers.close()


# ---------------------------------------------------------------- halting


class NotedHalt(Halt):
    """Says when a worker begins under it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()

    @contextlib.contextmanager
    def over(self, worker: process.DecodeWorker) -> Iterator[None]:
        with super().over(worker):
            self.has_begun.set()
            yield


def decode_under(halt: Halt, workers: DecodeWorkers, data: bytes) -> object:
    settings = DecodeSettings(deadline_seconds=3600)
    return workers.prepare(data, name="a", preprocessing=NETWORK, settings=settings, halt=halt)


@pytest.mark.parametrize("data", [b"loop", b"sleep"])
def test_a_halt_ends_what_is_being_decoded_and_nothing_is_tried_again(
    faulty: DecodeWorkers, data: bytes
) -> None:
    halt = NotedHalt()
    raised: list[type[BaseException]] = []

    def work() -> None:
        try:
            decode_under(halt, faulty, data)
        except Exception as error:  # noqa: BLE001 - it is looked at below
            raised.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    assert halt.has_begun.wait(LONG_SECONDS)
    halt.set()
    thread.join(LONG_SECONDS)
    assert raised == [HaltedError]
    assert n_processes(faulty) == 0
    decode(faulty, png())


def test_nothing_begins_under_a_halt_that_is_set(workers: DecodeWorkers) -> None:
    halt = Halt()
    halt.set()
    with pytest.raises(HaltedError):
        decode_under(halt, workers, png())
    assert n_processes(workers) == 0
    decode(workers, png())
    [worker] = workers._idle
    with pytest.raises(HaltedError), halt.over(worker):
        raise AssertionError("it began")
    assert worker._process.poll() is None


def test_a_worker_that_a_halt_ends_after_its_answer_is_not_used_again(
    workers: DecodeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_ATTEMPTS", 1)
    halt = Halt()
    plain = process.DecodeWorker.decode

    def halted_right_after(worker: process.DecodeWorker, *more: object) -> object:
        outcome = plain(worker, *more)  # type: ignore[arg-type]
        halt.set()
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(process.DecodeWorker, "decode", halted_right_after)
        decode_under(halt, workers, png())
    assert n_processes(workers) == 0
    decode(workers, png())


def test_a_halt_leaves_alone_what_is_decoded_already_and_what_others_decode(
    workers: DecodeWorkers,
) -> None:
    halt = Halt()
    decode_under(halt, workers, png())
    [worker] = workers._idle
    halt.set()
    decode(workers, png())
    assert workers._idle == [worker]


# ---------------------------------------------------------------- surroundings


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are not listed here")
def test_a_worker_inherits_no_open_file(workers: DecodeWorkers, tmp_path: Path) -> None:
    with open(tmp_path / "private", "w") as file:
        os.set_inheritable(file.fileno(), True)
        decode(workers, png())
        [worker] = workers._idle
        folder = f"/proc/{worker._process.pid}/fd"
        targets = {os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)}
    assert not any("private" in target for target in targets), targets


def test_a_program_without_a_main_guard_works(tmp_path: Path, shipped_photos: Path) -> None:
    """Nothing of the caller's program runs again in a worker."""
    program = f"""\
        from mobisearch import Embedder, ImageIndex
        from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
        print("once")
        embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime())
        index = ImageIndex.create({str(tmp_path / "index")!r}, embedder)
        print(index.sync({str(shipped_photos)!r}).added)
    """
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=LONG_SECONDS * 4
    )
    assert done.stdout.split() == ["once", "22"], done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_leaves_the_workers_to_its_parent(tmp_path: Path) -> None:
    program = f"""\
        import os, sys
        from mobisearch.imaging import shared_workers
        from mobisearch.types import DecodeSettings, Preprocessing
        data = {png()!r}
        def decode():
            network, settings = Preprocessing(36, 32, (0, 0, 0), (1, 1, 1)), DecodeSettings()
            shared_workers().prepare(data, name="a", preprocessing=network, settings=settings)
        decode()
        child = os.fork()
        decode()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS * 2,
    )
    assert (done.returncode, done.stderr) == (0, "")
