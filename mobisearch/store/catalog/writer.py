"""Changes to the catalog. One writer at a time; every method is one transaction."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Connection

from mobisearch.errors import IndexDamagedError, StorageError, StoreError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.checks import find_breaches, mend_breaches
from mobisearch.store.catalog.connection import mapped_sqlite_errors, writer_engine
from mobisearch.store.catalog.labels import put_norms
from mobisearch.store.catalog.questions import Catalog
from mobisearch.store.catalog.rows import (
    FileRow,
    ModelRow,
    SegmentRow,
    StructureRow,
    path_range,
)
from mobisearch.store.catalog.staging import Staging
from mobisearch.store.catalog.stored_vectors import RECALL_TARGET, STRUCTURE_NOTE
from mobisearch.store.catalog.upkeep import (
    ACTIVE_MODEL,
    active_model_id,
    next_generation,
    now,
    put_meta,
    remove_orphans,
)
from mobisearch.store.catalog.values import PUT_FILE, content_values, file_values, model_values

_CLOSING_WAIT_MS = 500
_LAST_ID = 2**63 - 1


def fill_new_catalog(connection: Connection, model: ModelRow, *, uuid: str) -> None:
    """Write the first rows of a new catalog."""
    facts = {"uuid": uuid, "created_at": now(), "generation": "0", ACTIVE_MODEL: "1"}
    connection.execute(
        insert(schema.meta), [{"key": key, "value": value} for key, value in facts.items()]
    )
    connection.execute(
        insert(schema.model),
        {"model_id": 1, **model_values(model)},
    )


class CatalogWriter(Catalog):
    """The one connection that may change the catalog."""

    def __init__(self, directory: Path, connection: Connection) -> None:
        super().__init__(directory)
        self._connection = connection
        self.staging = Staging(self._transaction)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with mapped_sqlite_errors(self._directory), self._connection.begin():
            yield self._connection

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._transaction() as connection:
            yield connection

    def close(self) -> None:
        """Close, after folding the write-ahead log into the database, so that it is one file.

        Readers in the middle of a question are waited for only shortly: what they keep from being
        folded stays in the log, which is as safe, until the next writer closes.
        """
        driver = self._connection.connection.driver_connection
        assert driver is not None
        with contextlib.suppress(StoreError), mapped_sqlite_errors(self._directory):
            driver.execute(f"PRAGMA busy_timeout={_CLOSING_WAIT_MS}")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # must be outside a transaction
        self._connection.close()
        self._connection.engine.dispose()

    def put_root(self, path: str, *, scan: str) -> int:
        """Remember a root with the settings of its scan, as JSON, and return its id.

        A folder inside a known root needs no row of its own: the id is that of the root around it.
        Known roots inside the new one become part of it.
        """
        root, name = schema.root, os.fsencode(path)
        low, high = path_range(path)
        with self._transaction() as connection:
            for row in connection.execute(select(root)).all():
                outer, _ = path_range(os.fsdecode(row.path))
                if row.path == name:
                    is_it = root.c.root_id == row.root_id
                    connection.execute(update(root).where(is_it).values(scan=scan))
                if row.path == name or name.startswith(outer):
                    return int(row.root_id)
            connection.execute(insert(root).values(path=name, scan=scan))
            wanted = select(root.c.root_id).where(root.c.path == name)
            root_id = int(connection.execute(wanted).scalar_one())
            inner = select(root.c.root_id).where(root.c.path >= low, root.c.path < high)
            is_inner = schema.file.c.root_id.in_(inner)
            connection.execute(update(schema.file).where(is_inner).values(root_id=root_id))
            connection.execute(delete(root).where(root.c.path >= low, root.c.path < high))
            return root_id

    def finish_root(self, path: str) -> None:
        """Note that a root was scanned completely; nothing happens for a part of a root."""
        with self._transaction() as connection:
            statement = update(schema.root).where(schema.root.c.path == os.fsencode(path))
            connection.execute(statement.values(scanned_at=now()))

    def put_files(self, rows: Sequence[FileRow]) -> None:
        """Store files with their contents, embeddings and failures: all of them or none."""
        if not rows:
            return
        with self._id_space(len(rows)), self._transaction() as connection:
            content_ids = self._put_contents(connection, rows)
            moved = [row for row in rows if row.moved_from is not None]
            for row in moved:
                target = schema.file.c.file_id == row.moved_from
                values = file_values(row, content_ids)
                connection.execute(update(schema.file).where(target).values(values))
            others = [file_values(row, content_ids) for row in rows if row.moved_from is None]
            if others:
                connection.execute(PUT_FILE, others)
            next_generation(connection)

    @contextlib.contextmanager
    def _id_space(self, n_rows: int) -> Iterator[None]:
        """Tell the end of the ids from a full disk, for which SQLite has one and the same error."""
        try:
            yield
        except StorageError as error:
            driver = self._connection.connection.driver_connection
            assert driver is not None
            (last_id,) = driver.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
            if (last_id or 0) > _LAST_ID - n_rows:
                raise StorageError(
                    self._directory, "the id space is exhausted; make a new index"
                ) from error
            raise

    def _put_contents(self, connection: Connection, rows: Sequence[FileRow]) -> dict[bytes, int]:
        """Store contents and embeddings that are new; return the ids of all contents in rows."""
        new = {row.sha256: row for row in rows if row.sha256 and row.facts is not None}
        if new:
            contents = [content_values(row) for row in new.values()]
            connection.execute(upsert(schema.content).on_conflict_do_nothing(), contents)
        wanted = sorted({bytes.fromhex(row.sha256) for row in rows if row.sha256})
        content = schema.content.c
        found = connection.execute(
            select(content.sha256, content.content_id).where(content.sha256.in_(wanted))
        )
        ids: dict[bytes, int] = {row.sha256: row.content_id for row in found}
        model_id = active_model_id(connection)
        vectors = [
            {
                "content_id": ids[bytes.fromhex(sha256)],
                "model_id": model_id,
                "vec": row.embedding.astype("<f4").tobytes(),
            }
            for sha256, row in new.items()
            if sha256 and row.embedding is not None
        ]
        if vectors:
            connection.execute(upsert(schema.vector).on_conflict_do_nothing(), vectors)
            put_norms(connection, [(ids[bytes.fromhex(s)], r.norm) for s, r in new.items() if s])
        return ids

    def remove_files(self, paths: Sequence[str]) -> int:
        """Forget files, all files below folders, and roots; return how many files were known.

        The files themselves are not touched.
        """
        n_removed = 0
        with self._transaction() as connection:
            for path in paths:
                low, high = path_range(path)
                for table in (schema.file, schema.root):
                    column = table.c.path
                    is_meant = (column == os.fsencode(path)) | ((column >= low) & (column < high))
                    n_rows = connection.execute(delete(table).where(is_meant)).rowcount
                    n_removed += n_rows if table is schema.file else 0
            remove_orphans(connection)
            next_generation(connection)
        return n_removed

    def settle_missing(self, *, prune: Sequence[str] = (), keep: Sequence[str] = ()) -> int:
        """Mark what vanished as missing, and forget contents that no file has any more.

        Args:
            prune: folders below which missing files are forgotten instead.
            keep: folders inside those below which they are kept all the same.

        Returns:
            How many files were forgotten.
        """
        with self._transaction() as connection:
            self.staging.mark_vanished(connection)
            n_pruned = self.staging.prune(connection, prune, keep=keep)
            remove_orphans(connection)
            next_generation(connection)
        return n_pruned

    def mend(
        self, bad_vectors: Sequence[int], bad_beside: Sequence[int] = ()
    ) -> tuple[list[str], list[str]]:
        """Put right what is damaged and can be; see :mod:`mobisearch.store.catalog.checks`.

        Returns:
            What was done, a line each; and the paths of files that have to be read again.

        Raises:
            IndexDamagedError: the database itself is broken.
        """
        file = schema.file.c
        with self._transaction() as connection:
            mended = mend_breaches(connection, bad_vectors, bad_beside)
            remove_orphans(connection)
            next_generation(connection)
            left = find_breaches(connection)
            if left:
                raise IndexDamagedError(
                    self._directory,
                    f"the catalog is damaged beyond repair in place ({left[0]}); save what can be "
                    "read with: mobisearch salvage DIR",
                )
            is_known = select(schema.vector.c.content_id)
            wanted = select(file.path).where(file.state == "missing", file.racy == 1)
            lost = wanted.where(or_(file.content_id.is_(None), file.content_id.not_in(is_known)))
            paths = [os.fsdecode(path) for path in connection.execute(lost).scalars()]
        return mended, paths

    def replace_segments(self, old: Sequence[str], new: SegmentRow | None) -> None:
        """List a new segment file in place of old ones, by name.

        Tombstones inside the old ones go: the new one was written without those vectors.
        """
        segment, tombstone = schema.segment, schema.tombstone.c.vector_id
        with self._transaction() as connection:
            is_old = segment.c.name.in_(list(old))
            is_inside = tombstone.between(segment.c.first_id, segment.c.last_id)
            covered = select(1).where(is_old, is_inside).exists()
            connection.execute(delete(schema.tombstone).where(covered))
            connection.execute(delete(segment).where(is_old))
            if new is not None:
                connection.execute(
                    insert(segment).values(
                        name=new.name,
                        first_id=new.first_id,
                        last_id=new.last_id,
                        n=new.n,
                        size_bytes=new.size_bytes,
                        sha256=new.sha256,
                    )
                )
            next_generation(connection)

    def replace_structure(self, new: StructureRow | None, *, note: str | None = None) -> None:
        """List a new file for approximate search in place of the old one, or none.

        Args:
            note: why there is none, for :meth:`structure_note`.
        """
        with self._transaction() as connection:
            connection.execute(delete(schema.structure))
            if new is not None:
                connection.execute(insert(schema.structure).values(**dataclasses.asdict(new)))
            put_meta(connection, STRUCTURE_NOTE, note)
            next_generation(connection)

    def put_recall_target(self, recall: float) -> None:
        """Remember which share of the true best ten approximate search is to find."""
        with self._transaction() as connection:
            put_meta(connection, RECALL_TARGET, repr(recall))
            next_generation(connection)


def open_writer(path: Path, *, journal: str = "WAL") -> CatalogWriter:
    """Open the catalog for reading and writing. Only the holder of the writer lock may.

    Args:
        journal: as in :func:`writer_engine`.

    Raises:
        IndexFormatError, IndexDamagedError: it is not a sound catalog of this version.
        IndexReadOnlyError: it cannot be written.
    """
    engine = writer_engine(path, journal=journal)
    with mapped_sqlite_errors(path.parent):
        return CatalogWriter(path.parent, engine.connect())
