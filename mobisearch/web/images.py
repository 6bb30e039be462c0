"""Routes about images: listings, facts, thumbnails."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from mobisearch.web.documents import (
    MAX_ID,
    ImageDocument,
    Listing,
    PageDocument,
    describe_image,
)
from mobisearch.web.failures import describe_failures
from mobisearch.web.state import WebState

PREVIEW_PX = 2048
_HEADERS = {"Content-Disposition": 'inline; filename="picture.jpg"'}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    **describe_failures(403, 404, 413, 422, 503),
}
Id = Annotated[int, Path(ge=1, le=MAX_ID)]


def images_router(state: WebState) -> APIRouter:
    """Return the routes about images."""
    router = APIRouter(prefix="/api/images", tags=["images"])
    index = state.index

    def draw(image_id: int, max_px: int) -> bytes:
        image = index.image(image_id)
        made = state.thumbnails.find(image.sha256, max_px)
        if made is None:
            made = index.picture_jpeg(image_id, max_px=max_px)
            state.thumbnails.put(image.sha256, max_px, made)
        return made

    async def answer(image_id: int, max_px: int) -> Response:
        jpeg = await anyio.to_thread.run_sync(draw, image_id, max_px, limiter=state.drawing)
        return Response(jpeg, media_type="image/jpeg", headers=_HEADERS)

    @router.get("", responses=describe_failures(403, 422, 503))
    def list_images(listing: Listing) -> PageDocument:
        """List images, in an order, with conditions."""
        page = index.images(
            listing.as_filter(state.folders),
            sort=listing.sort,
            offset=listing.offset,
            count=listing.limit,
        )
        return PageDocument.model_validate(
            {
                "total": page.total,
                "offset": page.offset,
                "images": [describe_image(image) for image in page.images],
            }
        )

    @router.get("/{image_id}", responses=describe_failures(403, 404, 422, 503))
    def read_image(image_id: Id) -> ImageDocument:
        """Return what is known of an image."""
        labels = index.labels_of([image_id]).get(image_id, ())
        return ImageDocument.model_validate(describe_image(index.image(image_id), labels))

    @router.get("/{image_id}/thumbnail", response_class=Response, responses=_ANSWERS)
    async def read_thumbnail(
        image_id: Id, px: Annotated[Literal["128", "256", "512"], Query()] = "256"
    ) -> Response:
        """Return an image small, as a JPEG made here, without metadata."""
        return await answer(image_id, int(px))

    @router.get("/{image_id}/preview", response_class=Response, responses=_ANSWERS)
    async def read_preview(image_id: Id) -> Response:
        """Return an image as large as screens are, as a JPEG made here, without metadata."""
        return await answer(image_id, PREVIEW_PX)

    return router
