"""The user's cache folder: what can be made or fetched again, and may be deleted at any time."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

import platformdirs


def cache_folder(name: str) -> Path:
    """Return a part of the cache: in ``MOBISEARCH_CACHE``, or where the system keeps caches."""
    given = os.environ.get("MOBISEARCH_CACHE")
    base = Path(given) if given else Path(platformdirs.user_cache_dir("mobisearch"))
    return base.expanduser() / name


def read_own_file(path: Path, *, max_bytes: int) -> bytes | None:
    """Return the bytes of a file, or None unless it is a regular file of this user's own."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
                return None
            if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
                return None  # what is run is chosen by this user alone
            return file.read()
    except OSError:
        return None


def write_own_file(path: Path, *parts: bytes) -> bool:
    """Write a file, and say whether that was possible.

    It appears whole or not at all. It is not flushed to the disk: who reads it must notice a torn
    one.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with open(handle, "wb") as file:
                for part in parts:
                    file.write(part)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        return True
    return False
