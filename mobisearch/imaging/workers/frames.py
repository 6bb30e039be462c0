"""What goes over the pipes between a process and its decode workers.

A frame is a JSON header and a payload of raw bytes. Nothing is pickled: a worker has touched files
that nobody trusts, so its answers are checked, not believed.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

from mobisearch.errors import (
    CorruptImageError,
    DecodeMemoryError,
    ImageError,
    ImageTooLargeError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from mobisearch.types import DecodeSettings, Framing, ImageFacts, Preprocessing, WholePicture

_LENGTHS = struct.Struct("<IQ")
MAX_HEADER_BYTES = 1 << 16
_PART, _WHOLE = "preprocessing", "whole"
_SIMPLE_ERRORS: dict[str, type[ImageError]] = {
    kind.code: kind
    for kind in (CorruptImageError, DecodeMemoryError, TruncatedImageError, UnsupportedFormatError)
}


class BrokenFrameError(Exception):
    """The other side is gone, or does not speak this language. Never leaves this package."""


def as_text(header: dict[str, Any]) -> bytes:
    """Return a header as it goes over the pipe."""
    return json.dumps(header).encode("ascii")


def write_frame(stream: BinaryIO, header: bytes, payload: bytes | memoryview = b"") -> None:
    """Send a frame, its header as text."""
    stream.write(_LENGTHS.pack(len(header), len(payload)) + header)
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO, *, max_payload_bytes: int) -> tuple[Mapping[str, Any], bytes]:
    """Receive a frame.

    Raises:
        BrokenFrameError: the stream ended, or it holds anything but a frame.
    """
    n_header, n_payload = _LENGTHS.unpack(_read_exactly(stream, _LENGTHS.size))
    if n_header > MAX_HEADER_BYTES or n_payload > max_payload_bytes:
        raise BrokenFrameError(f"a frame of {n_header} + {n_payload} bytes")
    header = _parse(_read_exactly(stream, n_header))
    return header, _read_exactly(stream, n_payload)


@functools.lru_cache(maxsize=64)
def _parse(text: bytes) -> Mapping[str, Any]:
    """Read a header; most of a run are the same, to the byte."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenFrameError("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise BrokenFrameError("a header that is not an object")
    return MappingProxyType(header)


def _read_exactly(stream: BinaryIO, n_bytes: int) -> bytes:
    data = stream.read(n_bytes)
    if len(data) != n_bytes:
        raise BrokenFrameError("the stream ended")
    return data


@functools.lru_cache(maxsize=8)
def request_header(preprocessing: Framing, settings: DecodeSettings) -> bytes:
    """Return what tells a worker how to decode the payload. The same for a whole run, so kept."""
    return as_text(
        {
            _kind_of(preprocessing): dataclasses.asdict(preprocessing),
            "settings": dataclasses.asdict(settings),
        }
    )


def read_request(header: Mapping[str, Any]) -> tuple[Framing, DecodeSettings]:
    """Return what :func:`request_header` put in. The sender is trusted."""
    settings = DecodeSettings(**header["settings"])
    if _WHOLE in header:
        return WholePicture(**header[_WHOLE]), settings
    return Preprocessing(**header[_PART]), settings


def _kind_of(preprocessing: Framing) -> str:
    return _WHOLE if isinstance(preprocessing, WholePicture) else _PART


def facts_header(facts: ImageFacts, shape: tuple[int, ...]) -> bytes:
    """Return the header of an answer with pixels of a shape (h, w, 3)."""
    given = {name: getattr(facts, name) for name in facts.__slots__}
    return as_text({"facts": given, "shape": list(shape)})


def max_answer_bytes(preprocessing: Framing) -> int:
    """Return how many bytes of pixels an answer may have."""
    if isinstance(preprocessing, WholePicture):
        return 3 * preprocessing.longer_px**2
    return 3 * preprocessing.crop_px**2


def read_shape(header: Mapping[str, Any], preprocessing: Framing) -> tuple[int, int, int]:
    """Return the shape (h, w, 3) of the pixels of an answer.

    Raises:
        BrokenFrameError: it is none that was asked for.
    """
    match header.get("shape"):
        case [int(height), int(width), 3]:
            pass
        case _:
            raise BrokenFrameError("an answer without a shape")
    if isinstance(preprocessing, WholePicture):
        is_right = min(height, width) > 0 and max(height, width) <= preprocessing.longer_px
    else:
        is_right = height == width == preprocessing.crop_px
    if not is_right:
        raise BrokenFrameError(f"an answer of {width} x {height} pixels")
    return height, width, 3


def read_facts(header: Mapping[str, Any]) -> ImageFacts:
    """Return the facts of an answer, each of them of its type.

    Raises:
        BrokenFrameError: they are anything else.
    """
    given = header.get("facts")
    if not isinstance(given, dict):
        raise BrokenFrameError("an answer without facts")
    width, height = given.get("width"), given.get("height")
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise BrokenFrameError("an answer without a size")
    return ImageFacts(
        format=_checked(given, "format", str) or "",
        width=width,
        height=height,
        taken_at=_checked(given, "taken_at", str),
        camera=_checked(given, "camera", str),
        latitude=_checked(given, "latitude", float),
        longitude=_checked(given, "longitude", float),
        is_truncated=given.get("is_truncated") is True,
    )


def _checked(given: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = given.get(name)
    if value is not None and not isinstance(value, kind):
        raise BrokenFrameError(f"{name} is {type(value).__name__}")
    return value


def error_header(error: ImageError) -> bytes:
    """Return the header of an answer that says why there are no pixels."""
    if isinstance(error, ImageTooLargeError):
        values = {"actual": error.actual, "limit": error.limit, "unit": error.unit}
        return as_text({"error": error.code, "values": values})
    return as_text({"error": error.code, "reason": error.reason[:1000]})


def read_error(header: Mapping[str, Any], name: str) -> ImageError | None:
    """Return the error of an answer, about the picture of this name, or None if it has none.

    Raises:
        BrokenFrameError: it is none that decoding gives.
    """
    code = header.get("error")
    if code is None:
        return None
    if code == ImageTooLargeError.code:
        try:
            values = header["values"]
            actual, limit, unit = int(values["actual"]), int(values["limit"]), str(values["unit"])
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenFrameError("an error without its values") from error
        return ImageTooLargeError(name, actual=actual, limit=limit, unit=unit)
    kind = _SIMPLE_ERRORS.get(str(code))
    if kind is None:
        raise BrokenFrameError(f"an unknown error {str(code)[:40]!r}")
    return kind(name, str(header.get("reason", ""))[:1000])
