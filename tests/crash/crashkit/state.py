"""What a catalog holds, read by plain SQL and not by the code under test."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

CATALOG = "mobisearch.db"

State = dict[str, Any]
"""A catalog at one commit: ``generation``, ``files``, ``vectors``, the files of them, and so on."""


_LOOKS = (
    "SELECT hex(sha256), vec, jpeg FROM content LEFT JOIN look USING (content_id)"
    " LEFT JOIN thumbnail USING (content_id) WHERE vec IS NOT NULL OR jpeg IS NOT NULL"
    " ORDER BY sha256"
)
_RELATIONS = "SELECT first_id, second_id, verdict, facts FROM relation ORDER BY 1, 2"


_NORMS = (
    "SELECT hex(sha256), value FROM norm JOIN vector USING (vector_id)"
    " JOIN content USING (content_id) ORDER BY sha256"
)
_LABELS = (
    "SELECT hex(content.sha256), classifier.name, place, category, probability FROM label"
    " JOIN content USING (content_id) JOIN classifier USING (classifier_id) ORDER BY 1, 2, 3"
)
_IN_USE = "SELECT fingerprint FROM model JOIN meta ON key = 'active_model' AND value = model_id"
_BESIDE = (
    "SELECT model.name, hex(content.sha256), vec, norm FROM beside_vector"
    " JOIN model USING (model_id) JOIN content USING (content_id) ORDER BY 1, 2"
)


def _sha256(value: bytes | None) -> str:
    return hashlib.sha256(value).hexdigest() if value is not None else "none"


def read_state(connection: sqlite3.Connection) -> State:
    """Return all of a catalog that may not depend on when, or how often, something was tried."""

    def rows(statement: str) -> list[Any]:
        return [list(row) for row in connection.execute(statement)]

    generation = rows("SELECT value FROM meta WHERE key = 'generation'")
    files = rows(
        "SELECT path, state, hex(sha256), error_code FROM file LEFT JOIN content USING (content_id)"
        " ORDER BY path"
    )
    vectors = rows(
        "SELECT hex(sha256), vector_id, vec FROM vector JOIN content USING (content_id)"
        " ORDER BY sha256"
    )
    there = {row[0] for row in rows("SELECT name FROM sqlite_master")}
    looks = rows(_LOOKS) if "look" in there else []
    return {
        "version": rows("PRAGMA user_version")[0][0],
        "generation": int(generation[0][0]) if generation else None,
        "roots": [os.fsdecode(row[0]) for row in rows("SELECT path FROM root ORDER BY path")],
        "files": [[os.fsdecode(path), *rest] for path, *rest in files],
        "vectors": [[sha, number, hashlib.sha256(vec).hexdigest()] for sha, number, vec in vectors],
        "segments": rows("SELECT first_id, last_id, n FROM segment ORDER BY first_id"),
        "structures": rows("SELECT first_id, last_id, n, recall FROM structure")
        if "structure" in there
        else [],
        "looks": [[sha, *map(_sha256, blobs)] for sha, *blobs in looks],
        "relations": rows(_RELATIONS) if "relation" in there else [],
        "norms": rows(_NORMS) if "norm" in there else [],
        "labels": rows(_LABELS) if "label" in there else [],
        "models": rows("SELECT name FROM model ORDER BY model_id"),
        "in_use": next(iter(rows(_IN_USE)), [None])[0],
        "beside": [
            [name, sha, _sha256(vec), norm]
            for name, sha, vec, norm in (rows(_BESIDE) if "beside_vector" in there else [])
        ],
        "tombstones": rows("SELECT vector_id FROM tombstone ORDER BY vector_id"),
    }


def open_plainly(index: Path, options: str = "", *, name: str = CATALOG) -> sqlite3.Connection:
    """Open a catalog read-only, without the code under test."""
    return sqlite3.connect(f"{(index / name).as_uri()}?mode=ro{options}", uri=True)


def digest(state: State | None) -> str:
    """Return a short name for a state; None is that of no index at all."""
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


def lasting(state: State | None) -> Any:
    """Return what must be the same in the end, however often it was interrupted."""
    if state is None:
        return None
    return {
        "version": state["version"],
        "roots": state["roots"],
        "files": state["files"],
        "vectors": [[sha, vec] for sha, _, vec in state["vectors"]],
        "looks": state["looks"],
        "relations": state["relations"],
        "norms": state["norms"],
        "labels": state["labels"],
        "models": state["models"],
        "in_use": state["in_use"],
        "beside": state["beside"],
    }


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Return time stamp and content of every file below a folder."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
