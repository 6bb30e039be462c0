"""Which files in an index directory are ours: by kind, name and content, never by name alone.

People have folders called ``tmp`` and files called ``README`` too.
"""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

CATALOG_NAME = "mobisearch.db"
TAG_NAME = "CACHEDIR.TAG"
README = """\
This folder is a mobisearch index. mobisearch.db holds everything that matters, together with
mobisearch.db-wal and mobisearch.db-shm if they are there: do not edit, delete or separate them.
The folder segments may be deleted at any time; it is made again when it is needed.
"""
CACHEDIR_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# The files in this folder are derived from ../mobisearch.db. See https://bford.info/cachedir/
"""
_HOLDER_START = b'{"pid": '
_UNKNOWN_HOLDER = "holder unknown"
_SEGMENT_NAME = re.compile(r"(seg|ann)-[0-9a-f]{16}-[0-9a-f]{32}\.faiss")
_NEW_CATALOG_NAME = re.compile(r"new\.db(-journal|-wal|-shm)?")
_BACKUP_NAME = re.compile(r"format-[0-9]+-[0-9a-f]{32}\.db")


def is_own_name(name: object) -> bool:
    """Say whether a name is one that we give to files in ``segments`` and ``tmp``."""
    if not isinstance(name, str):
        return False
    patterns = (_SEGMENT_NAME, _NEW_CATALOG_NAME)
    return name == TAG_NAME or any(pattern.fullmatch(name) for pattern in patterns)


def is_backup_name(name: str) -> bool:
    """Say whether a name is one that we give to files in ``backups``."""
    return _BACKUP_NAME.fullmatch(name) is not None


def is_index(path: str) -> bool:
    """Say whether a folder is an index, so that scans leave it alone."""
    return os.path.isfile(os.path.join(path, CATALOG_NAME))


def is_leftover(entry: os.DirEntry[str]) -> bool:
    """Say whether an entry of a directory is what an interrupted creation leaves behind."""
    if entry.name in ("tmp", "segments") and entry.is_dir(follow_symlinks=False):
        return all(
            is_own_name(below.name) and below.is_file(follow_symlinks=False)
            for below in entries(entry.path)
        )
    if not entry.is_file(follow_symlinks=False):
        return False
    if entry.name == "README":
        return README.encode().startswith(Path(entry.path).read_bytes()[: len(README) + 1])
    if entry.name == "writer.json":  # perhaps cut short
        start = Path(entry.path).read_bytes()[: len(_HOLDER_START)]
        return _HOLDER_START.startswith(start)
    return entry.name == "writer.lock" and entry.stat().st_size == 0


def find_strangers(folder: Path) -> str | None:
    """Say who else may change an index, or None: whoever can is trusted with what it answers."""
    if os.name != "posix":
        return None
    try:
        status = os.stat(folder)
    except OSError:
        return None
    if status.st_uid not in (os.geteuid(), 0):
        return f"belongs to another user (number {status.st_uid}), who can change what it answers"
    if status.st_mode & stat.S_IWOTH:
        return "can be written by everybody, who can change what it answers: chmod o-w"
    return None


def entries(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """Return what is in a folder."""
    with os.scandir(folder) as listing:
        return list(listing)


def read_holder(path: Path) -> str:
    """Return who holds the writer lock, as a phrase for messages."""
    try:
        holder = json.loads(path.read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return _UNKNOWN_HOLDER
