"""Opening SQLite: settings, transactions, checks, and SQLite's errors turned into ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, Pool, QueuePool

from mobisearch.errors import (
    IndexDamagedError,
    IndexFormatError,
    IndexLockedError,
    IndexReadOnlyError,
    MobisearchError,
    StorageError,
)
from mobisearch.store.catalog import schema

BUSY_TIMEOUT_MS = 10_000

_STEP_BYTES = 20_000_000
"""What the catalog can grow by until its log is folded in: the log, 1000 pages of 16 kB, and the
database by as much as is new in it."""

_DAMAGED_CODES = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"})
_READ_ONLY_CODES = frozenset({"SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN"})
_LOCKED_CODES = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})
_STORAGE_CODES = frozenset({"SQLITE_FULL", "SQLITE_IOERR"})


def create_catalog(path: Path, *, fill: Callable[[Connection], None]) -> None:
    """Make a new catalog.

    Args:
        fill: writes the first rows.

    Raises:
        StorageError, IndexReadOnlyError: the system refuses.
    """
    engine = _make_engine(
        f"file:{quoted(path)}?mode=rwc",
        begin="BEGIN IMMEDIATE",
        pragmas=(
            f"page_size={schema.PAGE_SIZE}",
            "journal_mode=DELETE",
            "synchronous=FULL",
            f"application_id={schema.APPLICATION_ID}",
            f"user_version={schema.FORMAT_VERSION}",
        ),
        poolclass=NullPool,
    )
    with mapped_sqlite_errors(path.parent), engine.begin() as connection:
        schema.metadata.create_all(connection)
        fill(connection)


def set_journal(path: Path, journal: str) -> None:
    """Set the journal mode of a catalog that nobody else has open; see :func:`writer_engine`."""
    engine = writer_engine(path, journal=journal)
    with mapped_sqlite_errors(path.parent), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()


def writer_engine(path: Path, *, journal: str = "WAL") -> Engine:
    """Return what opens a catalog for reading and writing, its header checked.

    Args:
        journal: ``WAL``, or ``DELETE`` where several machines share a file system: the log's index
            is shared memory, which they do not have in common.

    Raises:
        IndexFormatError, IndexDamagedError: it is not a sound catalog of this version.
    """
    check_header(path)
    return _make_engine(
        f"file:{quoted(path)}?mode=rw",
        begin="BEGIN IMMEDIATE",
        # EXTRA: a rollback journal counts as gone only when its directory says so
        pragmas=(
            f"journal_mode={journal}",
            f"synchronous={'FULL' if journal == 'WAL' else 'EXTRA'}",
            "foreign_keys=ON",
        ),
        poolclass=NullPool,
    )


def reader_engine(path: Path, *, is_immutable: bool = False) -> Engine:
    """Return what opens a catalog for reading only, its header checked.

    Args:
        is_immutable: read the database file alone, whatever is in its log.

    Raises:
        IndexFormatError, IndexDamagedError: it is not a catalog that this version can read.
        IndexReadOnlyError: it was not closed cleanly and cannot be recovered where it is.
    """
    check_header(path)
    return _make_engine(
        f"file:{quoted(path)}?mode=ro{'&immutable=1' if is_immutable else _immutable(path)}",
        begin="BEGIN",
        pragmas=("query_only=ON",),
        poolclass=QueuePool,
    )


def check_header(path: Path) -> None:
    """Look at the first 100 bytes before SQLite does, so that a foreign file is left untouched.

    Raises:
        IndexFormatError: not a catalog of ours, or one of a newer version.
        IndexDamagedError: cut short.

    Source: https://www.sqlite.org/fileformat.html, section 1.3.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise IndexFormatError(path, "this is not a file, so it is no catalog of mobisearch")
        with open(path, "rb") as file:
            header = file.read(100)
    except OSError as error:
        raise IndexReadOnlyError(path, f"cannot be read: {error.strerror}") from error
    if len(header) < 100:
        raise IndexDamagedError(path, "the catalog is cut short; restore it from a backup")
    application_id = int.from_bytes(header[68:72], "big")
    version = int.from_bytes(header[60:64], "big")
    if not header.startswith(b"SQLite format 3\0") or application_id != schema.APPLICATION_ID:
        raise IndexFormatError(
            path, "this is not a catalog made by mobisearch, or its header is damaged"
        )
    check_version(path, version)


def check_version(path: Path, version: int) -> None:
    """Raise IndexFormatError if a catalog is newer than this program, or of no version at all."""
    if not 1 <= version <= schema.FORMAT_VERSION:
        raise IndexFormatError(
            path,
            f"the index has format {version}, this mobisearch reads formats 1 to "
            f"{schema.FORMAT_VERSION}; use the mobisearch that made it, or upgrade",
        )


@contextlib.contextmanager
def mapped_sqlite_errors(directory: Path) -> Iterator[None]:
    """Turn SQLAlchemy's and SQLite's errors into ours. The one place that does."""
    try:
        yield
    except MobisearchError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(original, "sqlite_errorname", "") or ""
        family = "_".join(code.split("_")[:2])
        text = str(original)
        if family in _DAMAGED_CODES:
            message = (
                f"the catalog is damaged ({text}); restore it from a backup, or save what can be "
                "read with: mobisearch salvage DIR"
            )
            raise IndexDamagedError(directory, message) from error
        if family == "SQLITE_CANTOPEN" and _is_full(directory):
            raise StorageError(directory, f"the disk is full; {_room(directory)}") from error
        if family in _READ_ONLY_CODES:
            message = f"the catalog cannot be opened or written here ({text})"
            raise IndexReadOnlyError(directory, message) from error
        if family in _LOCKED_CODES:
            raise IndexLockedError(directory, text) from error
        if family == "SQLITE_FULL":
            message = f"the disk is full ({text}); {_room(directory)}"
            raise StorageError(directory, message) from error
        if family in _STORAGE_CODES:
            message = f"the disk is full or failing ({text}); what was committed is kept"
            raise StorageError(directory, message) from error
        message = f"the catalog does not have the expected shape ({text})"
        raise IndexDamagedError(directory, message) from error


def _is_full(directory: Path) -> bool:
    try:
        return shutil.disk_usage(directory).free < schema.PAGE_SIZE
    except OSError:
        return False


def _room(directory: Path) -> str:
    """Return a clause about the space on the disk of an index, and how much it takes to go on."""
    try:
        free = f"{shutil.disk_usage(directory).free // 1000:,} kB are free"
    except OSError:
        free = "how much is free is not known"
    return (
        f"{free} where {directory} is, and going on takes up to {_STEP_BYTES // 1000:,} kB; what "
        "was committed is kept: free some space and run the command again"
    )


def _make_engine(
    uri: str, *, begin: str, pragmas: tuple[str, ...], poolclass: type[Pool]
) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "trusted_schema=OFF", "mmap_size=0"):
            connection.execute(f"PRAGMA {pragma}")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=poolclass)

    # The driver leaves transactions to us (isolation_level=None), as SQLAlchemy's documentation of
    # the sqlite dialect advises; a writer takes its lock at once instead of upgrading later.
    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def quoted(path: Path) -> str:
    """Return a path as the URI part that SQLite expects, whatever characters it has."""
    return quote(os.fsencode(os.path.abspath(path)))


def _immutable(path: Path) -> str:
    """Return the URI parameter for a catalog on media where SQLite cannot make its side files."""
    if os.access(path.parent, os.W_OK):
        return ""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        if os.access(Path(f"{path}-shm"), os.R_OK):
            return ""
        raise IndexReadOnlyError(
            path.parent,
            "the index was not closed cleanly and cannot be recovered on read-only media; "
            "open it once where it can be written",
        )
    return "&immutable=1"
