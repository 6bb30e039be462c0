"""Ending what is being decoded, from another thread, when nobody wants it any more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from mobisearch.imaging.workers.process import DecodeWorker


class HaltedError(Exception):
    """Decoding was halted. Seen only by the threads of whoever halted it."""


class Halt:
    """A switch that several threads decode under. Once set it stays set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: set[DecodeWorker] = set()
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether :meth:`set` was called."""
        return self._is_set

    def set(self) -> None:
        """End the workers that decode under this switch, and let none begin."""
        with self._lock:
            self._is_set = True
            for worker in self._workers:
                worker.kill()

    def check(self) -> None:
        """Raise HaltedError if the switch is set."""
        if self._is_set:
            raise HaltedError

    @contextlib.contextmanager
    def over(self, worker: DecodeWorker) -> Iterator[None]:
        """Let a worker be ended by the switch for as long as this lasts.

        Raises:
            HaltedError: the switch is set already.
        """
        with self._lock:
            self.check()
            self._workers.add(worker)
        try:
            yield
        finally:
            with self._lock:  # so that a worker that is free again is never ended
                self._workers.discard(worker)
