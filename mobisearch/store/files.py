"""Writing files: durably, never through links, and with the system's errors turned into ours."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mobisearch.errors import IndexReadOnlyError, StorageError, StoreError


@contextlib.contextmanager
def mapped_os_errors(path: Path, *, n_bytes: int = 0) -> Iterator[None]:
    """Turn the operating system's errors into ours; errors that are ours already pass.

    Args:
        n_bytes: what is being written, for the message about a full disk.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = f"cannot be written ({reason}); choose a directory that can"
            raise IndexReadOnlyError(path, message) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            needed = f"{max(n_bytes, 1000) // 1000:,} kB were to be written"
            message = (
                f"the disk is full ({reason}; {needed}); free some space and run the command again"
            )
            raise StorageError(path, message) from error
        if error.errno in (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENOENT, errno.ELOOP):
            raise IndexReadOnlyError(path, f"cannot be created ({reason})") from error
        message = f"the disk failed ({reason}); what was stored before is kept"
        raise StorageError(path, message) from error


def write_note(path: Path, text: str) -> None:
    """Write a small text file of ours; a link or anything but a file is left alone, as an error."""
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise OSError(errno.EPERM, "not a file of its own")
        file.truncate(0)
        file.write(text)


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file and flush it to the disk; a file or link that is there is an error."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Make what another library wrote into a file durable."""
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_durable_folder(path: Path) -> None:
    """Make a folder that only its owner may read, and those around it, unless they are there."""
    missing = [path, *path.parents]
    missing = missing[: next(n for n, folder in enumerate(missing) if folder.exists())]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(folder.parent)


def sync_directory(path: Path) -> None:
    """Make renames in a directory durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
