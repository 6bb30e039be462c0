"""One attempt at fetching a file: over HTTP, going on where the last one ended, or from a folder.

Nothing here knows what is in the file; who calls compares its hash.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from mobisearch.types import WeightsSettings

_PIECE_BYTES = 1 << 16
_OK, _PARTIAL, _NOT_IN_RANGE = 200, 206, 416
_MAY_PASS = {408, 425, 429, *range(500, 600)}
"""Answers after which another attempt may do."""

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class TransferError(Exception):
    """An attempt failed.

    Attributes:
        reason: what went wrong.
        may_pass: another attempt may do.
    """

    def __init__(self, reason: str, *, may_pass: bool) -> None:
        self.reason = reason
        self.may_pass = may_pass
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a part of a file is part of."""

    address: str
    etag: str | None
    total: int | None


class PartialFile:
    """A file under way, beside the place where it will be, and a note of what it is part of."""

    def __init__(self, target: Path) -> None:
        self.path = target.parent / f".{target.name}.part"
        self._note = target.parent / f".{target.name}.part.json"

    @property
    def n_bytes(self) -> int:
        """How much of it is there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def origin(self, address: str) -> _Origin | None:
        """Return what is noted, if what is there can be gone on with from this address."""
        try:
            found = json.loads(self._note.read_bytes())
            origin = _Origin(str(found["address"]), found["etag"], int(found["total"]))
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return origin if origin.address == address and self.n_bytes else None

    def open(self, origin: _Origin, *, start: int) -> IO[bytes]:
        """Open it for more, with what is there up to ``start`` kept."""
        if start:
            file = open(self.path, "r+b", buffering=0)  # noqa: SIM115 - the caller's
            file.seek(start)
            file.truncate()
            return file
        self.clear()
        self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        return open(self.path, "xb", buffering=0)

    def publish(self, target: Path) -> None:
        """Give it its name; it is flushed first, so that the name never stands for a part."""
        with open(self.path, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(self.path, target)
        self.clear()

    def clear(self) -> None:
        """Forget what is there."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def transfer(
    address: str,
    part: PartialFile,
    settings: WeightsSettings,
    *,
    deadline: float,
    on_bytes: Callable[[int, int | None], None],
) -> bool:
    """Bring a partial file to its end, and say whether an earlier part of it was kept.

    Args:
        deadline: of ``time.monotonic``.
        on_bytes: told how much is there, and how much there will be, if that is known.

    Raises:
        TransferError: it did not come to its end. What came is kept where it is of use.
    """
    if urlsplit(address).scheme == "file":
        _copy(address, part, settings, on_bytes)
        return False
    try:
        return _fetch(address, part, settings, deadline=deadline, on_bytes=on_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _NOT_IN_RANGE:
            part.clear()
            raise TransferError("the server has less than it had", may_pass=True) from error
        reason = f"the server answered {error.code} {error.reason}"
        raise TransferError(reason, may_pass=error.code in _MAY_PASS) from error
    except urllib.error.URLError as error:
        is_distrust = isinstance(error.reason, ssl.SSLCertVerificationError)
        raise TransferError(f"no connection ({error.reason})", may_pass=not is_distrust) from error
    except (OSError, http.client.HTTPException) as error:
        reason = f"the connection broke ({str(error) or type(error).__name__})"
        raise TransferError(reason, may_pass=True) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to addresses of the same kind, and to safer ones."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        if urlsplit(newurl).scheme not in ("https", urlsplit(req.full_url).scheme):
            fp.close()
            raise TransferError(f"the server sends on to {newurl}", may_pass=False)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(
    address: str,
    part: PartialFile,
    settings: WeightsSettings,
    *,
    deadline: float,
    on_bytes: Callable[[int, int | None], None],
) -> bool:
    known = part.origin(address)
    start = 0 if known is None else part.n_bytes
    if known is not None and start == known.total:
        return True  # whole, but nobody came to look
    request = urllib.request.Request(address, headers=_headers(known, start))  # noqa: S310 - checked
    opener = urllib.request.build_opener(_Redirects)
    with opener.open(request, timeout=settings.timeout_seconds) as response:
        etag = response.headers.get("ETag")
        total: int | None
        if response.status == _PARTIAL and known is not None:
            first, total = _read_range(response.headers.get("Content-Range", ""))
            if (first, total, etag) != (start, known.total, known.etag):
                part.clear()
                raise TransferError("the file there has changed meanwhile", may_pass=True)
        elif response.status == _OK:
            start, total = 0, _read_length(response.headers.get("Content-Length", ""))
        else:
            raise TransferError(f"the server answered {response.status}", may_pass=False)
        if total is not None and total > settings.max_bytes:
            raise TransferError(f"it would be {total:,} bytes, more than are taken", may_pass=False)
        with _on_disk(), part.open(_Origin(address, etag, total), start=start) as file:
            done = start
            on_bytes(done, total)
            while piece := _read_piece(response):
                done += len(piece)
                if done > settings.max_bytes:
                    part.clear()
                    raise TransferError(
                        f"more than {settings.max_bytes:,} bytes came", may_pass=False
                    )
                if time.monotonic() > deadline:
                    raise TransferError("it took too long", may_pass=False)
                write_piece(file, piece)
                on_bytes(done, total)
    if total is not None and done < total:
        raise TransferError(f"only {done:,} of {total:,} bytes came", may_pass=True)
    return start > 0


def _read_piece(response: http.client.HTTPResponse) -> bytes:
    """Return whatever has come, b"" at the end."""
    try:
        return response.read1(_PIECE_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(
            f"the connection broke ({str(error) or type(error).__name__})", may_pass=True
        ) from error


def write_piece(file: IO[bytes], piece: bytes) -> None:
    """Write all of some bytes to an unbuffered file."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


@contextlib.contextmanager
def _on_disk() -> Iterator[None]:
    """Turn the errors of a disk into setbacks that do not pass."""
    try:
        yield
    except OSError as error:
        reason = f"it cannot be stored ({error.strerror or error})"
        raise TransferError(reason, may_pass=False) from error


def _headers(known: _Origin | None, start: int) -> dict[str, str]:
    headers = {"User-Agent": "mobisearch", "Accept-Encoding": "identity"}
    if known is not None:
        headers["Range"] = f"bytes={start}-"
        if known.etag and not known.etag.startswith("W/"):
            headers["If-Range"] = known.etag
    return headers


def _read_range(text: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(text.strip())
    return (int(found[1]), int(found[2])) if found else (-1, -1)


def _read_length(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


def _copy(
    address: str,
    part: PartialFile,
    settings: WeightsSettings,
    on_bytes: Callable[[int, int | None], None],
) -> None:
    """Take a file from a folder."""
    source = Path(urllib.request.url2pathname(urlsplit(address).path))
    try:
        if not source.is_file():
            raise TransferError("there is no such file", may_pass=False)
        total = source.stat().st_size
        if total > settings.max_bytes:
            raise TransferError(f"it has {total:,} bytes, more than are taken", may_pass=False)
        data = source.read_bytes()
    except OSError as error:
        raise TransferError(f"it cannot be read ({error.strerror})", may_pass=False) from error
    with _on_disk(), part.open(_Origin(address, None, total), start=0) as file:
        write_piece(file, data)
    on_bytes(total, total)
