"""Questions to the catalog, which its readers and its writer can both ask."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from mobisearch.errors import IndexFormatError
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.actions import StoredActions
from mobisearch.store.catalog.checks import find_breaches
from mobisearch.store.catalog.decisions import StoredDecisions
from mobisearch.store.catalog.labels import StoredLabels
from mobisearch.store.catalog.listing import StoredListing
from mobisearch.store.catalog.looks import StoredLooks
from mobisearch.store.catalog.relations import StoredRelations
from mobisearch.store.catalog.rows import (
    ModelRow,
    StagedFile,
    image_record,
    path_range,
)
from mobisearch.store.catalog.stored_beside import StoredBeside
from mobisearch.store.catalog.stored_models import StoredModels
from mobisearch.store.catalog.stored_vectors import StoredVectors
from mobisearch.store.catalog.upkeep import now
from mobisearch.types import FileFailure, ImageRecord

IDS_PER_QUERY = 500


class Catalog(StoredVectors):
    """A catalog that can be asked; how it is connected is up to the subclass."""

    @property
    def decisions(self) -> StoredDecisions:
        """What the user decided about contents."""
        return StoredDecisions(self._connected)

    @property
    def actions(self) -> StoredActions:
        """The journal of what was done to files."""
        return StoredActions(self._connected, now)

    @property
    def looks(self) -> StoredLooks:
        """What copies are found and compared by."""
        return StoredLooks(self._connected)

    @property
    def listing(self) -> StoredListing:
        """The images that searches can return, by what is known of them."""
        return StoredListing(self._connected)

    @property
    def relations(self) -> StoredRelations:
        """What comparing two contents found."""
        return StoredRelations(self._connected)

    @property
    def labels(self) -> StoredLabels:
        """What classifiers say of contents."""
        return StoredLabels(self._connected)

    @property
    def models(self) -> StoredModels:
        """The model in use, and those beside it."""
        return StoredModels(self._connected, self.location)

    @property
    def beside(self) -> StoredBeside:
        """The embeddings by models beside the one in use."""
        return StoredBeside(self._connected, self.location)

    def meta(self) -> dict[str, str]:
        """Return the small facts about the index: uuid, created_at, generation, ..."""
        return {row.key: row.value for row in self._rows(select(schema.meta))}

    def format_version(self) -> int:
        """Return the version of the tables."""
        with self._connected() as connection:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def model(self) -> ModelRow:
        """Return the model in use.

        Raises:
            IndexDamagedError: the catalog names none, or its row is damaged.
        """
        return self.models.active()

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

    def images_below(self, folder: str) -> list[ImageRecord]:
        """Return the images below a folder that searches can return, by path."""
        low, high = path_range(folder)
        file, content = schema.file, schema.content
        columns = (file.c.file_id, file.c.path, file.c.size_bytes, file.c.mtime_ns)
        statement = (
            select(*columns, *(column for column in content.c if column.name != "content_id"))
            .select_from(file.join(content))
            .where(file.c.path >= low, file.c.path < high, file.c.state == "ok")
            .order_by(file.c.path)
        )
        return [image_record(row) for row in self._rows(statement)]

    def count_contents(self) -> int:
        """Count different contents among the images that searches can return."""
        statement = select(func.count(schema.file.c.content_id.distinct())).where(
            schema.file.c.state == "ok"
        )
        return int(self._rows(statement)[0][0])

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
