"""Routes that search: by upload, by image, by several of them, by a part, by an embedding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import anyio
import numpy as np
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from mobisearch.arguments import unit_row
from mobisearch.errors import InvalidVectorError
from mobisearch.imaging import encode_jpeg
from mobisearch.results import Matches
from mobisearch.types import Embeddings, ImageFilter, Pixels
from mobisearch.web.documents import (
    MAX_ID,
    FilterBody,
    Filters,
    LikeBody,
    QueryDocument,
    ResultDocument,
    SearchBody,
    Upload,
    VectorBody,
    describe_matches,
)
from mobisearch.web.failures import RefusedError, describe_failures
from mobisearch.web.state import QueryPicture, WebState
from mobisearch.web.uploads import BODY_DESCRIPTION, read_upload

HELD_PX = 1600
"""Longer side of an uploaded picture as it is held, shown and cut."""

_AWAY = 0.5
"""How much of the mean of the pictures that are not wanted is taken away from the mean of those
that are."""

_LEAST_BOX_PX = 8
_NAME = "the picture"
_UPLOADS = describe_failures(400, 403, 408, 413, 415, 422, 429, 503)
_QUESTIONS = describe_failures(403, 404, 422, 503)


def combine(like: Sequence[Embeddings], unlike: Sequence[Embeddings]) -> Embeddings:
    """Return one unit row for several: the mean of those wanted, less half the mean of the others.

    Args:
        like: unit rows, shape (d,) each, at least one.
        unlike: the same of what is not wanted.

    Raises:
        InvalidVectorError: nothing is left of it.
    """
    row = np.stack(like).astype(np.float64).mean(axis=0)
    if unlike:
        row = row - _AWAY * np.stack(unlike).astype(np.float64).mean(axis=0)
    norm = float(np.linalg.norm(row))
    if norm < 1e-6:
        raise InvalidVectorError("what is wanted and what is not wanted cancel each other out")
    found: Embeddings = (row / norm).astype(np.float32)
    return found


def cut(pixels: Pixels, box: Sequence[float]) -> Pixels:
    """Return a part of a picture.

    Args:
        box: left, top, width and height as shares of the picture.

    Raises:
        RefusedError: hardly anything is in it.
    """
    height, width = pixels.shape[:2]
    left, top = round(box[0] * width), round(box[1] * height)
    right = min(width, round((box[0] + box[2]) * width))
    bottom = min(height, round((box[1] + box[3]) * height))
    if right - left < _LEAST_BOX_PX or bottom - top < _LEAST_BOX_PX:
        raise RefusedError(422, "small_box", "the part is too small to be searched by")
    return np.ascontiguousarray(pixels[top:bottom, left:right])


class Searcher:
    """Answers questions of the routes below."""

    def __init__(self, state: WebState) -> None:
        self._state = state
        self._index = state.index
        self._model = state.index.status().model

    def hold(self, data: bytes) -> QueryPicture:
        """Decode and embed an uploaded picture."""
        row = self._index.embed_bytes(data, _NAME)
        pixels = self._index.decode(data, _NAME, max_px=HELD_PX)
        return QueryPicture(pixels, row, pixels.shape[1], pixels.shape[0])

    def by_upload(
        self, data: bytes, k: int, filters: ImageFilter, box: list[float] | None
    ) -> ResultDocument:
        """Search by an uploaded picture."""
        started = time.perf_counter()
        if box is None:
            row = self._index.embed_bytes(data, _NAME)
        else:
            part = cut(self._index.decode(data, _NAME, max_px=HELD_PX), box)
            row = self._index.embed_part(part, _NAME)
        return self._document(self._index.search_row(row, k, filters), started)

    def by_image(self, image_id: int, k: int, filters: ImageFilter) -> ResultDocument:
        """Search by an image of the index, which is left out."""
        started = time.perf_counter()
        found = self._index.search_row(self._index.embedding(image_id), k + 1, filters)
        return self._document(_without(found, {image_id}, k), started)

    def by_several(self, body: SearchBody) -> ResultDocument:
        """Search by several pictures, or parts of them."""
        started = time.perf_counter()
        like = [self._row(each) for each in body.like]
        unlike = [self._row(each) for each in body.unlike]
        own = {each.image for each in body.like if each.image is not None and each.box is None}
        row = combine(like, unlike)
        found = self._index.search_row(
            row, body.k + len(own), body.filters.as_filter(self._state.folders)
        )
        return self._document(_without(found, own, body.k), started)

    def by_vector(self, vector: list[float], k: int, filters: FilterBody) -> ResultDocument:
        """Search by an embedding."""
        started = time.perf_counter()
        row = unit_row(vector, self._index.status().dim)[0]
        return self._document(
            self._index.search_row(row, k, filters.as_filter(self._state.folders)), started
        )

    def _row(self, wanted: LikeBody) -> Embeddings:
        if (wanted.image is None) == (wanted.query is None):
            raise RefusedError(422, "invalid", "name either an image or a query")
        if wanted.image is not None:
            if wanted.box is None:
                return self._index.embedding(wanted.image)
            pixels = self._index.picture(wanted.image, max_px=HELD_PX)
            return self._index.embed_part(cut(pixels, wanted.box), _NAME)
        picture = self.held(wanted.query or "")
        if wanted.box is None:
            return picture.row
        return self._index.embed_part(cut(picture.pixels, wanted.box), _NAME)

    def held(self, key: str) -> QueryPicture:
        """Return an uploaded picture.

        Raises:
            RefusedError: it is not held any more.
        """
        picture = self._state.queries.find(key)
        if picture is None:
            raise RefusedError(
                404, "no_query", "this picture is not held any more; upload it again"
            )
        return picture

    def _document(self, found: Matches, started: float) -> ResultDocument:
        seconds = time.perf_counter() - started
        return ResultDocument.model_validate(
            describe_matches(found, seconds=seconds, model=self._model)
        )


def _without(found: Matches, ids: set[int], k: int) -> Matches:
    return Matches([match for match in found if match.image.id not in ids][:k])


def _read_box(text: str | None) -> list[float] | None:
    if not text:
        return None
    try:
        box = [float(part) for part in text.split(",")]
    except ValueError:
        box = []
    if len(box) != 4 or not all(0 <= share <= 1 for share in box):
        raise RefusedError(422, "invalid", "a box is x,y,width,height, each from 0 to 1")
    return box


def searching_router(state: WebState) -> APIRouter:
    """Return the routes that search."""
    router = APIRouter(prefix="/api", tags=["search"])
    searcher = Searcher(state)

    async def in_turn(function: Any, *arguments: Any) -> Any:
        """Call a function that decodes: few at once, some waiting, the others are sent away."""
        if not state.uploads.enter():
            raise RefusedError(429, "busy", "too many uploads at once; try again in a moment")
        try:
            return await anyio.to_thread.run_sync(function, *arguments, limiter=state.decoding)
        finally:
            state.uploads.leave()

    @router.post("/queries", status_code=201, responses=_UPLOADS, openapi_extra=BODY_DESCRIPTION)
    async def hold_query(request: Request) -> QueryDocument:
        """Upload a picture to search by. It is held in memory, and the oldest ones are let go."""
        data = await read_upload(request)
        picture: QueryPicture = await in_turn(searcher.hold, data)
        key = state.queries.put(picture)
        return QueryDocument(query=key, width=picture.width, height=picture.height)

    @router.get(
        "/queries/{query}/preview",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
            **_QUESTIONS,
        },
    )
    def read_query(query: Annotated[str, Path(max_length=100)]) -> Response:
        """Return an uploaded picture, as a JPEG made here, without metadata."""
        jpeg = encode_jpeg(searcher.held(query).pixels, quality=85)
        return Response(jpeg, media_type="image/jpeg")

    @router.post("/search/upload", responses=_UPLOADS, openapi_extra=BODY_DESCRIPTION)
    async def search_by_upload(request: Request, wanted: Upload) -> ResultDocument:
        """Upload a picture and search by it, or by a part of it, in one request."""
        box, filters = _read_box(wanted.box), wanted.as_filter(state.folders)
        data = await read_upload(request)
        found: ResultDocument = await in_turn(searcher.by_upload, data, wanted.k, filters, box)
        return found

    @router.post("/search", responses=_QUESTIONS)
    def search(body: SearchBody) -> ResultDocument:
        """Search by pictures and parts of them, and away from others.

        Looked for is the mean of the embeddings in ``like``, less half the mean of those in
        ``unlike``. Whole images of the index that are asked by are left out.
        """
        return searcher.by_several(body)

    @router.post("/search/vector", responses=_QUESTIONS)
    def search_by_vector(body: VectorBody) -> ResultDocument:
        """Search by an embedding of the index's model, of any length but zero."""
        return searcher.by_vector(body.vector, body.k, body.filters)

    @router.get("/images/{image_id}/similar", responses=_QUESTIONS)
    def search_by_image(
        image_id: Annotated[int, Path(ge=1, le=MAX_ID)], wanted: Filters
    ) -> ResultDocument:
        """Find what looks like an image of the index; it is left out itself."""
        return searcher.by_image(image_id, wanted.k, wanted.as_filter(state.folders))

    return router
