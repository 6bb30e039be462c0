"""Copying a whole catalog while it is in use."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mobisearch.errors import IndexDamagedError
from mobisearch.store.catalog.connection import mapped_sqlite_errors, quoted, reader_engine


def copy_catalog(path: Path, target: Path) -> None:
    """Copy a catalog as its newest commit has it, and check the copy. Writers may go on meanwhile.

    Args:
        target: a file that does not exist; it is not flushed to the disk.

    Raises:
        IndexDamagedError: the catalog, or its copy, is damaged.
        StorageError, IndexReadOnlyError: the copy cannot be written.
    """
    engine = reader_engine(path)
    try:
        with (
            mapped_sqlite_errors(path.parent),
            contextlib.closing(engine.raw_connection()) as connection,
        ):
            driver = connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA query_only=OFF")  # the file stays opened for reading only
            driver.execute("VACUUM INTO ?", (f"file:{quoted(target)}?mode=rwc",))
    finally:
        engine.dispose()
    check_structure(target)


def check_structure(path: Path) -> None:
    """Let SQLite check all pages of a catalog, indexes left out.

    Raises:
        IndexDamagedError: they are not sound.
    """
    engine = reader_engine(path)
    try:
        with mapped_sqlite_errors(path.parent), engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    finally:
        engine.dispose()
    if found != "ok":
        raise IndexDamagedError(path, f"the catalog is damaged ({found})")
