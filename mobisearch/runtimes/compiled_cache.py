"""Compiled networks on disk, so that a later start takes milliseconds. A cache: it may be deleted.

A file that is damaged, cut short, foreign or of another version of OpenVINO is not used; the
network is compiled again and the file replaced. Its name is a hash of everything that went into it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from mobisearch.models.cache_folder import cache_folder, read_own_file, write_own_file

_MAGIC = b"mobisearch compiled network 1\n"
_DIGEST_BYTES = hashlib.sha256().digest_size
_MAX_BYTES = 1 << 30
_KEPT = 24
"""Files at most; the longest unused go first."""


def cache_path(identity: dict[str, str]) -> Path:
    """Return the file for a network, by everything that decides what it computes and where."""
    text = json.dumps(identity, sort_keys=True)
    return cache_folder("compiled") / f"{hashlib.sha256(text.encode()).hexdigest()}.blob"


def read_compiled(path: Path) -> bytes | None:
    """Return a compiled network, or None unless a sound file of this user's own is there."""
    data = read_own_file(path, max_bytes=_MAX_BYTES)
    if data is None:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
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
    digest = hashlib.sha256(blob).digest()
    if write_own_file(path, _MAGIC + digest, blob):
        with contextlib.suppress(OSError):
            _drop_old(path.parent)


def _drop_old(folder: Path) -> None:
    files = sorted(folder.glob("*.blob"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT:]:
        path.unlink(missing_ok=True)
