"""Routes about the map of the collection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from mobisearch.errors import MobisearchError
from mobisearch.mapping import ImageMap, make_map, read_map
from mobisearch.text import printable
from mobisearch.types import Progress
from mobisearch.web.failures import RefusedError, describe_failures
from mobisearch.web.jobs import Job
from mobisearch.web.state import WebState

_ANSWERS = describe_failures(403, 404, 503)
_DIGITS = 5


class MapDocument(BaseModel):
    """How the map stands."""

    state: Literal["none", "computing", "ready", "failed"]
    step: str
    done: float
    error: str | None
    generation: int | None
    images: int
    is_stale: bool


class PointsDocument(BaseModel):
    """Where each image lies: x and y from 0 to 1, those alike beside one another."""

    ids: list[int]
    x: list[float]
    y: list[float]


class Maps:
    """Answers the routes below."""

    def __init__(self, state: WebState) -> None:
        self._index = state.index
        self._job: Job[ImageMap] = Job("mobisearch-map")
        self._lock = threading.Lock()
        self._was_read = False

    def start(self) -> None:
        """Make the map in the background, unless it is of this very generation."""
        made = self._found()
        if made is not None and made.generation == self._index.generation():
            return

        def work(note: Callable[[Progress], None], stop: threading.Event) -> ImageMap:
            return make_map(self._index, on_progress=note, stop=stop)

        self._job.start(work)

    def stop(self) -> None:
        """End the making of it."""
        self._job.stop()

    def _found(self) -> ImageMap | None:
        with self._lock:
            if not self._was_read:
                self._was_read = True
                kept = read_map(self._index.uuid, model=self._index.fingerprint)
                if kept is not None:
                    self._job.replace(kept)
        return self._job.now.result

    def status(self) -> MapDocument:
        """Return how it stands."""
        made, now = self._found(), self._job.now
        error = None
        if now.error is not None:
            is_own = isinstance(now.error, MobisearchError)
            error = printable(str(now.error)) if is_own else "something unexpected went wrong"
        return MapDocument(
            state="computing" if now.state == "running" else now.state,  # type: ignore[arg-type]
            step=now.step,
            done=now.done / now.total if now.total else float(now.state == "ready"),
            error=error,
            generation=made.generation if made else None,
            images=len(made.ids) if made else 0,
            is_stale=bool(made and made.generation != self._index.generation()),
        )

    def points(self) -> PointsDocument:
        """Return the map.

        Raises:
            RefusedError: there is none.
        """
        made = self._found()
        if made is None:
            raise RefusedError(404, "no_map", "there is no map yet")
        x, y = (made.places[:, axis].astype(float).round(_DIGITS).tolist() for axis in (0, 1))
        return PointsDocument.model_construct(ids=made.ids.tolist(), x=x, y=y)


def map_router(state: WebState) -> APIRouter:
    """Return the routes about the map."""
    router = APIRouter(prefix="/api/map", tags=["map"])
    maps = Maps(state)

    @router.get("", responses=_ANSWERS)
    def read_state() -> MapDocument:
        """Return how the map stands."""
        return maps.status()

    @router.post("", status_code=202, responses=_ANSWERS)
    def start_map() -> MapDocument:
        """Make the map in the background, unless the newest is there."""
        maps.start()
        return maps.status()

    @router.delete("", status_code=202, responses=_ANSWERS)
    def stop_map() -> MapDocument:
        """End the making of the map."""
        maps.stop()
        return maps.status()

    @router.get("/points", responses=_ANSWERS)
    def read_points() -> PointsDocument:
        """Return where each image lies."""
        return maps.points()

    return router
