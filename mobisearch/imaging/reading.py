"""Reading whole files: once, safely, and with a stamp and a hash that belong to those bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from dataclasses import dataclass

from mobisearch.errors import (
    ImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from mobisearch.types import FileStamp

_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO with no writer must not block the scan
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_NOT_REGULAR = "not a regular file"

_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FileContent:
    """The bytes of a file, their SHA-256 (hexadecimal), and the file's stamp while it was read."""

    data: bytes
    sha256: str
    stamp: FileStamp


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return the stamp that a ``stat`` result gives.

    Times are held to what fits a signed 64-bit integer, since file systems can report more; the
    inode is text for the same reason.
    """
    mtime_ns, ctime_ns = (
        max(-_INT64_MAX, min(_INT64_MAX, time_ns))
        for time_ns in (status.st_mtime_ns, status.st_ctime_ns)
    )
    return FileStamp(status.st_size, mtime_ns, ctime_ns, str(status.st_ino))


def read_file(path: str, *, max_bytes: int) -> FileContent:
    """Read a regular file into memory.

    A file that changes while it is read is read a second time, so that bytes, hash and stamp always
    belong together.

    Raises:
        ImageNotFoundError: there is no such file.
        UnsupportedFormatError: it is a folder, FIFO, socket or device.
        ImageTooLargeError: it is larger than ``max_bytes``; nothing was read.
        UnreadableImageError: the system refused, or the file kept changing.
    """
    try:
        for _ in range(2):
            content = _read_once(path, max_bytes)
            if content is not None:
                return content
    except ImageError:  # first, because its kinds are OSErrors and ValueErrors too
        raise
    except FileNotFoundError:
        raise ImageNotFoundError(path) from None
    except MemoryError:
        raise UnreadableImageError(path, "there is not enough memory to read it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise UnreadableImageError(path, _reason(error)) from error
    raise UnreadableImageError(path, "the file changed while it was being read; try again")


def read_start(path: str, n_bytes: int) -> bytes:
    """Read the first bytes of a regular file; fewer where it has fewer.

    Raises:
        ImageNotFoundError, UnsupportedFormatError, UnreadableImageError: as for ``read_file``.
    """
    try:
        with _open_regular(path) as file:
            return file.read(n_bytes)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageNotFoundError(path) from None
    except (OSError, ValueError) as error:
        raise UnreadableImageError(path, _reason(error)) from error


def _read_once(path: str, max_bytes: int) -> FileContent | None:
    """Read the file, or return None if it changed meanwhile."""
    with _open_regular(path) as file:
        before = os.fstat(file.fileno())
        if before.st_size > max_bytes:
            raise ImageTooLargeError(path, actual=before.st_size, limit=max_bytes, unit="bytes")
        data = file.read(before.st_size + 1)  # one more than expected shows a file that grew
        while data and len(data) < before.st_size and (more := file.read(before.st_size)):
            data += more
        after = os.fstat(file.fileno())
    stamp = stamp_of(after)
    if stamp != stamp_of(before) or len(data) != after.st_size:
        return None
    return FileContent(data, hashlib.sha256(data).hexdigest(), stamp)


def _open_regular(path: str) -> io.FileIO:
    try:
        handle = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        if error.errno == errno.ENXIO:  # what opening a socket gives
            raise UnsupportedFormatError(path, _NOT_REGULAR) from error
        raise
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)  # FileIO would leave it open when it refuses a folder
        reason = "a folder, not an image" if stat.S_ISDIR(mode) else _NOT_REGULAR
        raise UnsupportedFormatError(path, reason)
    return io.FileIO(handle, "rb")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"cannot be read: {error}"
