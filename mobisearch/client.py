"""Searching an index that ``mobisearch serve`` serves: the same calls as ``ImageIndex`` has.

Only the standard library; no image is decoded here.
"""

from __future__ import annotations

import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from mobisearch.arguments import as_list, checked_count
from mobisearch.errors import (
    ImageError,
    ImageNotFoundError,
    RequestRefusedError,
    UnreadableImageError,
)
from mobisearch.imaging import name_of
from mobisearch.results import Match, Matches
from mobisearch.types import ImageRecord

ImageArgument = str | os.PathLike[str] | bytes
_SECONDS = 60.0


class Client:
    """A connection to a server, with the searches of ``ImageIndex``. Safe from several threads."""

    def __init__(self, url: str, token: str | None = None, *, seconds: float = _SECONDS) -> None:
        """Name a server.

        Args:
            url: what ``mobisearch serve`` printed, token and all, or the address alone.
            token: if it is not in ``url``.
            seconds: how long an answer may take.
        """
        parts = urllib.parse.urlsplit(url)
        given = urllib.parse.parse_qs(parts.query).get("token", [""])[0]
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._token = token or given
        self._seconds = seconds
        # Not through a proxy: what is asked is on this machine, or named by its address.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def search(self, query: ImageArgument, k: int = 10) -> Matches:
        """Find the images most like one, best first, ties by id.

        Args:
            query: a path or bytes; it need not be in the index.
            k: how many, at least 1.

        Raises:
            ImageError: the query cannot be read here.
            RequestRefusedError: the server cannot use it, or does not answer.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = checked_count(k)
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        body = head.encode() + _read(query) + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        found = self._ask(f"/api/search/upload?k={k}", body, kind)
        return _matches(found, name_of(query))

    def search_many(self, queries: Sequence[ImageArgument], k: int = 10) -> list[Matches]:
        """Find the images most like each of several.

        A query that cannot be read here gives an empty list whose ``error`` says why.
        """
        found: list[Matches] = []
        for query in as_list(queries):
            try:
                found.append(self.search(query, k))
            except ImageError as error:
                found.append(Matches(query=name_of(query), error=error))
        return found

    def search_by_id(self, image_id: int, k: int = 10) -> Matches:
        """Find the images most like one in the index; that image itself is left out."""
        return _matches(self._ask(f"/api/images/{image_id}/similar?k={checked_count(k)}"))

    def search_by_vector(self, vector: ArrayLike, k: int = 10) -> Matches:
        """Find the images most like an embedding, shape (d,), of the index's model."""
        values = np.asarray(vector, np.float64).tolist()
        return _matches(self._send("/api/search/vector", {"vector": values, "k": checked_count(k)}))

    def image(self, image_id: int) -> ImageRecord:
        """Return one image by id."""
        return _record(self._ask(f"/api/images/{image_id}"))

    def status(self) -> dict[str, Any]:
        """Return the collection at a glance, as docs/api.md has it."""
        found: dict[str, Any] = self._ask("/api/status")
        return found

    def __len__(self) -> int:
        """Count the images that searches can return."""
        return int(self.status()["images"])

    def _send(self, route: str, document: object) -> Any:
        return self._ask(route, json.dumps(document).encode(), "application/json")

    def _ask(self, route: str, body: bytes | None = None, kind: str = "") -> Any:
        url = self._base + route
        request = urllib.request.Request(url, body)  # noqa: S310 - of the address that was given
        request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("Content-Type", kind)
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                code, reason = _failure(error.read(1 << 20))
            raise RequestRefusedError(url, error.code, code, reason) from None
        except (OSError, ValueError) as error:
            raise RequestRefusedError(url, 0, "no_answer", f"no answer: {error}") from error


def _failure(body: bytes) -> tuple[str, str]:
    try:
        match json.loads(body):
            case {"error": {"code": str(code), "reason": str(reason)}}:
                return code, reason
    except ValueError:
        pass
    return "unknown", "the answer is none of mobisearch"


def _read(query: ImageArgument) -> bytes:
    if isinstance(query, bytes):
        return query
    path = os.fspath(query)
    try:
        with open(os.path.expanduser(path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise ImageNotFoundError(path) from None
    except OSError as error:
        raise UnreadableImageError(path, error.strerror or "cannot be read") from error


def _matches(document: Any, query: str = "") -> Matches:
    matches = [Match(float(m["score"]), _record(m["image"])) for m in document["matches"]]
    return Matches(matches, query=query)


def _record(document: Any) -> ImageRecord:
    return ImageRecord(
        id=int(document["id"]),
        path=f"{document['folder'].rstrip('/')}/{document['name']}",
        width=int(document["width"]),
        height=int(document["height"]),
        size_bytes=int(document["size_bytes"]),
        mtime_ns=_mtime_ns(document["mtime"]),
        sha256=str(document["sha256"]),
        format=str(document["format"]),
        taken_at=document["taken_at"],
        camera=document["camera"],
        latitude=document["latitude"],
        longitude=document["longitude"],
    )


def _mtime_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
