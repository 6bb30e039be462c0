"""Reading the catalog, safely from several threads and while another process writes."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Select, bindparam, literal_column, select
from sqlalchemy.engine import Connection, Engine

from mobisearch.errors import IndexClosedError
from mobisearch.results import Match, Matches
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.connection import mapped_sqlite_errors, reader_engine
from mobisearch.store.catalog.questions import IDS_PER_QUERY, Catalog
from mobisearch.store.catalog.rows import image_record
from mobisearch.store.vectors import FoundVector
from mobisearch.types import Embeddings, ImageRecord, Label


class CatalogReader(Catalog):
    """A read-only view of the catalog; each question sees the newest commit.

    Questions that belong together are asked inside ``snapshot``.
    """

    def __init__(self, directory: Path, engine: Engine) -> None:
        super().__init__(directory)
        self._engine = engine
        self._is_closed = False
        self._pinned = threading.local()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything that this thread asks inside see one and the same commit."""
        outer = self._pinned_connection()
        with self._connected() as connection:
            self._pinned.connection = connection
            try:
                yield
            finally:
                self._pinned.connection = outer

    def _pinned_connection(self) -> Connection | None:
        return getattr(self._pinned, "connection", None)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        self.check_open()
        pinned = self._pinned_connection()
        if pinned is not None:
            yield pinned
            return
        with mapped_sqlite_errors(self._directory), self._engine.begin() as connection:
            yield connection

    def images(self, vector_ids: Sequence[int]) -> dict[int, list[ImageRecord]]:
        """Return the images behind vectors, by vector id, each list ordered by image id.

        Images that are missing or gone are left out; a vector without any is not in the result.
        """
        found: dict[int, list[ImageRecord]] = {}
        for start in range(0, len(vector_ids), IDS_PER_QUERY):
            ids = list(vector_ids[start : start + IDS_PER_QUERY])
            rows = self._rows(_IMAGES_OF_VECTORS, {"ids": ids})
            for row in sorted(rows, key=lambda row: row.file_id):
                found.setdefault(row.vector_id, []).append(image_record(row))
        return found

    def image(self, image_id: int) -> tuple[ImageRecord, Embeddings] | None:
        """Return an image that searches can return, with its embedding, or None."""
        rows = self._rows(_STORED_IMAGE, {"image_id": image_id})
        if not rows:
            return None
        labels = self.labels.of_images([image_id]).get(image_id, ())
        return _labelled(image_record(rows[0]), labels), np.frombuffer(rows[0].vec, "<f4")

    def matches(self, found: Sequence[FoundVector], k: int, *, query: str = "") -> Matches:
        """Return the best k images behind found vectors, best first, ties by image id."""
        images = self.images([entry.vector_id for entry in found])
        matches = [
            Match(entry.score, image)
            for entry in found
            for image in images.get(entry.vector_id, ())
        ]
        matches.sort(key=lambda match: (-match.score, match.image.id))
        best = matches[:k]
        labels = self.labels.of_images([match.image.id for match in best])
        if labels:
            best = [Match(m.score, _labelled(m.image, labels.get(m.image.id, ()))) for m in best]
        return Matches(best, query=query)

    def check_open(self) -> None:
        """Raise IndexClosedError after ``close``."""
        if self._is_closed:
            raise IndexClosedError(self._directory)

    def release(self) -> None:
        """Close idle connections, so that SQLite can tidy up when the writer closes."""
        self._engine.dispose()

    def close(self) -> None:
        """Close all connections; what is asked afterwards raises IndexClosedError."""
        self._is_closed = True
        self._engine.dispose()


def open_reader(path: Path) -> CatalogReader:
    """Open the catalog for reading only. Works on read-only media, while another process writes.

    Raises:
        IndexFormatError, IndexDamagedError: it is not a sound catalog of this version.
        IndexReadOnlyError: it was not closed cleanly and cannot be recovered where it is.
    """
    return CatalogReader(path.parent, reader_engine(path))


def _labelled(image: ImageRecord, labels: tuple[Label, ...]) -> ImageRecord:
    return dataclasses.replace(image, labels=labels)


def _image_columns() -> Select[Any]:
    file, content, vector = schema.file, schema.content, schema.vector
    return (
        select(
            vector.c.vector_id,
            file.c.file_id,
            file.c.path,
            file.c.size_bytes,
            file.c.mtime_ns,
            *(column for column in content.c if column.name != "content_id"),
        )
        .select_from(
            file.join(content, file.c.content_id == content.c.content_id).join(
                vector, vector.c.content_id == content.c.content_id
            )
        )
        # The plus keeps SQLite from going through all files in this state, which it takes for few.
        .where(literal_column("+file.state") == "ok")
    )


# Made once: SQLAlchemy takes longer to put a question together than SQLite to answer it.
_IMAGES_OF_VECTORS = _image_columns().where(
    schema.vector.c.vector_id.in_(bindparam("ids", expanding=True))
)
_STORED_IMAGE = (
    _image_columns()
    .add_columns(schema.vector.c.vec)
    .where(schema.file.c.file_id == bindparam("image_id"))
)
