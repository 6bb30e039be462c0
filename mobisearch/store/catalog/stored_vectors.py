"""Questions to the catalog about its vectors and the files made of them.

A row of ``vector`` is some kilobytes, so that reading many of them only for their ids is slow: the
questions that need no embedding are asked so that SQLite answers them from its indexes.
"""

from __future__ import annotations

import abc
import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Executable, func, select
from sqlalchemy.engine import Connection

from mobisearch.errors import IndexDamagedError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.rows import SegmentRow, StructureRow
from mobisearch.types import Embeddings

RECALL_TARGET = "recall_target"
STRUCTURE_NOTE = "structure_note"
DEFAULT_RECALL_TARGET = 0.99
_ROWS_PER_FETCH = 2048
_IDS_PER_FETCH = 256
_GENERATION = select(schema.meta.c.value).where(schema.meta.c.key == "generation")
_STRUCTURE = select(schema.structure)
_IS_VISIBLE = (
    "EXISTS (SELECT 1 FROM file WHERE file.content_id = vector.content_id AND file.state = 'ok')"
)
_BY_ID = "SELECT vector_id, vec FROM vector WHERE vector_id IN ({})"
_HIDDEN = f"SELECT vector_id FROM vector WHERE NOT {_IS_VISIBLE}"  # noqa: S608 - both ours
_VISIBLE_AFTER = f"SELECT vector_id FROM vector WHERE vector_id > ? AND {_IS_VISIBLE}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class VectorListing:
    """What a search needs to know, all of the same generation.

    Attributes:
        hidden: int64, ascending: vectors that no search may return.
    """

    generation: int
    segments: tuple[SegmentRow, ...]
    hidden: NDArray[np.int64]


class StoredVectors(abc.ABC):
    """The vectors of a catalog; how it is connected is up to the subclass."""

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

    def generation(self) -> int:
        """Return the number that every commit increases."""
        with self._connected() as connection:
            return self._generation(connection)

    def _generation(self, connection: Connection) -> int:
        value = connection.execute(_GENERATION).scalar_one_or_none()
        if value is None or not str(value).isdecimal():
            raise IndexDamagedError(self._directory, f"the catalog's generation is {value!r}")
        return int(value)

    def count_vectors(self) -> int:
        """Count all stored embeddings, those of missing images included."""
        return int(self._rows(select(func.count()).select_from(schema.vector))[0][0])

    def known_sha256(self) -> set[bytes]:
        """Return the SHA-256, 32 bytes, of every content that has an embedding."""
        joined = schema.content.join(schema.vector)
        with self._connected() as connection:
            found = connection.execute(select(schema.content.c.sha256).select_from(joined))
            return set(found.scalars())

    def embeddings_of(self, sha256s: Sequence[str], *, dim: int) -> dict[str, Embeddings]:
        """Return the embeddings of contents by SHA-256, hexadecimal; float32, shape (dim,) each."""
        found: dict[str, Embeddings] = {}
        content, vector = schema.content, schema.vector
        wanted = select(content.c.sha256, vector.c.vector_id, vector.c.vec).select_from(
            content.join(vector)
        )
        for start in range(0, len(sha256s), _IDS_PER_FETCH):
            some = [bytes.fromhex(text) for text in sha256s[start : start + _IDS_PER_FETCH]]
            for row in self._rows(wanted.where(content.c.sha256.in_(some))):
                self._check_size(row.vector_id, row.vec, dim)
                found[row.sha256.hex()] = np.frombuffer(row.vec, "<f4")
        return found

    def segments(self) -> tuple[SegmentRow, ...]:
        """Return the segment files, by their ranges of ids."""
        with self._connected() as connection:
            return self._segments(connection)

    def _segments(self, connection: Connection) -> tuple[SegmentRow, ...]:
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
        return segments

    def vector_listing(self) -> VectorListing:
        """Return what is needed to load all vectors, in one consistent view."""
        with self._connected() as connection:
            generation = self._generation(connection)
            # Without a range of ids SQLite reads the index on contents, which has no embeddings.
            hidden = list(connection.exec_driver_sql(_HIDDEN).scalars())
            hidden += connection.execute(select(schema.tombstone.c.vector_id)).scalars()
            segments = self._segments(connection)
        return VectorListing(generation, segments, np.sort(np.array(hidden, dtype=np.int64)))

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
                self._check_size(row.vector_id, row.vec, dim)
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

    def structure(self) -> StructureRow | None:
        """Return the file for approximate search, if one is listed that makes sense."""
        rows = self._rows(_STRUCTURE)
        row = StructureRow(**rows[0]._mapping) if len(rows) == 1 else None
        return row if row is not None and row.is_sound() else None

    def structure_names(self) -> set[str]:
        """Return the name of the file for approximate search, whatever else its row says."""
        return {str(row.name) for row in self._rows(select(schema.structure.c.name))}

    def structure_note(self) -> str | None:
        """Return why there is no structure, as whoever tried to make one noted it."""
        return self._meta_value(STRUCTURE_NOTE)

    def recall_target(self) -> float:
        """Return the share of the true best ten that approximate search is to find."""
        try:
            target = float(self._meta_value(RECALL_TARGET) or DEFAULT_RECALL_TARGET)
        except ValueError:
            return DEFAULT_RECALL_TARGET
        return target if 0 < target <= 1 and math.isfinite(target) else DEFAULT_RECALL_TARGET

    def _meta_value(self, key: str) -> str | None:
        rows = self._rows(select(schema.meta.c.value).where(schema.meta.c.key == key))
        return str(rows[0].value) if rows else None

    def vector_ids(self) -> NDArray[np.int64]:
        """Return the ids of all vectors, int64, ascending; no embedding is read."""
        with self._connected() as connection:
            # In no order, so that it comes from the index on contents, which has no embeddings.
            found = connection.exec_driver_sql("SELECT vector_id FROM vector").scalars()
            ids = np.fromiter(found, np.int64)
        return np.sort(ids)

    def count_newer(self, last_id: int) -> int:
        """Count the vectors with larger ids."""
        newer = schema.vector.c.vector_id > last_id
        return int(self._rows(select(func.count(schema.vector.c.vector_id)).where(newer))[0][0])

    def visible_after(self, last_id: int) -> NDArray[np.int64]:
        """Return the larger ids, ascending, of vectors that searches may return."""
        with self._connected() as connection:
            found = connection.exec_driver_sql(_VISIBLE_AFTER, (last_id,)).scalars()
            return np.sort(np.fromiter(found, np.int64))

    def count_missing(self) -> int:
        """Count the images that no search returns for now, because their file is missing."""
        is_missing = schema.file.c.state == "missing"
        return int(self._rows(select(func.count()).where(is_missing))[0][0])

    def some_vectors(
        self, ids: Sequence[int], *, dim: int, only_visible: bool = False
    ) -> tuple[NDArray[np.int64], Embeddings]:
        """Return vectors by id, those that there are; see :meth:`vectors`.

        Args:
            only_visible: leave out those that searches may not return.

        Cost: a few microseconds for each. What is asked is written out, not built: SQLAlchemy takes
        longer to build a question of a hundred ids than SQLite to answer it.
        """
        found: list[int] = []
        values: list[bytes] = []
        with self._connected() as connection:
            for start in range(0, len(ids), _IDS_PER_FETCH):
                batch = tuple(ids[start : start + _IDS_PER_FETCH])
                # Few different texts, which the driver keeps prepared.
                n_marks = min(_IDS_PER_FETCH, -(-len(batch) // 32) * 32)
                statement = _BY_ID.format(",".join("?" * n_marks))
                if only_visible:
                    statement += f" AND {_IS_VISIBLE}"
                batch += (0,) * (n_marks - len(batch))
                for vector_id, vec in connection.exec_driver_sql(statement, batch).all():
                    self._check_size(vector_id, vec, dim)
                    found.append(vector_id)
                    values.append(vec)
        order = np.argsort(np.array(found, np.int64))
        rows = np.frombuffer(b"".join(values), "<f4").reshape(len(found), dim)
        return np.array(found, np.int64)[order], rows[order]

    def _check_size(self, vector_id: int, vec: object, dim: int) -> None:
        if not isinstance(vec, bytes) or len(vec) != 4 * dim:
            message = (
                f"embedding {vector_id} is not of {4 * dim} bytes; see what is wrong "
                "with: mobisearch verify, and mend it with: mobisearch verify --repair"
            )
            raise IndexDamagedError(self._directory, message)
