"""One file under several names: hard links, mounts, a folder given in two spellings.

Such names are one photo. What the file system says of two names makes them candidates; that they
are the same file is asked of the system itself, since inode numbers are not unique everywhere.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

from sqlalchemy.engine import Connection

_KNOWN_ELSEWHERE = """
SELECT staged.place, staged.file_id, staged.path, file.path AS other
FROM file CROSS JOIN staged ON file.inode = staged.inode
    AND file.size_bytes = staged.size_bytes AND file.mtime_ns = staged.mtime_ns
WHERE NOT staged.same AND staged.supported AND staged.inode NOT IN ('', '0')
    AND file.path != staged.path AND +file.state != 'missing'
    AND (staged.file_id IS NULL OR file.file_id < staged.file_id)
"""

_INDEX_TO_READ = """
CREATE INDEX IF NOT EXISTS temp.staged_to_read ON staged (inode, size_bytes, mtime_ns)
    WHERE NOT same AND supported
"""
"""Without it, and without the hints in the next two questions, SQLite compares each file with each
other one; with it, the files to be read with their namesakes only."""

_STAGED_TWICE = """
SELECT staged.place, staged.file_id, staged.path, staged.inode, staged.size_bytes, staged.mtime_ns
FROM staged JOIN (
    SELECT inode, size_bytes, mtime_ns FROM staged
    WHERE NOT same AND supported AND inode NOT IN ('', '0')
    GROUP BY inode, size_bytes, mtime_ns HAVING count(*) > 1
) AS twice ON (twice.inode, twice.size_bytes, twice.mtime_ns)
    = (staged.inode, staged.size_bytes, staged.mtime_ns)
    LEFT JOIN file ON file.file_id = staged.file_id
WHERE NOT staged.same AND staged.supported
ORDER BY staged.inode, staged.size_bytes, staged.mtime_ns,
    staged.file_id IS NULL, file.inode IS NOT staged.inode, staged.file_id, staged.place
"""
"""A name that led to this very file before comes before one that another file gave its place up
for, such as a copy that became a link."""


def drop_doubles(connection: Connection) -> int:
    """Take names out of the scan whose file has another name already; return how many.

    The name that the catalog has for the file stays, else another that it has, else the first. A
    name that was in the catalog itself, before it was linked to the other, is forgotten.
    """
    connection.exec_driver_sql(_INDEX_TO_READ)
    doubles = {(place, file_id) for place, file_id in _find(connection)}
    for place, file_id in doubles:
        connection.exec_driver_sql("DELETE FROM staged WHERE place = ?", (place,))
        if file_id is not None:
            connection.exec_driver_sql("DELETE FROM file WHERE file_id = ?", (file_id,))
    return len(doubles)


def _find(connection: Connection) -> Iterator[tuple[int, int | None]]:
    for row in connection.exec_driver_sql(_KNOWN_ELSEWHERE).all():
        if _is_same_file(row.path, row.other):
            yield row.place, row.file_id
    rows = connection.exec_driver_sql(_STAGED_TWICE).all()
    for _, group in itertools.groupby(rows, key=lambda row: tuple(row)[3:]):
        first, *others = group
        for other in others:
            if _is_same_file(other.path, first.path):
                yield other.place, other.file_id


def _is_same_file(one: bytes, other: bytes) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
