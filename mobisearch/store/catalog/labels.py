"""What classifiers say of contents, and the norms that some of them need."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from mobisearch.errors import NotLabelledError, UnknownLabelError
from mobisearch.store.catalog import label_tables, schema
from mobisearch.store.catalog.upkeep import next_generation
from mobisearch.types import Label

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_IDS_PER_QUERY = 500

_PUT_NORM = """
INSERT OR IGNORE INTO norm (vector_id, value)
SELECT vector_id, ? FROM vector WHERE content_id = ?
"""
_PENDING = """
SELECT vector.content_id, vector.vector_id, norm.value
FROM vector LEFT JOIN norm ON norm.vector_id = vector.vector_id
WHERE vector.content_id > ? AND NOT EXISTS (SELECT 1 FROM label
    WHERE label.content_id = vector.content_id AND label.classifier_id = ?)
ORDER BY vector.content_id LIMIT ?
"""
_COUNT_OF = """
SELECT count(*) FROM (SELECT DISTINCT content_id FROM label WHERE classifier_id = ?)
"""
_COUNT_CATEGORIES = """
SELECT label.classifier_id, label.category, count(*) FROM label
JOIN file ON file.content_id = label.content_id AND file.state = 'ok'
WHERE label.place = 1 GROUP BY label.classifier_id, label.category
"""
_COUNT_LABELLED = """
SELECT count(*) FROM file WHERE state = 'ok'
    AND EXISTS (SELECT 1 FROM label WHERE label.content_id = file.content_id)
"""
_OF_IMAGES = """
SELECT file.file_id, label.classifier_id, label.category, label.probability
FROM file JOIN label ON label.content_id = file.content_id
WHERE file.file_id IN ({}) ORDER BY label.classifier_id, label.place
"""
_VECTORS_OF = """
SELECT vector.vector_id FROM label JOIN vector ON vector.content_id = label.content_id
WHERE label.classifier_id = ? AND label.category = ? AND label.probability >= ?
"""


@dataclass(frozen=True, slots=True)
class ClassifierRow:
    """What contents were labelled with.

    Attributes:
        sha256: hexadecimal.
        n_kept: how many of the most probable categories are kept of each content.
    """

    id: int
    name: str
    sha256: str
    categories: tuple[str, ...]
    n_kept: int


@dataclass(frozen=True, slots=True)
class PendingVector:
    """An embedding whose content a classifier has not labelled yet; its norm, if it is known."""

    content_id: int
    vector_id: int
    norm: float | None


def put_norms(connection: Connection, norms: Sequence[tuple[int, float | None]]) -> None:
    """Store the norms of embeddings by content, those that are known, unless they are there."""
    rows = [(norm, content_id) for content_id, norm in norms if norm is not None]
    if rows:
        connection.exec_driver_sql(_PUT_NORM, rows)


class StoredLabels:
    """The labels of a catalog. Only a writer may add to them."""

    def __init__(self, connect: _Connect) -> None:
        self._connect = connect

    def classifiers(self) -> list[ClassifierRow]:
        """Return all that contents were labelled with, the oldest first."""
        table = label_tables.classifier
        with self._connect() as connection:
            rows = connection.execute(select(table).order_by(table.c.classifier_id)).all()
        return [
            ClassifierRow(
                row.classifier_id,
                row.name,
                row.sha256.hex(),
                _read_categories(row.categories),
                row.n_kept,
            )
            for row in rows
        ]

    def begin(self, name: str, sha256: str, categories: Sequence[str], n_kept: int) -> int:
        """Return the id of a classifier. What one of the same name said goes, unless it is this."""
        table = label_tables.classifier
        for known in self.classifiers():
            if known.name == name:
                if (known.sha256, known.n_kept) == (sha256, n_kept):
                    return known.id
                self.forget(known.id)
        with self._connect() as connection:
            made = connection.execute(
                insert(table).values(
                    name=name,
                    sha256=bytes.fromhex(sha256),
                    categories=json.dumps(list(categories)),
                    n_kept=n_kept,
                )
            ).inserted_primary_key
            assert made is not None
            next_generation(connection)
        return int(made[0])

    def forget(self, classifier_id: int) -> None:
        """Forget a classifier and all that it said."""
        with self._connect() as connection:
            for table in (label_tables.label, label_tables.classifier):
                connection.execute(delete(table).where(table.c.classifier_id == classifier_id))
            next_generation(connection)

    def pending(self, classifier_id: int, after: int, n: int) -> list[PendingVector]:
        """Return up to n embeddings, by content, that a classifier has not seen.

        Args:
            after: only contents with larger ids.
        """
        with self._connect() as connection:
            wanted = (after, classifier_id, n)
            rows = connection.exec_driver_sql(_PENDING, wanted).all()
        return [PendingVector(*row) for row in rows]

    def sha256_of(self, content_ids: Sequence[int]) -> dict[int, str]:
        """Return the SHA-256, hexadecimal, of contents by id."""
        content, found = schema.content.c, dict[int, str]()
        for start in range(0, len(content_ids), _IDS_PER_QUERY):
            some = list(content_ids[start : start + _IDS_PER_QUERY])
            wanted = select(content.content_id, content.sha256).where(content.content_id.in_(some))
            with self._connect() as connection:
                found |= {row.content_id: row.sha256.hex() for row in connection.execute(wanted)}
        return found

    def count_of(self, classifier_id: int) -> int:
        """Count the contents that a classifier has labelled."""
        with self._connect() as connection:
            return int(connection.exec_driver_sql(_COUNT_OF, (classifier_id,)).scalar_one())

    def put(
        self,
        classifier_id: int,
        content_ids: Sequence[int],
        numbers: NDArray[np.int64],
        probabilities: NDArray[np.float64],
        *,
        norms: Sequence[tuple[int, float]] = (),
    ) -> None:
        """Store what a classifier says of contents, in one transaction.

        Args:
            numbers, probabilities: shape (n, k), the most probable category first.
            norms: by content, of embeddings whose norms were not known.
        """
        rows = [
            {
                "content_id": content_id,
                "classifier_id": classifier_id,
                "place": place,
                "category": number,
                "probability": share,
            }
            for content_id, row, shares in zip(
                content_ids, numbers.tolist(), probabilities.tolist(), strict=True
            )
            for place, (number, share) in enumerate(zip(row, shares, strict=True), 1)
        ]
        with self._connect() as connection:
            put_norms(connection, norms)
            if rows:
                connection.execute(insert(label_tables.label), rows)
            next_generation(connection)

    def counts(self) -> list[tuple[int, int, int]]:
        """Return classifier, category and number of images whose most probable one it is."""
        with self._connect() as connection:
            rows = connection.exec_driver_sql(_COUNT_CATEGORIES).all()
        return [(row[0], row[1], row[2]) for row in rows]

    def count_labelled(self) -> int:
        """Count the images that searches can return and that have labels of any classifier."""
        with self._connect() as connection:
            return int(connection.exec_driver_sql(_COUNT_LABELLED).scalar_one())

    def of_images(self, image_ids: Sequence[int]) -> dict[int, tuple[Label, ...]]:
        """Return the labels of images, by image id; one without any is not in it."""
        found: dict[int, list[tuple[int, int, float]]] = {}
        with self._connect() as connection:
            for start in range(0, len(image_ids), _IDS_PER_QUERY):
                some = tuple(image_ids[start : start + _IDS_PER_QUERY])
                statement = _OF_IMAGES.format(",".join("?" * len(some)))
                for image_id, *label in connection.exec_driver_sql(statement, some):
                    found.setdefault(image_id, []).append((label[0], label[1], label[2]))
            if not found:
                return {}
        names = {row.id: row.categories for row in self.classifiers()}
        return {
            image_id: tuple(Label(names[of][number], share) for of, number, share in labels)
            for image_id, labels in found.items()
        }

    def vectors_of(self, label: str, *, least: float, location: str) -> NDArray[np.int64]:
        """Return the ids, ascending, of the vectors whose content has a label.

        Args:
            label: a category, or a part of its name that no other has; case does not matter.
            least: probability from which on it counts.
            location: of the index, for messages.

        Raises:
            NotLabelledError: there are no labels.
            UnknownLabelError: no category, or more than one, is called like that.
        """
        known = self.classifiers()
        if not known:
            raise NotLabelledError(location)
        names = dict.fromkeys(name for row in known for name in row.categories)
        meant = find_category(label, tuple(names))
        ids: set[int] = set()
        with self._connect() as connection:
            for row in known:
                for number, name in enumerate(row.categories):
                    if name == meant:
                        wanted = (row.id, number, least)
                        ids.update(connection.exec_driver_sql(_VECTORS_OF, wanted).scalars())
        return np.array(sorted(ids), np.int64)


def find_category(label: str, categories: Sequence[str]) -> str:
    """Return the category that a label means.

    As it is written; else without regard to case; else the only one that it is a part of.

    >>> find_category("TABBY", ["tabby", "tiger cat"])
    'tabby'

    Raises:
        UnknownLabelError: there is none, or more than one.
    """
    if label in categories:
        return label
    wanted = label.casefold().strip()
    same = [name for name in categories if name.casefold() == wanted]
    parts = [name for name in categories if wanted and wanted in name.casefold()]
    found = same or parts
    if len(found) != 1:
        raise UnknownLabelError(label, tuple(found))
    return found[0]


@functools.lru_cache(maxsize=8)
def _read_categories(text: str) -> tuple[str, ...]:
    return tuple(str(name) for name in json.loads(text))
