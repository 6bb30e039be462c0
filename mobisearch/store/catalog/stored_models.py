"""The models of a catalog: the one in use, and those whose embeddings are kept beside it.

The rows of ``vector`` are of the model in use, so that whatever searches, compares or checks them
need not ask of which model they are. Another model gets into use by an exchange of all rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from mobisearch.errors import IndexDamagedError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.rows import ModelRow
from mobisearch.store.catalog.upkeep import (
    ACTIVE_MODEL,
    active_model_id,
    next_generation,
    put_meta,
)
from mobisearch.store.catalog.values import model_values

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_MADE_OF_VECTORS = ("copies_note", "structure_note")
"""Keys in ``meta`` of what holds for one model only."""

_IS_VISIBLE = (
    "EXISTS (SELECT 1 FROM file WHERE file.content_id = content.content_id AND file.state = 'ok')"
)
_LACKS = (
    "NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.model_id = :model_id"
    " AND {table}.content_id = content.content_id)"
)
_COUNT_VISIBLE = f"SELECT count(*) FROM content WHERE {_IS_VISIBLE}"  # noqa: S608 - all ours
_COUNT_LACKING = f"{_COUNT_VISIBLE} AND {_LACKS}"
_PENDING = (
    f"SELECT content_id, sha256 FROM content WHERE content_id > :after AND {_IS_VISIBLE}"  # noqa: S608
    f" AND {_LACKS} ORDER BY content_id LIMIT :n"
)
_EXCHANGE = (
    "INSERT OR REPLACE INTO beside_vector (model_id, content_id, vec, norm)"
    " SELECT vector.model_id, vector.content_id, vector.vec, norm.value"
    " FROM vector LEFT JOIN norm USING (vector_id)",
    "DELETE FROM norm",
    "DELETE FROM vector",
    "DELETE FROM segment",
    "DELETE FROM structure",
    "DELETE FROM tombstone",
    "INSERT INTO vector (content_id, model_id, vec) SELECT content_id, model_id, vec"
    " FROM beside_vector WHERE model_id = :model_id ORDER BY content_id",
    "INSERT INTO norm (vector_id, value) SELECT vector.vector_id, beside_vector.norm"
    " FROM vector JOIN beside_vector USING (model_id, content_id)"
    " WHERE beside_vector.norm IS NOT NULL",
    "DELETE FROM beside_vector WHERE model_id = :model_id",
    # As a mend does: they are read again when they are next seen.
    "UPDATE file SET racy = 1, state = CASE state WHEN 'ok' THEN 'missing' ELSE state END"
    " WHERE state IN ('ok', 'missing') AND content_id IS NOT NULL"
    " AND content_id NOT IN (SELECT content_id FROM vector)",
)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model of a catalog.

    Attributes:
        is_active: it is the one in use.
        embedded: contents that have an embedding by it.
        lacking: contents of images that searches can return, and that have none.
    """

    id: int
    row: ModelRow
    is_active: bool
    embedded: int
    lacking: int


class StoredModels:
    """The models of a catalog. Only a writer may add to them."""

    def __init__(self, connect: _Connect, location: str) -> None:
        self._connect = connect
        self._location = location

    def active(self) -> ModelRow:
        """Return the model in use.

        Raises:
            IndexDamagedError: the catalog names none, or its row is damaged.
        """
        with self._connect() as connection:
            model_id = active_model_id(connection)
            return self._row(connection, model_id)

    def find(self, fingerprint: str) -> int | None:
        """Return the id of a model, or None if the catalog does not have it."""
        model = schema.model.c
        with self._connect() as connection:
            wanted = select(model.model_id).where(model.fingerprint == fingerprint)
            found = connection.execute(wanted).scalar_one_or_none()
        return None if found is None else int(found)

    def names_beside(self) -> tuple[str, ...]:
        """Return the names of the models beside the one in use, the oldest first."""
        model = schema.model.c
        with self._connect() as connection:
            is_beside = model.model_id != active_model_id(connection)
            wanted = select(model.name).where(is_beside).order_by(model.model_id)
            return tuple(connection.execute(wanted).scalars())

    def all(self) -> list[StoredModel]:
        """Return all models, the oldest first."""
        with self._connect() as connection:
            active = active_model_id(connection)
            wanted = select(schema.model.c.model_id).order_by(schema.model.c.model_id)
            return [
                self._stored(connection, int(model_id), is_active=model_id == active)
                for model_id in connection.execute(wanted).scalars().all()
            ]

    def _stored(self, connection: Connection, model_id: int, *, is_active: bool) -> StoredModel:
        table = _table_of(is_active=is_active)
        count = f"SELECT count(*) FROM {table} WHERE model_id = ?"  # noqa: S608 - ours
        lacking = _COUNT_LACKING.format(table=table)
        return StoredModel(
            model_id,
            self._row(connection, model_id),
            is_active,
            int(connection.exec_driver_sql(count, (model_id,)).scalar_one()),
            int(connection.exec_driver_sql(lacking, {"model_id": model_id}).scalar_one()),
        )

    def _row(self, connection: Connection, model_id: int) -> ModelRow:
        wanted = select(schema.model).where(schema.model.c.model_id == model_id)
        row = connection.execute(wanted).one_or_none()
        if row is None:
            raise IndexDamagedError(self._location, "the catalog names no model")
        is_sound = isinstance(row.dim, int) and isinstance(row.probe, bytes)
        if not is_sound or len(row.probe) != 4 * row.dim:
            raise IndexDamagedError(self._location, "the catalog's model row is damaged")
        probe = np.frombuffer(row.probe, "<f4")
        return ModelRow(row.name, row.fingerprint, row.label, row.dim, probe)

    def add(self, row: ModelRow) -> int:
        """Add a model, without embeddings, and return its id; that of one that is there already."""
        known = self.find(row.fingerprint)
        if known is not None:
            return known
        with self._connect() as connection:
            made = connection.execute(
                insert(schema.model).values(**model_values(row))
            ).inserted_primary_key
            assert made is not None
            next_generation(connection)
        return int(made[0])

    def pending(self, model_id: int, after: int, n: int) -> list[tuple[int, str]]:
        """Return up to n contents, id and SHA-256, that a model beside has no embedding of.

        Args:
            after: only contents with larger ids, and with images that searches can return.
        """
        values = {"model_id": model_id, "after": after, "n": n}
        with self._connect() as connection:
            statement = _PENDING.format(table="beside_vector")
            rows = connection.exec_driver_sql(statement, values).all()
        return [(row.content_id, row.sha256.hex()) for row in rows]

    def use(self, model_id: int) -> None:
        """Exchange the embeddings of the model in use for those of another, in one transaction.

        Nothing is lost: the others are kept beside. Contents that the new one has no embedding of
        are missing, until they are read again. Files made of the old ones are not listed any more.

        Cost: all embeddings of both models are written.
        """
        with self._connect() as connection:
            if active_model_id(connection) == model_id:
                return
            for statement in _EXCHANGE:
                values = {"model_id": model_id} if ":model_id" in statement else {}
                connection.exec_driver_sql(statement, values)
            put_meta(connection, ACTIVE_MODEL, str(model_id))
            for key in _MADE_OF_VECTORS:
                put_meta(connection, key, None)
            next_generation(connection)

    def drop(self, model_id: int) -> None:
        """Forget a model that is not in use, and its embeddings."""
        with self._connect() as connection:
            for table in (schema.beside_vector, schema.look, schema.model):
                connection.execute(delete(table).where(table.c.model_id == model_id))
            next_generation(connection)


def _table_of(*, is_active: bool) -> str:
    return "vector" if is_active else "beside_vector"
