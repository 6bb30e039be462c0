"""What goes into the catalog and comes out of it, where ``mobisearch.types`` has no name for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from mobisearch.types import Embeddings, FileFailure, FileStamp, ImageFacts, ImageRecord


@dataclass(frozen=True, slots=True)
class ModelRow:
    """The model that an index was built with.

    Attributes:
        name: what users call it.
        label: one line for messages.
        probe: embedding of the fixed synthetic picture, float32, shape (d,).
    """

    name: str
    fingerprint: str
    label: str
    dim: int
    probe: Embeddings


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file to be stored: an image, or a failure.

    Attributes:
        sha256: of an image. With a failure: of what the file held when it could last be read.
        is_racy: it changed so recently that its stamp cannot vouch for its content.
        facts, embedding: set unless the content is in the catalog already.
        norm: how long the embedding was before it was made a unit vector, if that is known.
        moved_from: id of the image that this file is, at a new path.
        root_id: the root that it was found under, if any.
    """

    path: str
    stamp: FileStamp
    is_racy: bool = False
    sha256: str | None = None
    facts: ImageFacts | None = None
    embedding: Embeddings | None = None
    norm: float | None = None
    failure: FileFailure | None = None
    moved_from: int | None = None
    root_id: int | None = None


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file that has to be read.

    Attributes:
        root_id: of the root that it was found under, if any.
        image_id: set if the path is in the catalog already.
        sha256: of the content that the catalog holds for the path, if any.
        is_hidden: the catalog has its content, but as missing or as unreadable.
    """

    path: str
    image_id: int | None = None
    sha256: str | None = None
    root_id: int | None = None
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A FAISS file: every vector whose id was alive between first and last when it was written."""

    name: str
    first_id: int
    last_id: int
    n: int
    size_bytes: int
    sha256: str

    def is_sound(self) -> bool:
        """Say whether the values are of their types: SQLite itself does not see to that."""
        numbers = (self.first_id, self.last_id, self.n, self.size_bytes)
        return all(isinstance(number, int) for number in numbers) and self.n > 0


@dataclass(frozen=True, slots=True)
class StructureRow:
    """The file for approximate search.

    Attributes:
        kind: as FAISS's factory names it.
        dim: numbers that are kept of each embedding.
        first_id, last_id: every vector that was alive between them is in it, newer ones are not.
        n: vectors in it, dead ones included.
        n_trained: vectors in the catalog when it was trained.
        probes: lists that a search for ten looks at.
        candidates: vectors that a search for ten scores exactly.
        recall_target: share of the true best ten that it was to find.
        recall, queries: the share that it found, with how many stored vectors as queries.
        built_at: UTC, ISO 8601.
    """

    name: str
    kind: str
    dim: int
    first_id: int
    last_id: int
    n: int
    n_trained: int
    probes: int
    candidates: int
    recall_target: float
    recall: float
    queries: int
    size_bytes: int
    sha256: str
    built_at: str

    def is_sound(self) -> bool:
        """Say whether the values are of their types and make sense."""
        counts = (self.dim, self.n, self.n_trained, self.probes, self.candidates, self.queries)
        numbers = (*counts, self.first_id, self.last_id, self.size_bytes)
        return (
            all(isinstance(number, int) for number in numbers)
            and min(counts) > 0
            and all(isinstance(share, float) for share in (self.recall, self.recall_target))
            and all(isinstance(text, str) for text in (self.name, self.kind, self.built_at))
        )


def path_range(folder: str) -> tuple[bytes, bytes]:
    """Return the first possible path below a folder, and the first one after all of them."""
    prefix = os.fsencode(folder.rstrip(os.sep) + os.sep)
    return prefix, prefix[:-1] + bytes([prefix[-1] + 1])


def image_record(row: Row[Any]) -> ImageRecord:
    """Return the image of a row with the columns of a file and of its content."""
    return ImageRecord(
        id=row.file_id,
        path=os.fsdecode(row.path),
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        mtime_ns=row.mtime_ns,
        sha256=row.sha256.hex(),
        format=row.format,
        taken_at=row.taken_at,
        camera=row.camera,
        latitude=row.latitude,
        longitude=row.longitude,
        is_truncated=bool(row.truncated),
    )
