"""What several changes to the catalog do besides, inside their transaction."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema

ACTIVE_MODEL = "active_model"
"""The key in ``meta`` of the id of the model in use: that of all rows of ``vector``."""

_SAID = """
SELECT model_id FROM model
WHERE model_id = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'active_model')
    AND (EXISTS (SELECT 1 FROM vector WHERE vector.model_id = model.model_id)
        OR NOT EXISTS (SELECT 1 FROM vector))
"""
MODEL_OF_VECTORS = """
SELECT model_id FROM vector WHERE model_id IN (SELECT model_id FROM model)
GROUP BY model_id ORDER BY count(*) DESC LIMIT 1
"""
_FIRST_MODEL = "SELECT min(model_id) FROM model"


def now() -> str:
    """Return the present time as the catalog writes it: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def next_generation(connection: Connection) -> None:
    """Count the commit that this transaction becomes."""
    connection.exec_driver_sql(
        "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
    )


def remove_orphans(connection: Connection) -> None:
    """Drop contents that no file has, and their vectors; those in segments leave a tombstone."""
    file, content, vector = schema.file.c, schema.content.c, schema.vector.c
    is_used = select(1).where(file.content_id == content.content_id)
    unused = select(content.content_id).where(~is_used.exists())
    last_sealed = select(schema.segment.c.last_id).order_by(schema.segment.c.last_id.desc())
    dead = select(vector.vector_id).where(
        vector.content_id.in_(unused), vector.vector_id <= last_sealed.limit(1).scalar_subquery()
    )
    connection.execute(insert(schema.tombstone).from_select(["vector_id"], dead))
    connection.execute(delete(schema.vector).where(vector.content_id.in_(unused)))
    connection.execute(delete(schema.content).where(~is_used.exists()))


def put_meta(connection: Connection, key: str, value: str | None) -> None:
    """Store a small fact about the index, or forget it."""
    meta = schema.meta
    connection.execute(delete(meta).where(meta.c.key == key))
    if value is not None:
        connection.execute(insert(meta).values(key=key, value=value))


def active_model_id(connection: Connection) -> int:
    """Return the id of the model in use.

    Where what the catalog says of it makes no sense, it is the model that most embeddings are by.
    """
    for statement in (_SAID, MODEL_OF_VECTORS, _FIRST_MODEL):
        found = connection.exec_driver_sql(statement).scalar_one_or_none()
        if found:
            return int(found)
    return 0
