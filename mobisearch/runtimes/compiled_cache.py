"""Compiled networks on disk, so that a later start takes milliseconds. A cache: it may be deleted.

A file that is damaged, cut short, foreign or of another version of OpenVINO is not used; the
network is compiled again and the file replaced. Its name is a hash of everything that went into it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path

import platformdirs

_MAGIC = b"mobisearch compiled network 1\n"
_DIGEST_BYTES = hashlib.sha256().digest_size
_MAX_BYTES = 1 << 30
_KEPT = 24
"""Files at most; the longest unused go first."""


def cache_dir() -> Path:
    """Return where compiled networks are kept: ``MOBISEARCH_CACHE``, or the user's cache folder."""
    given = os.environ.get("MOBISEARCH_CACHE")
    base = Path(given) if given else Path(platformdirs.user_cache_dir("mobisearch"))
    return base.expanduser() / "compiled"


def cache_path(identity: dict[str, str]) -> Path:
    """Return the file for a network, by everything that decides what it computes and where."""
    text = json.dumps(identity, sort_keys=True)
    return cache_dir() / f"{hashlib.sha256(text.encode()).hexdigest()}.blob"


def read_compiled(path: Path) -> bytes | None:
    """Return a compiled network, or None unless a sound file of this user's own is there."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
                return None
            if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
                return None  # what is run is chosen by this user alone
            data = file.read()
        os.utime(path)
    except OSError:
        return None
    start = len(_MAGIC) + _DIGEST_BYTES
    if data[: len(_MAGIC)] != _MAGIC:
        return None
    if hashlib.sha256(data[start:]).digest() != data[len(_MAGIC) : start]:
        return None
    return data[start:]


def write_compiled(path: Path, blob: bytes) -> None:
    """Keep a compiled network; where that is not possible nothing happens.

    The file appears whole or not at all. It is not flushed to the disk: a torn one is noticed.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with open(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(blob).digest())
                file.write(blob)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        _drop_old(path.parent)


def _drop_old(folder: Path) -> None:
    files = sorted(folder.glob("*.blob"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)
