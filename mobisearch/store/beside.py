"""The vectors of a model beside the one in use, as searches see them: always all of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mobisearch.store.catalog import Catalog, CatalogReader, CatalogWriter
from mobisearch.store.vectors import FoundVector, VectorPart, Vectors
from mobisearch.types import Embeddings


class BesideVectors:
    """The vectors of a model that is not in use. Safe to search from several threads.

    No file is made of them: the first search reads all from the catalog, and keeps them until there
    is another commit. What is found bears the ids of the vectors of the model in use.
    """

    def __init__(self, reader: CatalogReader, *, model_id: int, dim: int) -> None:
        self._reader = reader
        self._model_id = model_id
        self._dim = dim
        self._lock = threading.Lock()
        self._loaded: tuple[int, Vectors] | None = None

    def search(
        self,
        queries: Embeddings,
        k: int,
        *,
        exact: bool = False,  # noqa: ARG002 - it always is
    ) -> list[list[FoundVector]]:
        """Find the vectors most like each query; see :meth:`Vectors.search`."""
        if not len(queries):
            return []
        with self._reader.snapshot():
            return self._newest().search(queries, k)

    def search_among(
        self, queries: Embeddings, k: int, ids: NDArray[np.int64]
    ) -> list[list[FoundVector]]:
        """Find the vectors most like each query among some; see :meth:`Vectors.search`."""
        with self._reader.snapshot():
            part = self._part(ids.tolist())
        return Vectors([part], hidden=np.empty(0, np.int64)).search(queries, k)

    def row_of(self, sha256: str) -> Embeddings | None:
        """Return the embedding of a content, float32, shape (d,), or None if there is none."""
        return self._reader.beside.row_of(self._model_id, sha256, dim=self._dim)

    def refresh(self, writer: CatalogWriter, stop: threading.Event | None = None) -> None:
        """Do nothing: there are no files that could be brought up to date."""

    def _part(self, ids: Sequence[int]) -> VectorPart:
        return VectorPart(*self._reader.beside.rows_of(self._model_id, ids, dim=self._dim))

    def _newest(self) -> Vectors:
        with self._lock:
            generation = self._reader.generation()
            if self._loaded is None or self._loaded[0] != generation:
                part = VectorPart(*self._reader.beside.visible_rows(self._model_id, dim=self._dim))
                self._loaded = generation, Vectors([part], hidden=np.empty(0, np.int64))
            return self._loaded[1]


def find_bad_beside(catalog: Catalog) -> tuple[int, list[int]]:
    """Check that every vector beside is finite and of unit length; odd sizes are left out.

    Returns:
        How many were checked, and the ids, those of their rows, of the ones that are wrong.
    """
    checked = 0
    bad: list[int] = []
    for ids, rows in catalog.beside.blocks():
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        bad += ids[~(np.abs(norms - 1) < 1e-3)].tolist()  # NaN compares false and so is bad
        checked += len(ids)
    return checked, bad
