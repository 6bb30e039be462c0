"""The embeddings by models beside the one in use; which those are, ``stored_models`` knows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.engine import Connection

from mobisearch.errors import IndexDamagedError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.upkeep import next_generation
from mobisearch.types import Embeddings

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_IDS_PER_QUERY = 256
_ROWS_PER_BLOCK = 4096
_PUT = (
    "INSERT OR REPLACE INTO beside_vector (model_id, content_id, vec, norm)"
    " SELECT ?, content_id, ?, ? FROM content WHERE content_id = ?"
)
_JOINED = (
    "FROM vector JOIN beside_vector ON beside_vector.content_id = vector.content_id"
    " AND beside_vector.model_id = ?"
)
_VISIBLE = (
    f"SELECT vector.vector_id, beside_vector.vec {_JOINED}"  # noqa: S608 - all ours
    " WHERE EXISTS (SELECT 1 FROM file"
    " WHERE file.content_id = vector.content_id AND file.state = 'ok')"
)
_BY_VECTOR = (
    f"SELECT vector.vector_id, beside_vector.vec {_JOINED} WHERE vector.vector_id IN ({{}})"
)
_BY_CONTENT = (
    "SELECT content_id, vec FROM beside_vector JOIN content USING (content_id)"
    " WHERE model_id = ? AND sha256 = ?"
)
_BLOCK = (
    "SELECT beside_id, vec FROM beside_vector WHERE model_id = ? AND beside_id > ?"
    " AND typeof(vec) = 'blob' AND length(vec) = ? ORDER BY beside_id LIMIT ?"
)


class StoredBeside:
    """The embeddings of a catalog by models that are not in use. Only a writer may put."""

    def __init__(self, connect: _Connect, location: str) -> None:
        self._connect = connect
        self._location = location

    def put(self, model_id: int, rows: Sequence[tuple[int, Embeddings, float]]) -> None:
        """Store embeddings by a model beside: content, unit row, norm. Contents may be gone."""
        values = [
            (model_id, vec.astype("<f4").tobytes(), norm, content_id)
            for content_id, vec, norm in rows
        ]
        with self._connect() as connection:
            if values:
                connection.exec_driver_sql(_PUT, values)
            next_generation(connection)

    def visible_rows(self, model_id: int, *, dim: int) -> tuple[NDArray[np.int64], Embeddings]:
        """Return the embeddings by a model beside of what searches can return.

        Returns:
            ids, int64, shape (n,), ascending: those of the vectors of the model in use that belong
            to the same contents; rows, float32, shape (n, dim).
        """
        with self._connect() as connection:
            found = connection.exec_driver_sql(_VISIBLE, (model_id,))
            return self._sorted([(row[0], row[1]) for row in found], dim=dim)

    def rows_of(
        self, model_id: int, vector_ids: Sequence[int], *, dim: int
    ) -> tuple[NDArray[np.int64], Embeddings]:
        """Return those of some vectors' contents, as :meth:`visible_rows` does."""
        found: list[tuple[int, Any]] = []
        with self._connect() as connection:
            for start in range(0, len(vector_ids), _IDS_PER_QUERY):
                some = tuple(vector_ids[start : start + _IDS_PER_QUERY])
                statement = _BY_VECTOR.format(",".join("?" * len(some)))
                rows = connection.exec_driver_sql(statement, (model_id, *some))
                found += [(row[0], row[1]) for row in rows]
        return self._sorted(found, dim=dim)

    def row_of(self, model_id: int, sha256: str, *, dim: int) -> Embeddings | None:
        """Return the embedding of a content by a model beside, float32, shape (dim,), or None."""
        with self._connect() as connection:
            values = (model_id, bytes.fromhex(sha256))
            found = connection.exec_driver_sql(_BY_CONTENT, values).all()
        rows = self._sorted([(row[0], row[1]) for row in found], dim=dim)[1]
        return rows[0] if len(rows) else None

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], Embeddings]]:
        """Give all embeddings beside, block by block, those of odd sizes left out.

        Gives:
            ids of the rows of ``beside_vector``, int64, shape (n,); rows, float32, shape (n, dim).
        """
        for model_id, dim in self._dims():
            last = 0
            while True:
                with self._connect() as connection:
                    values = (model_id, last, 4 * dim, _ROWS_PER_BLOCK)
                    found = connection.exec_driver_sql(_BLOCK, values).all()
                if not found:
                    break
                ids = np.array([row[0] for row in found], np.int64)
                yield ids, np.frombuffer(b"".join(row[1] for row in found), "<f4").reshape(-1, dim)
                last = int(ids[-1])

    def _sorted(
        self, found: Sequence[tuple[int, Any]], *, dim: int
    ) -> tuple[NDArray[np.int64], Embeddings]:
        for vector_id, vec in found:
            if not isinstance(vec, bytes) or len(vec) != 4 * dim:
                raise IndexDamagedError(
                    self._location,
                    f"the embedding beside {vector_id} is not of {4 * dim} bytes; mend it with: "
                    "mobisearch verify --repair",
                )
        ids = np.array([entry[0] for entry in found], np.int64)
        order = np.argsort(ids)
        rows = np.frombuffer(b"".join(entry[1] for entry in found), "<f4").reshape(len(ids), dim)
        return ids[order], rows[order]

    def _dims(self) -> list[tuple[int, int]]:
        """Return id and dimension of every model."""
        model = schema.model.c
        with self._connect() as connection:
            rows = connection.execute(select(model.model_id, model.dim)).all()
        return [(int(row.model_id), int(row.dim)) for row in rows]
