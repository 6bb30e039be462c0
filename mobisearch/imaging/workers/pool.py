"""Decode workers: as many as are asked for at once, watched, used again, and replaced."""

from __future__ import annotations

import atexit
import functools
import os
import threading
import time

from mobisearch.capacity import count_workers
from mobisearch.errors import DecoderCrashedError, DecodeTimeoutError, ImageError
from mobisearch.imaging.decoding import PreparedImage
from mobisearch.imaging.workers.frames import BrokenFrameError
from mobisearch.imaging.workers.halting import Halt
from mobisearch.imaging.workers.process import DecodeWorker
from mobisearch.types import DecodeSettings, Framing

_ATTEMPTS = 2
"""A worker may die without the picture's fault, when the system is short of memory."""

_PICTURES_PER_WORKER = 5000
"""Then it is replaced, in case a decoder leaks. Starting one takes as long as a hundred photos."""

_WATCH_SECONDS = 0.2


class DecodeWorkers:
    """Processes that decode pictures, as many as threads ask at the same time.

    Each is started when it is needed, used again, and replaced when it dies, hangs or gets old.
    """

    def __init__(self, *, max_idle: int) -> None:
        self._max_idle = max_idle
        self._lock = threading.Lock()
        self._idle: list[DecodeWorker] = []
        self._busy: set[DecodeWorker] = set()
        self._watchdog: threading.Thread | None = None
        self._is_closed = threading.Event()

    def prepare(
        self,
        data: bytes,
        *,
        name: str,
        preprocessing: Framing,
        settings: DecodeSettings,
        halt: Halt | None = None,
    ) -> PreparedImage:
        """Decode a picture and cut out what the network looks at, in a process of its own.

        As :func:`mobisearch.imaging.decoding.prepare`; may be called from several threads.

        Args:
            halt: ends the decoding at once when it is set.

        Raises:
            HaltedError: ``halt`` is set.
            ImageError: the bytes are not a picture that can be used.
            DecodeTimeoutError: it took longer than ``settings.deadline_seconds``.
            DecoderCrashedError: the worker died of it, twice.
            WorkerStartError: no worker can be started; the picture has no part in that.
        """
        end = ""
        halt = halt or Halt()
        for _ in range(_ATTEMPTS):
            halt.check()
            worker = self._take()
            try:
                with halt.over(worker):
                    outcome = worker.decode(data, name, preprocessing, settings)
            except (BrokenFrameError, OSError):
                end = self._drop(worker)
                halt.check()
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

    def _take(self) -> DecodeWorker:
        dead: list[DecodeWorker] = []
        with self._lock:
            worker = None
            while self._idle and worker is None:
                worker = self._idle.pop()
                if not worker.is_alive:
                    dead.append(worker)
                    worker = None
            if self._watchdog is None:
                self._watchdog = threading.Thread(
                    target=self._watch, name="mobisearch-watchdog", daemon=True
                )
                self._watchdog.start()
        for ended in dead:
            ended.close()
        worker = worker or DecodeWorker()
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: DecodeWorker) -> None:
        with self._lock:
            self._busy.discard(worker)
            is_wanted = (
                worker.is_alive
                and worker.n_done < _PICTURES_PER_WORKER
                and len(self._idle) < self._max_idle
                and not self._is_closed.is_set()
            )
            if is_wanted:
                self._idle.append(worker)
        if not is_wanted:
            worker.close()

    def _drop(self, worker: DecodeWorker) -> str:
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


@functools.cache
def shared_workers() -> DecodeWorkers:
    """Return the workers of this process, which stay for the next index or sync."""
    workers = DecodeWorkers(max_idle=count_workers())
    atexit.register(workers.close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=workers.forget)
    return workers
