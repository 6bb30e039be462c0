"""Reading what can be read of a damaged catalog, into a new one. The damaged one is left as it is.

SQLite stops at the first bad page; here each table is read on behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Table, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError, IntegrityError

from mobisearch.errors import IndexDamagedError
from mobisearch.store.catalog import label_tables, schema
from mobisearch.store.catalog.checks import mend_breaches
from mobisearch.store.catalog.connection import (
    create_catalog,
    mapped_sqlite_errors,
    reader_engine,
)

_ROWS_PER_READ = 256
_LAST_ROW = 2**62
_TABLES = (
    *(schema.meta, schema.model, schema.root, schema.content, schema.vector, schema.file),
    *(
        schema.beside_vector,
        label_tables.norm,
        schema.decision,
        schema.decision_member,
        schema.action,
    ),
)
"""Those with what must not be lost, each after those that it points to."""


@dataclass(slots=True)
class SalvagedRows:
    """What was saved: rows by table; and which tables have gaps, so that rows may be lost."""

    saved: dict[str, int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)


def salvage_catalog(path: Path, target: Path) -> SalvagedRows:
    """Write what can be read of a catalog into a new one.

    Args:
        target: a file that does not exist.

    Raises:
        IndexFormatError, IndexDamagedError: nothing can be read, or not even what the index was
            built with.
        StorageError: the new one cannot be written.
    """
    found = SalvagedRows()
    engine = reader_engine(path)

    def fill(new: Connection) -> None:
        with mapped_sqlite_errors(path.parent), engine.connect() as old:
            for table in _TABLES:
                rows = _readable_rows(old, table, found)
                found.saved[table.name] = _insert_fitting(new, table, rows)
        if not found.saved["model"] or not found.saved["meta"]:
            raise IndexDamagedError(
                path, "the catalog is too damaged to be salvaged; restore it from a backup"
            )
        mend_breaches(new, ())

    try:
        create_catalog(target, fill=fill)
    finally:
        engine.dispose()
    return found


def _readable_rows(old: Connection, table: Table, found: SalvagedRows) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns if _has_column(old, table, column.name)]
    if not names:  # a table that the format of this catalog does not have
        return
    listed = ", ".join(f'"{name}"' for name in names)
    statement = f"SELECT rowid, {listed} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608
    last, wanted, leap = -1, _ROWS_PER_READ, 1
    while last < _LAST_ROW:
        try:
            rows: list[Row[Any]] = list(old.exec_driver_sql(statement, (last, wanted)))
        except DatabaseError:
            found.damaged.add(table.name)
            old.rollback()
            if wanted > 1:  # up to the bad page, row by row
                wanted = 1
            else:  # over the bad page, in growing leaps
                last, leap = last + leap, leap * 2
            continue
        if not rows:
            return
        if leap > 1:  # landed behind it: go back for rows that the last leap passed over
            last, leap = last - leap // 4, 1
            rows = _first_readable(old, statement, last, rows)
        for row in rows:
            yield dict(zip(names, tuple(row)[1:], strict=True))
        last = rows[-1][0]
        wanted = min(2 * wanted, _ROWS_PER_READ)


def _first_readable(
    old: Connection, statement: str, low: int, rows: list[Row[Any]]
) -> list[Row[Any]]:
    """Return the earliest row after ``low`` that can be read, given some that can."""
    high = int(rows[0][0]) - 1
    while low < high:
        middle = (low + high) // 2
        try:
            earlier = list(old.exec_driver_sql(statement, (middle, 1)))
        except DatabaseError:
            old.rollback()
            low = middle + 1
            continue
        rows, high = earlier, middle
    return rows


def _has_column(old: Connection, table: Table, name: str) -> bool:
    listing = old.exec_driver_sql(f"PRAGMA table_info({table.name})")
    return name in {row.name for row in listing}


def _insert_fitting(new: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> int:
    """Insert the rows that the tables' own rules admit, and return how many."""
    n_rows = 0
    for values in rows:
        parent = {
            schema.vector.name: (schema.content, "content_id"),
            schema.beside_vector.name: (schema.content, "content_id"),
            schema.file.name: (schema.content, "content_id"),
            label_tables.norm.name: (schema.vector, "vector_id"),
            schema.decision_member.name: (schema.decision, "decision_id"),
        }.get(table.name)
        if parent is not None and values.get(parent[1]) is not None:
            column = parent[0].c[parent[1]]
            if not new.execute(select(column).where(column == values[parent[1]])).first():
                continue
        try:
            with new.begin_nested():
                new.execute(insert(table), values)
        except IntegrityError:
            continue
        n_rows += 1
    return n_rows
