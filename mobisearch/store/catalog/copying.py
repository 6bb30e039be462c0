"""Copying a whole catalog while it is in use, and telling one catalog from another."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import cast

from sqlalchemy import delete, select, update

from mobisearch.errors import IndexDamagedError, StoreError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.connection import (
    mapped_sqlite_errors,
    quoted,
    reader_engine,
    writer_engine,
)


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


def set_uuid(path: Path, uuid: str) -> None:
    """Give a copy that nobody has open an identity of its own; it has no structure, as no file."""
    engine = writer_engine(path, journal="DELETE")
    with mapped_sqlite_errors(path.parent), engine.begin() as connection:
        is_uuid = schema.meta.c.key == "uuid"
        connection.execute(update(schema.meta).where(is_uuid).values(value=uuid))
        connection.execute(delete(schema.structure))
    engine.dispose()


def check_log(path: Path) -> None:
    """Refuse a write-ahead log that belongs to another catalog: SQLite would take it for its own.

    Raises:
        IndexDamagedError: it does.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or not log.stat().st_size:
        return
    own, logged = (_read_uuid(path, is_immutable=flag) for flag in (True, False))
    if own and logged and own != logged:
        raise IndexDamagedError(
            path,
            f"{log.name} belongs to another index; nothing was changed. Move that file away, if "
            "this catalog came here without a log of its own",
        )


def _read_uuid(path: Path, *, is_immutable: bool) -> str | None:
    """Return the identity of a catalog, from the database alone or with its log; None: unknown."""
    engine = reader_engine(path, is_immutable=is_immutable)
    statement = select(schema.meta.c.value).where(schema.meta.c.key == "uuid")
    try:
        with mapped_sqlite_errors(path.parent), engine.connect() as connection:
            return cast("str | None", connection.execute(statement).scalar_one_or_none())
    except StoreError:  # a page in the middle of being written, or damage, which others will find
        return None
    finally:
        engine.dispose()


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
