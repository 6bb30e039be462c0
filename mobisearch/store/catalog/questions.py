"""Questions to the catalog, which its readers and its writer can both ask."""

from __future__ import annotations

import abc
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Executable, bindparam, func, select
from sqlalchemy.engine import Connection

from mobisearch.errors import IndexDamagedError, IndexFormatError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.checks import find_breaches
from mobisearch.store.catalog.rows import ModelRow, SegmentRow, StagedFile, path_range
from mobisearch.types import Embeddings, FileFailure

IDS_PER_QUERY = 500
_ROWS_PER_FETCH = 2048


@dataclass(frozen=True, slots=True)
class VectorListing:
    """What a search needs to know, all of the same generation.

    Attributes:
        hidden: int64, ascending: vectors that no search may return.
    """

    generation: int
    segments: tuple[SegmentRow, ...]
    hidden: NDArray[np.int64]


class Catalog(abc.ABC):
    """A catalog that can be asked; how it is connected is up to the subclass."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def location(self) -> str:
        """The index directory, for messages."""
        return str(self._directory)

    @abc.abstractmethod
    def _connected(self) -> contextlib.AbstractContextManager[Connection]:
        """Give a connection inside a transaction."""

    def _rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> list[Any]:
        with self._connected() as connection:
            return list(connection.execute(statement, values or {}))

    def meta(self) -> dict[str, str]:
        """Return the small facts about the index: uuid, created_at, generation, ..."""
        return {row.key: row.value for row in self._rows(select(schema.meta))}

    def format_version(self) -> int:
        """Return the version of the tables."""
        with self._connected() as connection:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def generation(self) -> int:
        """Return the number that every commit increases."""
        with self._connected() as connection:
            return self._generation(connection)

    def _generation(self, connection: Connection) -> int:
        statement = select(schema.meta.c.value).where(schema.meta.c.key == "generation")
        value = connection.execute(statement).scalar_one_or_none()
        if value is None or not str(value).isdecimal():
            raise IndexDamagedError(self._directory, f"the catalog's generation is {value!r}")
        return int(value)

    def model(self) -> ModelRow:
        """Return the model that the index was built with."""
        rows = self._rows(select(schema.model).order_by(schema.model.c.model_id))
        if not rows:
            raise IndexDamagedError(self._directory, "the catalog names no model")
        row = rows[0]
        if not isinstance(row.dim, int) or len(row.probe) != 4 * row.dim:
            raise IndexDamagedError(self._directory, "the catalog's model row is damaged")
        probe = np.frombuffer(row.probe, "<f4")
        return ModelRow(row.name, row.fingerprint, row.label, row.dim, probe)

    def roots(self) -> dict[str, str | None]:
        """Return each root with the time of its last complete scan."""
        rows = self._rows(select(schema.root).order_by(schema.root.c.path))
        return {os.fsdecode(row.path): row.scanned_at for row in rows}

    def scan_settings(self, folder: str) -> str | None:
        """Return the settings, as JSON, that the root of a folder was last scanned with, if any."""
        name = os.fsencode(folder)
        for row in self._rows(select(schema.root.c.path, schema.root.c.scan)):
            if row.path == name or name.startswith(path_range(os.fsdecode(row.path))[0]):
                return str(row.scan) if row.scan else None
        return None

    def count_states(self) -> dict[str, int]:
        """Count files by state: ``ok``, ``missing``, ``error``."""
        statement = select(schema.file.c.state, func.count()).group_by(schema.file.c.state)
        return {row[0]: row[1] for row in self._rows(statement)}

    def count_below(self, folder: str, *states: str) -> int:
        """Count files below a folder that are in one of these states."""
        low, high = path_range(folder)
        file = schema.file.c
        statement = select(func.count()).where(
            file.path >= low, file.path < high, file.state.in_(states)
        )
        return int(self._rows(statement)[0][0])

    def find_files(self, paths: Sequence[str]) -> dict[str, StagedFile]:
        """Return what the catalog holds of these paths, by path."""
        file, content = schema.file, schema.content
        columns = (file.c.path, file.c.file_id, file.c.root_id, file.c.state, content.c.sha256)
        statement = (
            select(*columns)
            .select_from(file.outerjoin(content))
            .where(file.c.path.in_(bindparam("paths", expanding=True)))
        )
        found: dict[str, StagedFile] = {}
        for start in range(0, len(paths), IDS_PER_QUERY):
            batch = [os.fsencode(path) for path in paths[start : start + IDS_PER_QUERY]]
            for row in self._rows(statement, {"paths": batch}):
                path, sha256 = os.fsdecode(row.path), row.sha256.hex() if row.sha256 else None
                is_hidden = row.state != "ok"
                found[path] = StagedFile(path, row.file_id, sha256, row.root_id, is_hidden)
        return found

    def images_of_content(self, sha256: str) -> list[tuple[int, str]]:
        """Return id and path of each image with this content, missing ones too."""
        file, content = schema.file, schema.content
        statement = (
            select(file.c.file_id, file.c.path)
            .select_from(file.join(content))
            .where(content.c.sha256 == bytes.fromhex(sha256))
            .order_by(file.c.file_id)
        )
        return [(row.file_id, os.fsdecode(row.path)) for row in self._rows(statement)]

    def count_contents(self) -> int:
        """Count different contents among the images that searches can return."""
        statement = select(func.count(schema.file.c.content_id.distinct())).where(
            schema.file.c.state == "ok"
        )
        return int(self._rows(statement)[0][0])

    def count_vectors(self) -> int:
        """Count all stored embeddings, those of missing images included."""
        return int(self._rows(select(func.count()).select_from(schema.vector))[0][0])

    def failures(self) -> list[FileFailure]:
        """Return every file that could not be indexed, ordered by path."""
        file = schema.file.c
        statement = select(file.path, file.error_code, file.error_reason).where(
            file.state == "error"
        )
        return [
            FileFailure(os.fsdecode(row.path), row.error_code, row.error_reason)
            for row in self._rows(statement.order_by(file.path))
        ]

    def known_sha256(self) -> set[str]:
        """Return the SHA-256, hexadecimal, of every content that has an embedding."""
        joined = schema.content.join(schema.vector)
        rows = self._rows(select(schema.content.c.sha256).select_from(joined))
        return {row.sha256.hex() for row in rows}

    def vector_listing(self) -> VectorListing:
        """Return what is needed to load all vectors, in one consistent view."""
        file, vector = schema.file.c, schema.vector.c
        is_visible = select(1).where(file.content_id == vector.content_id, file.state == "ok")
        with self._connected() as connection:
            generation = self._generation(connection)
            rows = connection.execute(select(schema.segment).order_by(schema.segment.c.first_id))
            segments = tuple(
                SegmentRow(r.name, r.first_id, r.last_id, r.n, r.size_bytes, r.sha256) for r in rows
            )
            if not all(segment.is_sound() for segment in segments):
                raise IndexDamagedError(
                    self._directory,
                    "the catalog's list of segments is damaged; mend it with: mobisearch verify "
                    "--repair",
                )
            invisible = connection.execute(select(vector.vector_id).where(~is_visible.exists()))
            dead = connection.execute(select(schema.tombstone.c.vector_id))
            hidden = np.array([*invisible.scalars(), *dead.scalars()], dtype=np.int64)
        return VectorListing(generation, segments, np.sort(hidden))

    def vectors(
        self, first_id: int, last_id: int, *, dim: int, skip_odd: bool = False
    ) -> tuple[NDArray[np.int64], Embeddings]:
        """Return the stored vectors of a range of ids, both ends included.

        Args:
            skip_odd: leave out what has the wrong size, instead of raising IndexDamagedError.

        Returns:
            ids, int64, shape (n,), ascending; rows, float32, shape (n, dim).
        """
        vector = schema.vector.c
        statement = (
            select(vector.vector_id, vector.vec)
            .where(vector.vector_id.between(first_id, last_id))
            .order_by(vector.vector_id)
        )
        if skip_odd:
            is_sound = (func.typeof(vector.vec) == "blob") & (func.length(vector.vec) == 4 * dim)
            statement = statement.where(is_sound)
        ids: list[int] = []
        values = bytearray()
        with self._connected() as connection:
            result = connection.execution_options(yield_per=_ROWS_PER_FETCH).execute(statement)
            for row in result:
                if not isinstance(row.vec, bytes) or len(row.vec) != 4 * dim:
                    message = (
                        f"embedding {row.vector_id} is not of {4 * dim} bytes; see what is wrong "
                        "with: mobisearch verify, and mend it with: mobisearch verify --repair"
                    )
                    raise IndexDamagedError(self._directory, message)
                ids.append(row.vector_id)
                values += row.vec
        rows = np.frombuffer(bytes(values), "<f4").reshape(len(ids), dim)
        return np.array(ids, dtype=np.int64), rows

    def last_of(self, first_id: int, n: int) -> tuple[int, int] | None:
        """Return the last id and the number of the next up to n vectors from an id on, or None."""
        vector_id = schema.vector.c.vector_id
        following = select(vector_id).where(vector_id >= first_id).order_by(vector_id).limit(n)
        ids = following.subquery()
        wanted = select(func.max(ids.c.vector_id), func.count(ids.c.vector_id))
        row = self._rows(wanted)[0]
        return (int(row[0]), int(row[1])) if row[1] else None

    def count_tombstones(self, first_id: int, last_id: int) -> int:
        """Count the dead vectors inside the segment that covers these ids."""
        dead = schema.tombstone.c.vector_id.between(first_id, last_id)
        return int(self._rows(select(func.count()).where(dead))[0][0])

    def find_damage(self) -> list[str]:
        """Let SQLite check its own structure, and check that rows make sense and fit together."""
        with self._connected() as connection:
            return find_breaches(connection)

    def check_schema(self) -> None:
        """Refuse a database that would do more than hold rows: no triggers, no views.

        Raises:
            IndexFormatError: it has some.
        """
        with self._connected() as connection:
            statement = "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')"
            names = [str(row[0]) for row in connection.exec_driver_sql(statement)]
        if names:
            raise IndexFormatError(
                self._directory, f"the catalog holds programs that are not ours: {', '.join(names)}"
            )
