"""Lists of images by what is known of them: pages, counts, and the vectors behind them."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select
from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.rows import image_record, path_range
from mobisearch.types import CollectionFacts, ImageFilter, ImagePage, ImageRecord
from mobisearch.types.filters import last_moment

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_FILE, _CONTENT = schema.file.c, schema.content.c
_JOINED = schema.file.join(schema.content)
_COLUMNS = (
    _FILE.file_id,
    _FILE.path,
    _FILE.size_bytes,
    _FILE.mtime_ns,
    *(column for column in _CONTENT if column.name != "content_id"),
)
_MOMENT = func.coalesce(
    _CONTENT.taken_at,
    func.strftime("%Y-%m-%dT%H:%M:%S", _FILE.mtime_ns / 1_000_000_000, "unixepoch"),
)
"""When a picture was taken, or its file last written where nobody knows."""

_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (_MOMENT.desc(), _FILE.file_id.desc()),
    "oldest": (_MOMENT, _FILE.file_id),
    "largest": (_FILE.size_bytes.desc(), _FILE.file_id),
    "name": (_FILE.path,),
}
_MAX_FOLDERS = 500
_MAX_CAMERAS = 200


class StoredListing:
    """The images of a catalog that searches can return, by their facts."""

    def __init__(self, connect: _Connect) -> None:
        self._connect = connect

    def with_words(self, words: Sequence[str]) -> list[ImageRecord]:
        """Return the images in whose path one of some words is, in any case, by path.

        Args:
            words: of letters in ASCII.
        """
        has_word = or_(*(cast(_FILE.path, Text).ilike(f"%{word}%") for word in words))
        statement = select(*_COLUMNS).select_from(_JOINED).where(_FILE.state == "ok", has_word)
        with self._connect() as connection:
            rows = connection.execute(statement.order_by(_FILE.path)).all()
        return [image_record(row) for row in rows]

    def page(
        self,
        wanted: ImageFilter,
        *,
        sorting: str,
        offset: int,
        count: int,
        labelled: NDArray[np.int64] | None = None,
    ) -> ImagePage:
        """Return some of the images that meet conditions, in an order of :data:`SORTINGS`.

        Cost: sorts all of them.

        Args:
            labelled: ids of the vectors of contents with a label that is asked for.
        """
        chosen = _chosen(wanted)
        if labelled is not None:
            chosen.append(_CONTENT.content_id.in_(_contents_of(labelled)))
        listed = select(*_COLUMNS).select_from(_JOINED).where(*chosen).order_by(*_ORDERS[sorting])
        with self._connect() as connection:
            counting = select(func.count()).select_from(_JOINED).where(*chosen)
            total = int(connection.execute(counting).scalar_one())
            rows = connection.execute(listed.offset(offset).limit(count)).all()
        return ImagePage(total, offset, tuple(image_record(row) for row in rows))

    def vector_ids(self, wanted: ImageFilter) -> NDArray[np.int64]:
        """Return the ids of the vectors behind images that meet conditions, ascending."""
        statement: Select[Any] = (
            select(schema.vector.c.vector_id)
            .distinct()
            .select_from(
                _JOINED.join(schema.vector, schema.vector.c.content_id == _CONTENT.content_id)
            )
            .where(*_chosen(wanted))
            .order_by(schema.vector.c.vector_id)
        )
        with self._connect() as connection:
            found = connection.execute(statement).scalars().all()
        return np.array(found, np.int64)

    def images_with_vectors(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ids of all images, int64, (m,), and of the vector of each, (m,)."""
        statement = (
            select(_FILE.file_id, schema.vector.c.vector_id)
            .join_from(schema.file, schema.vector, schema.vector.c.content_id == _FILE.content_id)
            .where(_FILE.state == "ok")
            .order_by(_FILE.file_id)
        )
        with self._connect() as connection:
            found = connection.execute(statement).all()
        pairs = np.array([tuple(row) for row in found], np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def facts(self) -> CollectionFacts:
        """Return what the collection is made of. Cost: goes over all images once."""
        statement = (
            select(
                _FILE.path, _FILE.size_bytes, _CONTENT.format, _CONTENT.camera, _CONTENT.taken_at
            )
            .select_from(_JOINED)
            .where(_FILE.state == "ok")
        )
        formats: Counter[str] = Counter()
        cameras: Counter[str] = Counter()
        folders: Counter[bytes] = Counter()
        size_bytes = 0
        oldest: str | None = None
        newest: str | None = None
        with self._connect() as connection:
            for path, size, kind, camera, taken_at in connection.execute(statement):
                size_bytes += size
                formats[kind] += 1
                folders[os.path.dirname(path)] += 1
                if camera:
                    cameras[camera] += 1
                if taken_at:
                    oldest = taken_at if oldest is None else min(oldest, taken_at)
                    newest = taken_at if newest is None else max(newest, taken_at)
        return CollectionFacts(
            images=formats.total(),
            size_bytes=size_bytes,
            formats=dict(formats.most_common()),
            cameras=dict(cameras.most_common(_MAX_CAMERAS)),
            folders={os.fsdecode(path): n for path, n in folders.most_common(_MAX_FOLDERS)},
            oldest=oldest,
            newest=newest,
        )


def _chosen(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Return the conditions as SQLite checks them; as :meth:`ImageFilter.accepts`."""
    chosen: list[ColumnElement[bool]] = [_FILE.state == "ok"]
    if wanted.folder is not None:
        low, high = path_range(wanted.folder)
        chosen += [_FILE.path >= low, _FILE.path < high]
    if wanted.taken_from:
        chosen.append(_CONTENT.taken_at >= wanted.taken_from)
    if wanted.taken_to:
        chosen.append(_CONTENT.taken_at <= last_moment(wanted.taken_to))
    if wanted.min_bytes:
        chosen.append(_FILE.size_bytes >= wanted.min_bytes)
    if wanted.max_bytes:
        chosen.append(_FILE.size_bytes <= wanted.max_bytes)
    if wanted.min_px:
        chosen.append(func.max(_CONTENT.width, _CONTENT.height) >= wanted.min_px)
    if wanted.format is not None:
        chosen.append(_CONTENT.format == wanted.format)
    if wanted.camera is not None:
        chosen.append(_CONTENT.camera == wanted.camera)
    return chosen


def _contents_of(vector_ids: NDArray[np.int64]) -> Select[Any]:
    """Return the question for the contents of vectors: one parameter, however many they are."""
    listed = func.json_each(json.dumps(vector_ids.tolist())).table_valued("value")
    return select(schema.vector.c.content_id).where(
        schema.vector.c.vector_id.in_(select(listed.c.value))
    )
