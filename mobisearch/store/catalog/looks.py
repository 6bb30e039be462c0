"""Looks and thumbnails of contents, which copies are found and compared by. All can be made again.

Reading them needs any catalog; only a writer may put.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import BindParameter, Row, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.rows import image_record
from mobisearch.store.catalog.upkeep import active_model_id, next_generation, put_meta
from mobisearch.types import Embeddings, ImageRecord

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_IDS_PER_QUERY = 500
_NOTE = "copies_note"
_FLOAT16 = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class LookRow:
    """What copies of a content are found by.

    Attributes:
        row: float, shape (d,); kept as float16.
        thumbnail: JPEG.
    """

    content_id: int
    row: Embeddings
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class ContentPicture:
    """A content's thumbnail, and what its file said of itself."""

    content_id: int
    sha256: str
    thumbnail: bytes
    width: int
    height: int
    format: str
    taken_at: str | None
    camera: str | None


class StoredLooks:
    """The looks of a catalog."""

    def __init__(self, connect: _Connect) -> None:
        self._connect = connect

    def contents(
        self, folders: Sequence[tuple[bytes, bytes]] = ()
    ) -> tuple[list[int], list[bytes], dict[int, int]]:
        """Return the contents of images that searches can return, ordered by SHA-256.

        Args:
            folders: path ranges, none inside another; only images in them. None: all.

        Returns:
            ids; the SHA-256 of each, 32 bytes; and how many images those have that have several.
        """
        file, content = schema.file.c, schema.content.c
        statement = (
            select(content.content_id, content.sha256, func.count().label("n"))
            .join_from(schema.content, schema.file)
            .where(file.state == "ok")
            .group_by(content.content_id)
        )
        found: dict[bytes, int] = {}
        counts: Counter[int] = Counter()
        with self._connect() as connection:
            ranges: Sequence[tuple[bytes, bytes] | None] = folders or (None,)
            for bounds in ranges:
                wanted = statement
                if bounds is not None:
                    wanted = statement.where(file.path >= bounds[0], file.path < bounds[1])
                for row in connection.execute(wanted):
                    found[row.sha256] = row.content_id
                    counts[row.content_id] += row.n
        ordered = sorted(found)
        several = {number: n for number, n in counts.items() if n > 1}
        return [found[sha256] for sha256 in ordered], ordered, several

    def looked_at(self, version: int) -> set[int]:
        """Return the ids of contents that have a look of a version, and so a thumbnail of it too.

        Thumbnails are not asked: that would read all of them.
        """
        look = schema.look.c
        with self._connect() as connection:
            is_wanted = (look.version == version) & (look.model_id == active_model_id(connection))
            return set(connection.execute(select(look.content_id).where(is_wanted)).scalars())

    def put(self, rows: Sequence[LookRow], *, version: int) -> None:
        """Store looks in place of those that there are. Contents that are gone are left out."""
        with self._connect() as connection:
            wanted = [row.content_id for row in rows]
            content_id = schema.content.c.content_id
            found = connection.execute(select(content_id).where(content_id.in_(wanted)))
            there = set(found.scalars())
            sound = [row for row in rows if row.content_id in there]
            if sound:
                model_id = active_model_id(connection)
                connection.execute(
                    _PUT_LOOK,
                    [
                        {
                            "content_id": row.content_id,
                            "model_id": model_id,
                            "version": version,
                            "vec": row.row.astype(_FLOAT16).tobytes(),
                        }
                        for row in sound
                    ],
                )
                connection.execute(
                    _PUT_THUMBNAIL,
                    [
                        {"content_id": row.content_id, "version": version, "jpeg": row.thumbnail}
                        for row in sound
                    ],
                )
            next_generation(connection)

    def rows(self, content_ids: Sequence[int], *, dim: int) -> tuple[list[int], Embeddings]:
        """Return the looks of contents, those that there are and are sound.

        Returns:
            ids, in the order given; rows, float32, shape (n, dim).
        """
        found: dict[int, bytes] = {}
        for row in self._each(_LOOKS, content_ids):
            if isinstance(row.vec, bytes) and len(row.vec) == dim * _FLOAT16.itemsize:
                found[row.content_id] = row.vec
        ids = [content_id for content_id in content_ids if content_id in found]
        values = np.frombuffer(b"".join(found[number] for number in ids), _FLOAT16)
        return ids, values.reshape(len(ids), dim).astype(np.float32)

    def pictures(
        self, content_ids: Sequence[int], *, kept: Mapping[int, LookRow]
    ) -> list[ContentPicture]:
        """Return the thumbnails of contents, those that there are, in any order.

        Args:
            kept: looks that could not be stored.
        """
        return [
            ContentPicture(
                row.content_id,
                row.sha256.hex(),
                kept[row.content_id].thumbnail if row.content_id in kept else row.jpeg,
                row.width,
                row.height,
                row.format,
                row.taken_at,
                row.camera,
            )
            for row in self._each(_PICTURES, content_ids)
            if row.content_id in kept or isinstance(row.jpeg, bytes)
        ]

    def paths(self, content_ids: Sequence[int], attempt: int) -> dict[int, str]:
        """Return a path of an image of each content: the first by id, at the next attempt the next.

        Contents with fewer images are left out.
        """
        found: dict[int, list[tuple[int, bytes]]] = {}
        for row in self._each(_PATHS, content_ids):
            found.setdefault(row.content_id, []).append((row.file_id, row.path))
        return {
            number: os.fsdecode(sorted(found[number])[attempt][1])
            for number in content_ids
            if len(found.get(number, ())) > attempt
        }

    def images(self, content_ids: Sequence[int]) -> dict[int, list[ImageRecord]]:
        """Return the images of contents that searches can return, by content, ordered by id."""
        found: dict[int, list[ImageRecord]] = {}
        for row in self._each(_IMAGES, content_ids):
            found.setdefault(row.content_id, []).append(image_record(row))
        for images in found.values():
            images.sort(key=lambda image: image.id)
        return found

    def pixel_hashes(self, content_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the SHA-256 of the full-size pixels of contents, where it is known."""
        return {
            row.content_id: row.pixels_sha256
            for row in self._each(_HASHES, content_ids)
            if isinstance(row.pixels_sha256, bytes) and len(row.pixels_sha256) == 32
        }

    def put_pixel_hashes(self, hashes: Iterable[tuple[int, bytes]]) -> None:
        """Remember the SHA-256 of the full-size pixels of contents that have a look."""
        rows = [{"number": content_id, "value": value} for content_id, value in hashes]
        with self._connect() as connection:
            if rows:
                connection.execute(_PUT_HASH, rows)
            next_generation(connection)

    def note(self) -> str | None:
        """Return what was noted for the next search for copies, if anything."""
        statement = select(schema.meta.c.value).where(schema.meta.c.key == _NOTE)
        with self._connect() as connection:
            value = connection.execute(statement).scalar_one_or_none()
        return value if isinstance(value, str) else None

    def put_note(self, text: str) -> None:
        """Note something for the next search for copies, in place of what was noted before."""
        with self._connect() as connection:
            put_meta(connection, _NOTE, text)
            next_generation(connection)

    def _each(self, statement: Any, content_ids: Sequence[int]) -> Iterator[Row[Any]]:
        for start in range(0, len(content_ids), _IDS_PER_QUERY):
            ids = [int(number) for number in content_ids[start : start + _IDS_PER_QUERY]]
            with self._connect() as connection:
                rows = connection.execute(statement, {"ids": ids}).all()
            yield from rows


def _replacing(table: Any, *names: str) -> Any:
    statement = upsert(table)
    changes = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=["content_id"], set_=changes)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PUT_LOOK = _replacing(schema.look, "model_id", "version", "vec")
_PUT_THUMBNAIL = _replacing(schema.thumbnail, "version", "jpeg")
_PUT_HASH = (
    update(schema.look)
    .where(schema.look.c.content_id == bindparam("number"))
    .values(pixels_sha256=bindparam("value"))
)
_LOOKS = select(schema.look.c.content_id, schema.look.c.vec).where(
    schema.look.c.content_id.in_(_IDS)
)
_HASHES = select(schema.look.c.content_id, schema.look.c.pixels_sha256).where(
    schema.look.c.content_id.in_(_IDS)
)
_PICTURES = (
    select(schema.content, schema.thumbnail.c.jpeg)
    .join_from(schema.content, schema.thumbnail, isouter=True)
    .where(schema.content.c.content_id.in_(_IDS))
)
_PATHS = select(schema.file.c.content_id, schema.file.c.file_id, schema.file.c.path).where(
    schema.file.c.content_id.in_(_IDS), schema.file.c.state == "ok"
)
_IMAGES = (
    select(
        schema.file.c.file_id,
        schema.file.c.path,
        schema.file.c.size_bytes,
        schema.file.c.mtime_ns,
        schema.content,
    )
    .join_from(schema.file, schema.content)
    .where(schema.file.c.content_id.in_(_IDS), schema.file.c.state == "ok")
)
