"""One decode worker: a process of ours with a pipe to it and one back.

A plain subprocess, not one of a pool from a library: multiprocessing and what builds on it run the
caller's main module again in each worker, which breaks scripts without a main guard; the pools of
the standard library and of loky never end a worker that hangs.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, BinaryIO

import numpy as np

from mobisearch.errors import ImageError, WorkerStartError
from mobisearch.imaging.decoding import PreparedImage
from mobisearch.imaging.workers.frames import (
    BrokenFrameError,
    max_answer_bytes,
    read_error,
    read_facts,
    read_frame,
    read_shape,
    request_header,
    write_frame,
)
from mobisearch.types import DecodeSettings, Framing

_DYING_SECONDS = 0.5
"""From the end of a pipe to the end of its process."""

_KILLED_SECONDS = 5
"""Longer than that only where it is stuck in a system call; the system ends it when it can."""

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


class DecodeWorker:
    """One process, for one thread at a time; the watchdog and a halt may end it from others."""

    def __init__(self) -> None:
        """Start the process, and wait until it is ready.

        Raises:
            WorkerStartError: it cannot be started.
        """
        self.n_done = 0
        self.is_overdue = False
        self._is_killed = False
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
        for stream in (self._requests, self._answers):
            _widen(stream)

    def decode(
        self, data: bytes, name: str, preprocessing: Framing, settings: DecodeSettings
    ) -> PreparedImage | ImageError:
        """Decode one picture, or say what is wrong with it.

        Raises:
            BrokenFrameError, OSError: the worker is dead, or not to be trusted any more.
        """
        self._clock = _Clock(settings.deadline_seconds)
        try:
            write_frame(self._requests, request_header(preprocessing, settings), data)
            header, pixels = read_frame(
                self._answers, max_payload_bytes=max_answer_bytes(preprocessing)
            )
        finally:
            self._clock = None
            self.n_done += 1
        error = read_error(header, name)
        if error is not None:
            return error
        shape = read_shape(header, preprocessing)
        if len(pixels) != math.prod(shape):
            raise BrokenFrameError("an answer of the wrong size")
        return PreparedImage(np.frombuffer(pixels, np.uint8).reshape(shape), read_facts(header))

    def watch(self, seconds: float) -> None:
        """Count time, and kill the process if it has had its share for the present picture."""
        clock = self._clock
        if clock is None:
            return
        clock.seconds_left -= seconds
        if clock.seconds_left < 0:
            self.is_overdue = True
            self.kill()

    def kill(self) -> None:
        """End the process at once, whatever it and the thread that waits for it are doing."""
        self._is_killed = True
        self._process.kill()

    @property
    def is_alive(self) -> bool:
        """Whether the process may be used: it has not ended, and nobody has told it to."""
        return not self._is_killed and self._process.poll() is None

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
