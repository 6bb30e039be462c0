"""From what became of a file to what the catalog stores of it, and counted."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from mobisearch.imaging import stamp_of
from mobisearch.pipeline import EmbeddedFile, FailedFile, FileOutcome, KnownFile
from mobisearch.store import CatalogWriter, FileRow, StagedFile
from mobisearch.types import FileFailure, FileStamp

_RACY_NS = 2_000_000_000
"""A file changed this shortly before the scan could change again without a new time stamp: FAT
keeps times to two seconds. Such a file is hashed again at the next sync."""


@dataclass(slots=True)
class Counts:
    """Files of this run, by what became of them."""

    added: int = 0
    updated: int = 0
    moved: int = 0
    returned: int = 0
    unchanged: int = 0
    failed: int = 0


class Recorder:
    """Makes the rows of one run."""

    def __init__(self, catalog: CatalogWriter) -> None:
        self.counts = Counts()
        self.failures: list[FileFailure] = []
        self._catalog = catalog
        self._racy_after_ns = time.time_ns() - _RACY_NS
        self._moved: set[int] = set()

    def row(self, file: StagedFile, outcome: FileOutcome) -> FileRow | None:
        """Turn an outcome into what the catalog stores, and count it. None: nothing to store."""
        if isinstance(outcome, FailedFile):
            return self._failure_row(file, outcome)
        moved_from = self._find_moved(file, outcome)
        if moved_from is not None:
            self.counts.moved += 1
        elif file.image_id is None:
            self.counts.added += 1
        elif file.sha256 == outcome.sha256 and file.is_hidden:
            self.counts.returned += 1
        elif file.sha256 == outcome.sha256:
            self.counts.unchanged += 1
        else:
            self.counts.updated += 1
        return FileRow(
            file.path,
            outcome.stamp,
            self._is_racy(outcome.stamp),
            sha256=outcome.sha256,
            facts=outcome.facts if isinstance(outcome, EmbeddedFile) else None,
            embedding=outcome.embedding if isinstance(outcome, EmbeddedFile) else None,
            norm=outcome.norm if isinstance(outcome, EmbeddedFile) else None,
            moved_from=moved_from,
            root_id=file.root_id,
        )

    def _failure_row(self, file: StagedFile, outcome: FailedFile) -> FileRow | None:
        self.counts.failed += 1
        self.failures.append(outcome.failure)
        if file.image_id is None and file.root_id is None and outcome.stamp is None:
            return None  # asked for by name and not there: nothing to remember
        if file.sha256 is not None and outcome.failure.code == "not_found":
            return None  # gone since the scan: the next one will miss it, and keep it
        stamp = outcome.stamp or stamp_now(file.path)
        is_unreadable = outcome.failure.code == "unreadable"  # perhaps only for now
        return FileRow(
            file.path,
            stamp,
            is_unreadable or self._is_racy(stamp),
            sha256=file.sha256 if is_unreadable else None,
            failure=outcome.failure,
            root_id=file.root_id,
        )

    def _find_moved(self, file: StagedFile, outcome: EmbeddedFile | KnownFile) -> int | None:
        """Return the image that this new path is: same content, and its own file gone; or None."""
        if file.image_id is not None or isinstance(outcome, EmbeddedFile):
            return None
        for image_id, path in self._catalog.images_of_content(outcome.sha256):
            if image_id not in self._moved and _is_gone(path):
                self._moved.add(image_id)
                return image_id
        return None

    def _is_racy(self, stamp: FileStamp) -> bool:
        return max(stamp.mtime_ns, stamp.ctime_ns) >= self._racy_after_ns


def stamp_now(path: str) -> FileStamp:
    """Return the stamp of a file as it is now, or an empty one if the system gives none."""
    try:
        return stamp_of(os.stat(path))
    except (OSError, ValueError):
        return FileStamp(0, 0)


def _is_gone(path: str) -> bool:
    """Say whether there is no file; one that may not be looked at is not gone."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False
