"""The operations that faults.c wrote down."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .client import SYNC, WRITE

MARK = 256

_LOG_STEP = 4
"""Of the writes of one transaction to SQLite's log, one in so many; see :func:`telling_points`."""

_HEADER = struct.Struct("<IIQqQII")
_MAGIC = 0x31544C46


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation that succeeded.

    Attributes:
        kind: as in ``client``, or MARK for a commit that was acknowledged.
        place: where the data goes, or the new size for a truncation.
        other: the new path of a rename.
    """

    kind: int
    inode: int
    place: int
    path: str
    other: str
    data: bytes


def iter_operations(log: Path) -> Iterator[Operation]:
    """Give the operations of a log in their order."""
    data, at = log.read_bytes(), 0
    while at < len(data):
        magic, kind, inode, place, size, n_path, n_other = _HEADER.unpack_from(data, at)
        assert magic == _MAGIC
        at += _HEADER.size
        path, other = data[at : at + n_path], data[at + n_path : at + n_path + n_other]
        at += n_path + n_other
        yield Operation(
            kind, inode, place, os.fsdecode(path), os.fsdecode(other), data[at : at + size]
        )
        at += size


def telling_points(operations: Sequence[Operation]) -> list[int]:
    """Return the operations, counted from 1, before which to kill a run.

    A flush changes nothing that a kill leaves, so that to die before it is to die before the next
    operation. What one transaction appends to SQLite's log is read by nobody until the last page is
    there, so of those writes the first, the last and every fourth stand for all; every operation is
    tried with MOBISEARCH_CRASH_ALL=1.
    """
    points, number, row = [], 0, 0
    kinds = [(operation.kind, operation.path) for operation in operations]
    for place, (kind, path) in enumerate(kinds):
        if kind == MARK:
            row = 0
            continue
        number += 1
        is_page = kind == WRITE and path.endswith("-wal")
        row = row + 1 if is_page else 0
        is_last = kinds[place + 1 : place + 2] != [(kind, path)]
        if kind != SYNC and (not is_page or is_last or row % _LOG_STEP == 1):
            points.append(number)
    return points
