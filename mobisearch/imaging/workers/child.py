"""What a decode worker runs: pictures in, pixels or the reason out, until the pipe closes.

It opens no file that it is told of, knows no index, and loads no network.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import sys
import warnings
from typing import BinaryIO

import numpy as np

from mobisearch.errors import CorruptImageError, DecodeMemoryError, ImageError, TruncatedImageError
from mobisearch.imaging.decoding import PreparedImage, prepare
from mobisearch.imaging.formats import readable_formats
from mobisearch.imaging.workers import limits
from mobisearch.imaging.workers.frames import (
    BrokenFrameError,
    as_text,
    error_header,
    facts_header,
    read_frame,
    read_request,
    write_frame,
)
from mobisearch.types import DecodeSettings, Framing

_NAME = "picture"  # the caller knows the path and puts it into the error


def main() -> None:
    """Serve the pipes on stdin and stdout until stdin ends."""
    requests, answers = _take_over_pipes()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    readable_formats()  # loads the decoders, before files cannot be opened any more
    limits.give_up_rights()
    write_frame(answers, as_text({"ready": os.getpid()}))
    _silence_stderr()  # from here on: until now it carries why a worker cannot start
    base_bytes = limits.address_space_bytes()
    known = None
    while True:
        try:
            header, data = read_frame(requests, max_payload_bytes=sys.maxsize)
        except BrokenFrameError:
            return
        if header is not known:  # read_frame gives the same object for the same text
            preprocessing, settings = read_request(header)
            known = header
        limits.limit_memory(base_bytes + len(data) + settings.max_memory_bytes)
        limits.limit_time(settings.deadline_seconds)
        _answer(answers, data, preprocessing, settings)
        limits.limit_time(None)
        limits.limit_memory(None)
        del data  # before the next one is read


def _answer(
    answers: BinaryIO, data: bytes, preprocessing: Framing, settings: DecodeSettings
) -> None:
    try:
        image = decode_tolerantly(data, preprocessing, settings)
    except ImageError as error:
        write_frame(answers, error_header(error))
    except MemoryError:
        write_frame(answers, error_header(DecodeMemoryError(_NAME, "there is not enough memory")))
    else:
        pixels = np.ascontiguousarray(image.pixels)
        write_frame(answers, facts_header(image.facts, pixels.shape), pixels.data.cast("B"))


def decode_tolerantly(
    data: bytes, preprocessing: Framing, settings: DecodeSettings
) -> PreparedImage:
    """Decode, and with ``settings.tolerant`` take what there is of a picture that is cut short.

    Sets Pillow's process-wide switch for that, which is why it runs in a worker only.
    """
    from PIL import ImageFile

    def decode() -> PreparedImage:
        return prepare(data, name=_NAME, preprocessing=preprocessing, settings=settings)

    try:
        return decode()
    except TruncatedImageError:
        if not settings.tolerant:
            raise
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image = decode()
    except TruncatedImageError as error:
        raise CorruptImageError(_NAME, error.reason) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return dataclasses.replace(image, facts=dataclasses.replace(image.facts, is_truncated=True))


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for frames, and point what libraries read and print to at nothing."""
    requests = os.fdopen(os.dup(0), "rb", buffering=1 << 20)
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    return requests, answers


def _silence_stderr() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 2)
    os.close(nothing)


if __name__ == "__main__":
    main()
