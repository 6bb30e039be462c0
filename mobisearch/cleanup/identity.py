"""What a file is right now: its bytes by hash, and which file of the system it is."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass

from mobisearch.errors import StepRefusedError

_CHUNK_BYTES = 1 << 20
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A regular file, as it was while it was read.

    Attributes:
        device, inode: which file of the system it is, under whatever names.
    """

    sha256: str
    size_bytes: int
    mtime_ns: int
    mode: int
    device: int
    inode: int

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


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
