"""Uploads: one picture in one form field, held in memory, never under the name it came with."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mobisearch.web.failures import RefusedError
from mobisearch.web.guard import MAX_UPLOAD_BYTES

FIELD = "image"
_MAX_PARTS = 4
_MAX_FIELD_BYTES = 64 * 1024

BODY_DESCRIPTION = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
"""What the OpenAPI description says of an upload."""


class _MemoryParser(MultiPartParser):
    spool_max_size = MAX_UPLOAD_BYTES
    """Nothing is written to a disk."""


async def read_upload(request: Request) -> bytes:
    """Return the bytes of the one picture of a form.

    Raises:
        RefusedError: the request holds something else.
    """
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise RefusedError(415, "no_form", "send the picture as multipart/form-data")
    parser = _MemoryParser(
        request.headers,
        request.stream(),
        max_files=1,
        max_fields=_MAX_PARTS - 1,
        max_part_size=_MAX_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RefusedError(400, "bad_form", f"the form cannot be read: {error.message}") from None
    except (KeyError, ValueError, UnicodeDecodeError):
        raise RefusedError(400, "bad_form", "the form cannot be read") from None
    try:
        upload = form.get(FIELD)
        if not isinstance(upload, UploadFile):
            raise RefusedError(422, "no_image", f"the form has no file in its field {FIELD!r}")
        data = await upload.read()
    finally:
        await form.close()
    if not data:
        raise RefusedError(422, "empty", "the picture is empty")
    return data
