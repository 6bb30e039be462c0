"""Starting, using, watching and replacing decode workers.

Plain subprocesses, not a pool from a library: multiprocessing and what builds on it run the
caller's main module again in each worker, which breaks scripts without a main guard; the pools of
the standard library and of loky never end a worker that hangs.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, BinaryIO

import numpy as np

from mobisearch.errors import (
    DecoderCrashedError,
    DecodeTimeoutError,
    ImageError,
    WorkerStartError,
)
from mobisearch.imaging.decoding import PreparedImage
from mobisearch.imaging.workers.frames import (
    BrokenFrameError,
    read_error,
    read_facts,
    read_frame,
    request_header,
    write_frame,
)
from mobisearch.types import DecodeSettings, Preprocessing

_ATTEMPTS = 2
"""A worker may die without the picture's fault, when the system is short of memory."""

_PICTURES_PER_WORKER = 2000
"""Then it is replaced, in case a decoder leaks."""

_DYING_SECONDS = 0.5
"""From the end of a pipe to the end of its process."""

_KILLED_SECONDS = 5
"""Longer than that only where it is stuck in a system call; the system ends it when it can."""

_WATCH_SECONDS = 0.2
_PIPE_BYTES = 1 << 20
_PROGRAM = """\
import sys
sys.path[:] = sys.argv[1:]
from mobisearch.imaging.workers.child import main
main()
"""


@dataclass(slots=True)
class _Clock:
    """The time that one picture has left. Of its own, so that none eats into the next one's."""

    seconds_left: float


class _DecodeWorker:
    """One process."""

    def __init__(self) -> None:
        self.n_done = 0
        self.is_overdue = False
        self._clock: _Clock | None = None
        self._process = _start_process()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._answers: BinaryIO = self._process.stdout  # type: ignore[assignment]
        try:
            read_frame(self._answers, max_payload_bytes=0)
        except BrokenFrameError:
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip()
            self.close()
            raise WorkerStartError(said.splitlines()[-1] if said else "it said nothing") from None
        _widen(self._requests)

    def decode(
        self, data: bytes, name: str, preprocessing: Preprocessing, settings: DecodeSettings
    ) -> PreparedImage | ImageError:
        """Decode one picture, or say what is wrong with it.

        Raises:
            BrokenFrameError, OSError: the worker is dead, or not to be trusted any more.
        """
        n_bytes = 3 * preprocessing.crop_px**2
        self._clock = _Clock(settings.deadline_seconds)
        try:
            write_frame(self._requests, request_header(preprocessing, settings), data)
            header, pixels = read_frame(self._answers, max_payload_bytes=n_bytes)
        finally:
            self._clock = None
            self.n_done += 1
        error = read_error(header, name)
        if error is not None:
            return error
        if len(pixels) != n_bytes:
            raise BrokenFrameError("an answer of the wrong size")
        shape = (preprocessing.crop_px, preprocessing.crop_px, 3)
        return PreparedImage(np.frombuffer(pixels, np.uint8).reshape(shape), read_facts(header))

    def watch(self, seconds: float) -> None:
        """Count time, and kill the process if it has had its share for the present picture."""
        clock = self._clock
        if clock is None:
            return
        clock.seconds_left -= seconds
        if clock.seconds_left < 0:
            self.is_overdue = True
            self._process.kill()

    def kill(self) -> None:
        """End the process at once, whatever it and the thread that waits for it are doing."""
        self._process.kill()

    def close(self) -> str:
        """End the process, and return how it ended."""
        code = None
        with contextlib.suppress(OSError):  # a sound worker ends by itself when its pipe does
            self._requests.close()
        for seconds in (_DYING_SECONDS, _KILLED_SECONDS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=seconds)
                break
            self._process.kill()
        for stream in self._streams():
            with contextlib.suppress(OSError):
                stream.close()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"by {signal.Signals(-code).name}"
        return f"with exit code {code}"

    def abandon(self) -> None:
        """Close our ends of the pipes after a fork: the worker is the parent's."""
        for stream in self._streams():
            with contextlib.suppress(OSError):
                os.close(stream.fileno())

    def _streams(self) -> list[IO[bytes]]:
        process = self._process
        return [s for s in (process.stdin, process.stdout, process.stderr) if s is not None]


class DecodeWorkers:
    """Processes that decode pictures, as many as threads ask at the same time.

    Each is started when it is needed, used again, and replaced when it dies, hangs or gets old.
    """

    def __init__(self, *, max_idle: int) -> None:
        self._max_idle = max_idle
        self._lock = threading.Lock()
        self._idle: list[_DecodeWorker] = []
        self._busy: set[_DecodeWorker] = set()
        self._watchdog: threading.Thread | None = None
        self._is_closed = threading.Event()

    def prepare(
        self, data: bytes, *, name: str, preprocessing: Preprocessing, settings: DecodeSettings
    ) -> PreparedImage:
        """Decode a picture and cut out what the network looks at, in a process of its own.

        As :func:`mobisearch.imaging.decoding.prepare`; may be called from several threads.

        Raises:
            ImageError: the bytes are not a picture that can be used.
            DecodeTimeoutError: it took longer than ``settings.deadline_seconds``.
            DecoderCrashedError: the worker died of it, twice.
            WorkerStartError: no worker can be started; the picture has no part in that.
        """
        end = ""
        for _ in range(_ATTEMPTS):
            worker = self._take()
            try:
                outcome = worker.decode(data, name, preprocessing, settings)
            except (BrokenFrameError, OSError):
                end = self._drop(worker)
                if worker.is_overdue:
                    raise DecodeTimeoutError(name, settings.deadline_seconds) from None
                continue
            except BaseException:
                self._drop(worker)
                raise
            self._give_back(worker)
            if isinstance(outcome, ImageError):
                raise outcome
            return outcome
        raise DecoderCrashedError(name, f"the decoder crashed on it twice, ended {end}")

    def close(self) -> None:
        """End all workers. A picture that is being decoded counts as crashed."""
        self._is_closed.set()
        with self._lock:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        for worker in workers:
            worker.kill()
            worker.close()

    def forget(self) -> None:
        """Let go of all workers without ending them, in a forked child: they are the parent's."""
        for worker in (*self._idle, *self._busy):
            worker.abandon()
        self.__init__(max_idle=self._max_idle)  # type: ignore[misc]

    def _take(self) -> _DecodeWorker:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
            if self._watchdog is None:
                self._watchdog = threading.Thread(
                    target=self._watch, name="mobisearch-watchdog", daemon=True
                )
                self._watchdog.start()
        worker = worker or _DecodeWorker()
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: _DecodeWorker) -> None:
        with self._lock:
            self._busy.discard(worker)
            is_wanted = (
                not worker.is_overdue
                and worker.n_done < _PICTURES_PER_WORKER
                and len(self._idle) < self._max_idle
                and not self._is_closed.is_set()
            )
            if is_wanted:
                self._idle.append(worker)
        if not is_wanted:
            worker.close()

    def _drop(self, worker: _DecodeWorker) -> str:
        with self._lock:
            self._busy.discard(worker)
        return worker.close()

    def _watch(self) -> None:
        """Count the time of busy workers, except while this process itself was stopped."""
        before = time.monotonic()
        while not self._is_closed.wait(_WATCH_SECONDS):
            now = time.monotonic()
            seconds = min(now - before, 2 * _WATCH_SECONDS)
            before = now
            with self._lock:
                busy = list(self._busy)
            for worker in busy:
                worker.watch(seconds)


def _start_process() -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    path = [os.path.abspath(entry) for entry in sys.path]
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-P", "-c", _PROGRAM, *path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us; we end the workers when we are ready
        )
    except (OSError, TypeError) as error:  # TypeError: a program without an interpreter of its own
        raise WorkerStartError(str(error)) from error


def _widen(stream: BinaryIO) -> None:
    """Let a pipe hold more at once, where the system can: a photo takes fewer turns."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


@functools.cache
def shared_workers() -> DecodeWorkers:
    """Return the workers of this process, which stay for the next index or sync."""
    workers = DecodeWorkers(max_idle=os.cpu_count() or 1)
    atexit.register(workers.close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=workers.forget)
    return workers
