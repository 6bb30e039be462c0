"""Rows as the values of the tables' columns."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.rows import FileRow, ModelRow


def _put_file_statement() -> Insert:
    """Insert a file, or replace all that is known of the file at that path but its id."""
    statement = upsert(schema.file)
    changes = {
        column.name: statement.excluded[column.name]
        for column in schema.file.c
        if column.name not in ("file_id", "path")
    }
    return statement.on_conflict_do_update(index_elements=["path"], set_=changes)


PUT_FILE = _put_file_statement()


def model_values(row: ModelRow) -> Mapping[str, object]:
    """Return the columns of ``model`` but its id."""
    return {
        "name": row.name,
        "fingerprint": row.fingerprint,
        "label": row.label,
        "dim": row.dim,
        "probe": row.probe.astype("<f4").tobytes(),
    }


def content_values(row: FileRow) -> Mapping[str, object]:
    """Return the columns of ``content`` for a row that has facts and a SHA-256."""
    assert row.facts is not None
    assert row.sha256 is not None
    facts = row.facts
    return {
        "sha256": bytes.fromhex(row.sha256),
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "taken_at": facts.taken_at,
        "camera": facts.camera,
        "latitude": facts.latitude,
        "longitude": facts.longitude,
        "truncated": int(facts.is_truncated),
    }


def file_values(row: FileRow, content_ids: Mapping[bytes, int]) -> dict[str, object]:
    """Return the columns of ``file`` for a row; ``content_ids`` is by SHA-256."""
    values: dict[str, object] = {
        "path": os.fsencode(row.path),
        "root_id": row.root_id,
        "size_bytes": row.stamp.size_bytes,
        "mtime_ns": row.stamp.mtime_ns,
        "ctime_ns": row.stamp.ctime_ns,
        "inode": row.stamp.inode,
        "racy": int(row.is_racy),
        "state": "ok",
        "content_id": None,
        "error_code": None,
        "error_reason": None,
    }
    if row.failure is not None:
        values |= {
            "state": "error",
            "error_code": row.failure.code,
            "error_reason": row.failure.reason,
        }
    if row.sha256 is not None:
        values["content_id"] = content_ids[bytes.fromhex(row.sha256)]
    return values
