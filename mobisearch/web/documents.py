"""The JSON documents of the API, and how they are made of records."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from mobisearch.results import Matches
from mobisearch.text import printable
from mobisearch.types import (
    DEFAULT_LEAST_PROBABILITY,
    CollectionFacts,
    ImageFilter,
    ImageRecord,
    Label,
)

MAX_K = 5000
MAX_ID = 2**63 - 1
_DATE = r"^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2})?)?)?)?$"

ImageId = Annotated[int, Field(ge=1, le=MAX_ID)]
Share = Annotated[float, Field(ge=0, le=1)]
Box = Annotated[list[Share], Field(min_length=4, max_length=4)]


class ImageDocument(BaseModel):
    """An image of the index. Names are made printable; ``id`` is what it is asked for by."""

    id: int
    name: str
    folder: str
    width: int
    height: int
    size_bytes: int
    format: str
    sha256: str
    mtime: str
    taken_at: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None
    is_there: bool
    labels: list[str] = []


class PageDocument(BaseModel):
    """A part of a listing."""

    total: int
    offset: int
    images: list[ImageDocument]


class MatchDocument(BaseModel):
    """A match: cosine similarity, and the image."""

    score: float
    image: ImageDocument


class ResultDocument(BaseModel):
    """What a search found, best first."""

    matches: list[MatchDocument]
    seconds: float
    model: str


class QueryDocument(BaseModel):
    """An uploaded picture: what it is asked for by, and the size it is held in."""

    query: str
    width: int
    height: int


class ModelDocument(BaseModel):
    """The network of the index."""

    name: str
    label: str
    dim: int


class UpdateDocument(BaseModel):
    """That a process is writing to the index: how many images there are by now."""

    done: int


class StatusDocument(BaseModel):
    """The collection at a glance."""

    version: str
    images: int
    missing: int
    failed: int
    size_bytes: int
    formats: dict[str, int]
    cameras: dict[str, int]
    folders: dict[str, int]
    labels: dict[str, int]
    oldest: str | None
    newest: str | None
    model: ModelDocument
    generation: int
    is_read_only: bool
    may_trash: bool
    updating: UpdateDocument | None


class FileErrorDocument(BaseModel):
    """A file that could not be indexed."""

    path: str
    code: str
    reason: str


class FileErrorsDocument(BaseModel):
    """All of them, by path."""

    errors: list[FileErrorDocument]


class SessionDocument(BaseModel):
    """What a page sends with every change, in the header ``X-Mobisearch-CSRF``."""

    csrf: str


class FilterBody(BaseModel):
    """Conditions that images must meet. ``folder`` is one of those that the status names."""

    model_config = ConfigDict(extra="forbid")

    folder: str | None = Field(default=None, max_length=4096)
    taken_from: str | None = Field(default=None, pattern=_DATE)
    taken_to: str | None = Field(default=None, pattern=_DATE)
    min_bytes: int = Field(default=0, ge=0, le=MAX_ID)
    max_bytes: int = Field(default=0, ge=0, le=MAX_ID)
    min_px: int = Field(default=0, ge=0, le=1_000_000)
    format: str | None = Field(default=None, max_length=40)
    camera: str | None = Field(default=None, max_length=400)
    label: str | None = Field(default=None, max_length=400)

    def as_filter(self, folders: Mapping[str, str]) -> ImageFilter:
        """Return the conditions as the index takes them.

        Args:
            folders: paths by what is shown of them, where the two differ.
        """
        return ImageFilter(
            folder=folders.get(self.folder, self.folder) if self.folder else None,
            taken_from=self.taken_from,
            taken_to=self.taken_to,
            min_bytes=self.min_bytes,
            max_bytes=self.max_bytes,
            min_px=self.min_px,
            format=self.format or None,
            camera=self.camera or None,
            label=self.label or None,
        )


class FilterQuery(FilterBody):
    """The same as query parameters, with ``k``: how many."""

    k: int = Field(default=200, ge=1, le=MAX_K)


class UploadQuery(FilterQuery):
    """The same, with a part of the picture: x, y, width, height as shares, with commas."""

    box: str | None = Field(default=None, max_length=100)


class ListingQuery(FilterBody):
    """The same, with a part and an order of the listing."""

    offset: int = Field(default=0, ge=0, le=MAX_ID)
    limit: int = Field(default=200, ge=1, le=1000)
    sort: Literal["newest", "oldest", "largest", "name"] = "newest"


class LikeBody(BaseModel):
    """A picture to search by: an image of the index, or one that was uploaded; or a part of it."""

    model_config = ConfigDict(extra="forbid")

    image: ImageId | None = None
    query: str | None = Field(default=None, max_length=100)
    box: Box | None = None


class SearchBody(BaseModel):
    """A search by several pictures."""

    model_config = ConfigDict(extra="forbid")

    like: list[LikeBody] = Field(min_length=1, max_length=32)
    unlike: list[LikeBody] = Field(default=[], max_length=32)
    k: int = Field(default=200, ge=1, le=MAX_K)
    filters: FilterBody = FilterBody()


class VectorBody(BaseModel):
    """A search by an embedding."""

    model_config = ConfigDict(extra="forbid")

    vector: list[float] = Field(min_length=1, max_length=4096)
    k: int = Field(default=200, ge=1, le=MAX_K)
    filters: FilterBody = FilterBody()


Filters = Annotated[FilterQuery, Query()]
Listing = Annotated[ListingQuery, Query()]
Upload = Annotated[UploadQuery, Query()]


def describe_image(image: ImageRecord, labels: Sequence[Label] = ()) -> dict[str, Any]:
    """Return an image as its document."""
    folder, name = os.path.split(image.path)
    moment = datetime.fromtimestamp(_seconds(image.mtime_ns), UTC)
    return {
        "id": image.id,
        "name": printable(name),
        "folder": printable(folder),
        "width": image.width,
        "height": image.height,
        "size_bytes": image.size_bytes,
        "format": image.format,
        "sha256": image.sha256,
        "mtime": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "taken_at": image.taken_at and printable(image.taken_at),
        "camera": image.camera and printable(image.camera),
        "latitude": image.latitude,
        "longitude": image.longitude,
        "is_there": os.path.lexists(image.path),
        "labels": [
            printable(label.category)
            for label in sorted(labels, key=lambda label: -label.probability)
            if label.probability >= DEFAULT_LEAST_PROBABILITY
        ],
    }


def _seconds(mtime_ns: int) -> float:
    """Return a time that the calendar knows."""
    return min(max(mtime_ns / 1e9, -62_135_596_800), 253_402_300_799)


def describe_matches(matches: Matches, *, seconds: float, model: str) -> dict[str, Any]:
    """Return what a search found as its document."""
    return {
        "matches": [
            {"score": round(match.score, 6), "image": describe_image(match.image)}
            for match in matches
        ],
        "seconds": round(seconds, 4),
        "model": model,
    }


def describe_facts(facts: CollectionFacts) -> dict[str, Any]:
    """Return what a collection is made of, as the status has it."""
    return {
        "size_bytes": facts.size_bytes,
        "formats": facts.formats,
        "cameras": {printable(name): n for name, n in facts.cameras.items()},
        "folders": {printable(path): n for path, n in facts.folders.items()},
        "oldest": facts.oldest and printable(facts.oldest),
        "newest": facts.newest and printable(facts.newest),
    }
