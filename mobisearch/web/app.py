"""The application: routes, the guard before them, and the files of the page."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from mobisearch.index import ImageIndex
from mobisearch.web.copies import copies_router
from mobisearch.web.failures import answer_failures
from mobisearch.web.guard import Guard
from mobisearch.web.images import images_router
from mobisearch.web.maps import map_router
from mobisearch.web.searching import searching_router
from mobisearch.web.state import WebSettings, WebState
from mobisearch.web.status import status_router

STATIC = Path(__file__).with_name("static")


def create_app(index: ImageIndex, settings: WebSettings) -> FastAPI:
    """Return the application that serves an index. It holds no port, and may be tested without one.

    Args:
        index: open; the caller closes it, after the last request.
    """
    state = WebState(index, settings)
    app = FastAPI(
        title="mobisearch",
        version=version("mobisearch"),
        description="Finds images that look alike, in an index on this machine.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        middleware=[Middleware(Guard, settings=settings)],
    )
    answer_failures(app)
    for make_router in (status_router, images_router, searching_router, copies_router, map_router):
        app.include_router(make_router(state), dependencies=[Depends(state.check_there)])

    @app.get("/", include_in_schema=False)
    def read_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
