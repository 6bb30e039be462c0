"""What a file is right now: its bytes by hash, and which file of the system it is."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import NamedTuple

from mobisearch.errors import StepRefusedError

_CHUNK_BYTES = 1 << 20
_INODES = 1 << 48
"""Some union mounts put a number of their own into the highest bits of inode numbers."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class FileTrace(NamedTuple):
    """What a file has in common with itself seen through a mount that gives it another device.

    Union mounts, such as overlayfs, show the files of other folders so. No two files are likely to
    have the same inode number, and to be changed last at the same nanosecond.

    Source: https://docs.kernel.org/filesystems/overlayfs.html
    """

    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A regular file, as it was while it was read.

    Attributes:
        device, inode: which file of the system it is, under whatever names.
        ctime_ns: when it last changed or got another name.
    """

    sha256: str
    size_bytes: int
    mtime_ns: int
    mode: int
    device: int
    inode: int
    ctime_ns: int

    @property
    def trace(self) -> FileTrace:
        """What shows the file again that is seen through another mount."""
        return FileTrace(self.inode % _INODES, self.size_bytes, self.mtime_ns, self.ctime_ns)

    def is_same_file(self, status: os.stat_result) -> bool:
        """Say whether this is still the same file, and seems unchanged."""
        return (
            stat.S_ISREG(status.st_mode)
            and (self.device, self.inode) == (status.st_dev, status.st_ino)
            and (self.size_bytes, self.mtime_ns) == (status.st_size, status.st_mtime_ns)
        )


def identify(path: str) -> FileIdentity:
    """Read a file and return its identity. No link is followed.

    Raises:
        StepRefusedError: it is gone, a link, not a regular file, unreadable, or changes.
    """
    try:
        handle = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise StepRefusedError(path, "it is not there any more") from None
    except (OSError, ValueError) as error:
        if os.path.islink(path):
            raise StepRefusedError(path, "it is a symbolic link") from None
        raise StepRefusedError(path, f"it cannot be read ({_reason(error)})") from error
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise StepRefusedError(path, "it is not a regular file")
        digest = hashlib.sha256()
        n_read = 0
        while chunk := os.read(handle, _CHUNK_BYTES):
            digest.update(chunk)
            n_read += len(chunk)
        after = os.fstat(handle)
    except OSError as error:
        raise StepRefusedError(path, f"it cannot be read ({_reason(error)})") from error
    finally:
        os.close(handle)
    found = FileIdentity(
        sha256=digest.hexdigest(),
        size_bytes=n_read,
        mtime_ns=before.st_mtime_ns,
        mode=stat.S_IMODE(before.st_mode),
        device=before.st_dev,
        inode=before.st_ino,
        ctime_ns=before.st_ctime_ns,
    )
    if not found.is_same_file(after):
        raise StepRefusedError(path, "it changed while it was being read")
    return found


def has_content(path: str, sha256: str) -> bool:
    """Say whether there is a regular file with this content; a link never has it."""
    try:
        return identify(path).sha256 == sha256
    except StepRefusedError:
        return False


def trace_of(status: os.stat_result) -> FileTrace:
    """Return what shows a file again that is seen through another mount."""
    inode = status.st_ino % _INODES
    return FileTrace(inode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_still_there(path: str, identity: FileIdentity, *, is_listed: bool = False) -> bool:
    """Say whether a path leads to the same file still, opened anew: systems remember what they saw.

    Args:
        is_listed: the folder has to list it as well. A union mount opens a file even after it was
            moved beneath, but lists it no more. Costs reading the folder.
    """
    try:
        handle = os.open(path, _FLAGS)
        try:
            status = os.fstat(handle)
        finally:
            os.close(handle)
        if not identity.is_same_file(status) or not identity.is_same_file(os.lstat(path)):
            return False
        return not is_listed or _is_listed(path, identity)
    except OSError:
        return False


def _is_listed(path: str, identity: FileIdentity) -> bool:
    """Say whether a folder lists a file, by its name or, as names may be spelt otherwise, inode."""
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder) as entries:
            return any(entry.name == name or entry.inode() == identity.inode for entry in entries)
    except PermissionError:  # a folder that may be gone through but not read
        return True


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
