"""Work in the background: one run at a time, with its progress, and an end on request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mobisearch.errors import MobisearchError
from mobisearch.text import printable
from mobisearch.types import Progress

_LOG = logging.getLogger("mobisearch.web")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class JobState(Generic[_T]):
    """How a job stands.

    Attributes:
        state: ``none``, ``running``, ``ready`` or ``failed``.
        step: what is being done.
        result: of the last run that ended well.
        error: why the last run failed.
    """

    state: str = "none"
    step: str = ""
    done: int = 0
    total: int = 0
    result: _T | None = None
    error: Exception | None = None


Work = Callable[[Callable[[Progress], None], threading.Event], _T]


class Job(Generic[_T]):
    """One kind of work. Its methods may be called from several threads."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._now: JobState[_T] = JobState()
        self._stop = threading.Event()

    @property
    def now(self) -> JobState[_T]:
        """How it stands."""
        return self._now

    def start(self, work: Work[_T]) -> bool:
        """Begin, unless a run is under way already; say whether it was begun."""
        with self._lock:
            if self._now.state == "running":
                return False
            self._stop = threading.Event()
            self._now = JobState("running", result=self._now.result)
            thread = threading.Thread(
                target=self._run, args=(work, self._stop), name=self._name, daemon=True
            )
        thread.start()
        return True

    def stop(self) -> None:
        """Ask a run to end; what it has found out until then may be kept."""
        self._stop.set()

    def replace(self, result: _T) -> None:
        """Put another result in the place of that of the last run, if none is under way."""
        with self._lock:
            if self._now.state != "running":
                self._now = JobState("ready", result=result)

    def _run(self, work: Work[_T], stop: threading.Event) -> None:
        last = self._now.result

        def note(progress: Progress) -> None:
            self._now = JobState(
                "running", progress.stage, progress.done, progress.total, result=last
            )

        try:
            result = work(note, stop)
        except Exception as error:  # noqa: BLE001 - told to whoever asks
            if not isinstance(error, MobisearchError):
                _LOG.exception("%s failed", self._name)
            _LOG.info("%s", printable(str(error)))
            ended = JobState("failed", result=last, error=error)
        else:
            ended = JobState("ready", result=result)
        with self._lock:
            self._now = ended
