"""Routes about the index itself: at a glance, errors, and what changes while one looks."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

import anyio
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from mobisearch.text import printable
from mobisearch.web.documents import (
    FileErrorsDocument,
    SessionDocument,
    StatusDocument,
    describe_facts,
)
from mobisearch.web.failures import RefusedError, describe_failures
from mobisearch.web.state import WebState

_POLL_SECONDS = 1.0
_ALIVE_POLLS = 15
_MAX_LABELS = 500
_STILL_SECONDS = 4.0
"""A generation that was new so lately means that a process is writing."""


class StatusReader:
    """Reads the status; what takes a walk over all images is kept until the next change."""

    def __init__(self, state: WebState) -> None:
        self._state = state
        self._facts: tuple[int, dict[str, Any]] | None = None
        self._seen = (-1, 0.0)  # generation, and when it was first seen

    def generation(self) -> int:
        """Return the generation of the newest commit, and note when it was first seen."""
        generation = self._state.index.generation()
        if generation != self._seen[0]:
            is_first = self._seen[0] == -1
            self._seen = (generation, 0.0 if is_first else time.monotonic())
        return generation

    def read(self) -> StatusDocument:
        """Return the status."""
        index, settings = self._state.index, self._state.settings
        generation = self.generation()
        status = index.status()
        if self._facts is None or self._facts[0] != generation:
            facts = index.facts()
            shown = {printable(path): path for path in facts.folders}
            self._state.folders = {name: path for name, path in shown.items() if name != path}
            counts = {found.category: found.images for found in index.labels()[:_MAX_LABELS]}
            self._facts = (generation, {**describe_facts(facts), "labels": counts})
        is_changing = bool(self._seen[1]) and time.monotonic() - self._seen[1] < _STILL_SECONDS
        return StatusDocument.model_validate(
            {
                "version": version("mobisearch"),
                "images": status.images,
                "missing": status.missing,
                "failed": status.errors,
                **self._facts[1],
                "model": {
                    "name": index.model_name,
                    "label": printable(status.model),
                    "dim": status.dim,
                },
                "generation": generation,
                "is_read_only": settings.is_read_only or not index.is_writable,
                "may_trash": settings.may_trash and not settings.is_read_only,
                "updating": {"done": status.images} if is_changing else None,
            }
        )


def status_router(state: WebState) -> APIRouter:
    """Return the routes about the index."""
    router = APIRouter(prefix="/api", tags=["index"])
    reader = StatusReader(state)

    @router.get("/status", responses=describe_failures(403, 503))
    def read_status() -> StatusDocument:
        """Return the collection at a glance."""
        return reader.read()

    @router.get("/session", responses=describe_failures(403))
    def read_session() -> SessionDocument:
        """Return what a page sends with every change."""
        return SessionDocument(csrf=state.settings.csrf)

    @router.get("/errors", responses=describe_failures(403, 503))
    def read_errors() -> FileErrorsDocument:
        """Return every file that could not be indexed, with the reason."""
        return FileErrorsDocument.model_validate(
            {
                "errors": [
                    {
                        "path": printable(found.path),
                        "code": found.code,
                        "reason": printable(found.reason),
                    }
                    for found in state.index.errors()
                ]
            }
        )

    async def events() -> AsyncIterator[str]:
        said, polls = "", 0
        try:
            while True:
                try:
                    generation = await anyio.to_thread.run_sync(reader.generation)
                    document = (await anyio.to_thread.run_sync(reader.read)).model_dump()
                    news = {
                        key: document[key]
                        for key in ("images", "missing", "failed", "updating", "is_read_only")
                    }
                    text = json.dumps({"generation": generation, **news})
                except Exception:  # noqa: BLE001 - an index that is away may come back
                    text = json.dumps({"error": "the index cannot be read now"})
                polls += 1
                if text != said:
                    yield f"event: status\ndata: {text}\n\n"
                    said = text
                elif polls % _ALIVE_POLLS == 0:
                    yield ": still here\n\n"
                await anyio.sleep(_POLL_SECONDS)
        finally:
            state.streams.leave()

    @router.get("/events", response_class=StreamingResponse, responses=describe_failures(403, 429))
    async def follow() -> StreamingResponse:
        """Follow the index: a server-sent event ``status`` whenever something changes."""
        if not state.streams.enter():
            raise RefusedError(429, "busy", "too many pages follow this index")
        return StreamingResponse(events(), media_type="text/event-stream")

    return router
