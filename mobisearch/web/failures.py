"""What goes wrong, as the client sees it: a status, a code, a sentence; never a traceback."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from mobisearch import errors
from mobisearch.text import printable

_LOG = logging.getLogger("mobisearch.web")

_STATUSES: tuple[tuple[type[errors.MobisearchError], int], ...] = (
    (errors.UnknownImageIdError, 404),
    (errors.ImageNotFoundError, 404),
    (errors.ImageTooLargeError, 413),
    (errors.DecodeTimeoutError, 422),
    (errors.ImageError, 422),
    (errors.QueryError, 422),
    (errors.IndexLockedError, 503),
    (errors.IndexReadOnlyError, 409),
    (errors.CleanupError, 409),
    (errors.StoreError, 503),
    (errors.MobisearchError, 503),
)
_SENTENCES = {
    404: "there is no such thing here",
    405: "this cannot be done here",
}


class FailureDetail(BaseModel):
    """What went wrong."""

    code: str
    reason: str


class FailureDocument(BaseModel):
    """The document of every answer that is no success."""

    error: FailureDetail


class RefusedError(Exception):
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        self.status = status
        self.code = code
        self.reason = reason
        super().__init__(reason)


def failure(status: int, code: str, reason: str) -> JSONResponse:
    """Return the answer for something that went wrong."""
    document = {"error": {"code": code, "reason": printable(reason)}}
    return JSONResponse(document, status_code=status)


def describe_failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI description says of answers that are no success."""
    return {status: {"model": FailureDocument} for status in statuses}


def _status_of(error: errors.MobisearchError) -> int:
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


def _code_of(error: errors.MobisearchError) -> str:
    code = getattr(error, "code", "")
    return code if isinstance(code, str) and code else type(error).__name__


def _sentence_of(error: errors.MobisearchError) -> str:
    """Return what may be said: of the server's own folders nothing."""
    if isinstance(error, errors.ImageError):
        return error.reason
    if isinstance(error, errors.IndexLockedError):
        return "another process is writing to the index; try again when it has finished"
    if isinstance(error, errors.IndexReadOnlyError):
        return "the index cannot be written"
    if isinstance(error, errors.ModelChangedError):
        return f"the index uses another model than {error.model} by now; serve it again"
    if isinstance(error, errors.StoreError):
        return "the index cannot be used now: it is gone, damaged or of another version"
    place = getattr(error, "index", None) or getattr(error, "path", None)
    return str(error).removeprefix(f"{place}: ")


def answer_failures(app: FastAPI) -> None:
    """Let every exception of a request become a sentence with the right status."""

    @app.exception_handler(errors.MobisearchError)
    async def _own(_: Request, error: errors.MobisearchError) -> JSONResponse:
        _LOG.info("%s", printable(str(error)))
        return failure(_status_of(error), _code_of(error), _sentence_of(error))

    @app.exception_handler(RefusedError)
    async def _refused(_: Request, error: RefusedError) -> JSONResponse:
        return failure(error.status, error.code, error.reason)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return failure(422, "invalid", f"{place}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        reason = _SENTENCES.get(error.status_code, str(error.detail))
        answer = failure(error.status_code, f"http_{error.status_code}", reason)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> JSONResponse:
        _LOG.error("unexpected: %s", printable(f"{type(error).__name__}: {error}"))
        return failure(500, "unexpected", "something unexpected went wrong; no photo was changed")
