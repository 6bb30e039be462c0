"""The operations that faults.c wrote down."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = 256
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
