"""What a scan found, held in a temporary table beside the catalog, and compared with it in SQL.

Memory stays flat however large the folders are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.engine import Connection

from mobisearch.imaging.formats import READ_EXTENSIONS, UNSUPPORTED_EXTENSIONS, extension_of
from mobisearch.store.catalog.doubles import drop_doubles
from mobisearch.store.catalog.rows import StagedFile, path_range
from mobisearch.types import FileStamp

_ROWS_PER_INSERT = 5_000
_ROWS_PER_PAGE = 1_000

_TABLES = """
CREATE TEMP TABLE IF NOT EXISTS staged (
    place INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    root_id INTEGER,
    size_bytes INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode TEXT,
    supported INTEGER NOT NULL,
    file_id INTEGER,
    same INTEGER NOT NULL DEFAULT 0
);
CREATE TEMP TABLE IF NOT EXISTS vanished (
    file_id INTEGER PRIMARY KEY,
    path BLOB NOT NULL
);
CREATE TEMP TABLE IF NOT EXISTS kept (
    low BLOB NOT NULL,
    high BLOB NOT NULL
);
DELETE FROM staged;
DELETE FROM vanished;
DELETE FROM kept;
"""

_COMPARE = """
UPDATE staged SET
    file_id = file.file_id,
    same = :trusted AND file.racy = 0
        AND file.size_bytes = staged.size_bytes
        AND file.mtime_ns = staged.mtime_ns
        AND file.ctime_ns = staged.ctime_ns
FROM file WHERE file.path = staged.path
"""

_RETURNED = """
UPDATE file SET state = 'ok' WHERE state = 'missing' AND file_id IN
    (SELECT file_id FROM staged WHERE same)
"""

_VANISHED_BELOW = """
INSERT OR IGNORE INTO vanished (file_id, path)
SELECT file_id, path FROM file
WHERE file.path >= ? AND file.path < ? AND file.state != 'missing'
    AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.path = file.path)
"""

_PAGE = """
SELECT staged.place, staged.path, staged.file_id, staged.root_id, content.sha256, file.state
FROM staged
    LEFT JOIN file ON file.file_id = staged.file_id
    LEFT JOIN content ON content.content_id = file.content_id
WHERE NOT staged.same AND staged.supported = ? AND staged.place > ?
ORDER BY staged.place LIMIT ?
"""

_MARK_VANISHED = (  # those that are still at their path: they did not move meanwhile
    "DELETE FROM file WHERE state = 'error' AND content_id IS NULL"
    " AND (file_id, path) IN (SELECT file_id, path FROM vanished)",
    "UPDATE file SET state = 'missing', error_code = NULL, error_reason = NULL"
    " WHERE (file_id, path) IN (SELECT file_id, path FROM vanished)",
)

_MISSING_BELOW = """
SELECT path FROM vanished WHERE path >= :low AND path < :high
UNION
SELECT path FROM file WHERE state = 'missing' AND path >= :low AND path < :high
"""

_PRUNE = """
DELETE FROM file WHERE state = 'missing' AND path >= ? AND path < ?
    AND NOT EXISTS (SELECT 1 FROM kept WHERE file.path >= kept.low AND file.path < kept.high)
"""


@dataclass(frozen=True, slots=True)
class StagedCounts:
    """How the scanned files compare with the catalog.

    Attributes:
        doubles: names of files that are in the index, or among the scanned, under another name.
        unchanged: images that need not be read.
        returned: images that had been missing and need not be read.
        known_failures: files that failed before and have not changed.
        to_read: files that have to be read.
        unsupported: files of formats that are not read, not recorded yet.
    """

    doubles: int
    unchanged: int
    returned: int
    known_failures: int
    to_read: int
    unsupported: int


class Staging:
    """The temporary tables of one sync."""

    def __init__(
        self, transaction: Callable[[], contextlib.AbstractContextManager[Connection]]
    ) -> None:
        self._transaction = transaction

    def begin(self) -> None:
        """Start with empty tables."""
        with self._transaction() as connection:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.exec_driver_sql(statement)

    def put(self, files: Iterable[tuple[str, FileStamp, bool]]) -> int:
        """Add scanned files (path, stamp, whether the format is read); return how many are new.

        A file that was scanned already, through another root, stays as it was.
        """
        statement = (
            "INSERT OR IGNORE INTO staged "
            "(path, size_bytes, mtime_ns, ctime_ns, inode, supported) VALUES (?, ?, ?, ?, ?, ?)"
        )
        n_staged = 0
        remaining = iter(files)
        while rows := [
            (
                os.fsencode(path),
                stamp.size_bytes,
                stamp.mtime_ns,
                stamp.ctime_ns,
                stamp.inode,
                int(is_supported),
            )
            for path, stamp, is_supported in islice(remaining, _ROWS_PER_INSERT)
        ]:
            with self._transaction() as connection:
                n_staged += connection.exec_driver_sql(statement, rows).rowcount
        return n_staged

    def assign_root(self, root_id: int, bounds: tuple[bytes, bytes]) -> None:
        """Note the root of all scanned files in a path range."""
        with self._transaction() as connection:
            statement = "UPDATE staged SET root_id = ? WHERE path >= ? AND path < ?"
            connection.exec_driver_sql(statement, (root_id, *bounds))

    def count_below(self, bounds: tuple[bytes, bytes]) -> int:
        """Count scanned files in a path range."""
        with self._transaction() as connection:
            statement = "SELECT count(*) FROM staged WHERE path >= ? AND path < ?"
            return int(connection.exec_driver_sql(statement, bounds).scalar_one())

    def compare(self, *, rehash: bool = False) -> StagedCounts:
        """Find out what is new or changed. Missing files that are back become visible at once.

        Args:
            rehash: let nothing count as unchanged, whatever the stamps say.
        """
        with self._transaction() as connection:
            connection.exec_driver_sql(_COMPARE, {"trusted": int(not rehash)})
            returned = connection.exec_driver_sql(_RETURNED).rowcount
            doubles = drop_doubles(connection)  # now that all that is there is visible
            row = connection.exec_driver_sql(
                "SELECT count(*) FILTER (WHERE same AND file.state = 'ok'),"
                " count(*) FILTER (WHERE same AND file.state = 'error'),"
                " count(*) FILTER (WHERE NOT same AND supported),"
                " count(*) FILTER (WHERE NOT same AND NOT supported)"
                " FROM staged LEFT JOIN file USING (file_id)"
            ).one()
            if returned or doubles:
                connection.exec_driver_sql(
                    "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
                )
        unchanged, known_failures, to_read, unsupported = row
        return StagedCounts(
            doubles, unchanged - returned, returned, known_failures, to_read, unsupported
        )

    def find_vanished(self, ranges: Iterable[tuple[bytes, bytes]], *, gaps: Iterable[str]) -> None:
        """Find catalogued files in path ranges that the scan did not see.

        A file that was added by name has not vanished as long as it is there: no scan need see it.
        One that never was an image, and has no name of one, counts as vanished all the same.

        Args:
            gaps: paths that the scan could not look at, or into; nothing there has vanished.
        """
        with self._transaction() as connection:
            for bounds in ranges:
                connection.exec_driver_sql(_VANISHED_BELOW, bounds)
            by_name = connection.exec_driver_sql(
                "SELECT file_id, path, content_id FROM file JOIN vanished USING (file_id, path)"
                " WHERE root_id IS NULL"
            )
            there = [
                (row.file_id,)
                for row in by_name
                if (row.content_id is not None or _is_named_as_image(row.path))
                and os.path.exists(row.path)
            ]
            if there:
                connection.exec_driver_sql("DELETE FROM vanished WHERE file_id = ?", there)
            for gap in gaps:
                hidden = "DELETE FROM vanished WHERE path = ? OR path >= ? AND path < ?"
                connection.exec_driver_sql(hidden, (os.fsencode(gap), *path_range(gap)))

    def iter_changed(self, *, supported: bool) -> Iterator[StagedFile]:
        """Give each new or changed file, in the order of the scan, a page at a time."""
        place = 0
        while True:
            with self._transaction() as connection:
                rows = connection.exec_driver_sql(
                    _PAGE, (int(supported), place, _ROWS_PER_PAGE)
                ).all()
            if not rows:
                return
            for row in rows:
                sha256 = row.sha256.hex() if row.sha256 else None
                is_hidden = row.state in ("missing", "error")
                yield StagedFile(os.fsdecode(row.path), row.file_id, sha256, row.root_id, is_hidden)
            place = rows[-1].place

    def iter_missing(self, folder: str) -> Iterator[str]:
        """Give the paths below a folder that are missing, or have vanished."""
        low, high = path_range(folder)
        with self._transaction() as connection:
            rows = connection.exec_driver_sql(_MISSING_BELOW, {"low": low, "high": high}).all()
        for row in rows:
            yield os.fsdecode(row.path)

    def prune(self, connection: Connection, folders: Iterable[str], *, keep: Iterable[str]) -> int:
        """Forget missing files below folders, except below those of ``keep``; return how many."""
        for folder in keep:
            insertion = "INSERT INTO kept (low, high) VALUES (?, ?)"
            connection.exec_driver_sql(insertion, path_range(folder))
        return sum(
            connection.exec_driver_sql(_PRUNE, path_range(folder)).rowcount for folder in folders
        )

    def mark_vanished(self, connection: Connection) -> None:
        """Mark every vanished file that did not move; those that only held an error go."""
        for statement in _MARK_VANISHED:
            connection.exec_driver_sql(statement)


def _is_named_as_image(path: bytes) -> bool:
    """Say whether a scan would take a file, were it not for its settings."""
    extension = extension_of(os.fsdecode(path))
    return extension in READ_EXTENSIONS or extension in UNSUPPORTED_EXTENSIONS
