"""The vectors of an index as searches see them: all, or those that a structure names."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mobisearch.errors import ModelChangedError
from mobisearch.store.cache import read_segment, refresh_cache
from mobisearch.store.catalog import CatalogReader, CatalogWriter, ModelRow
from mobisearch.store.layout import IndexLayout
from mobisearch.store.narrowing import CompressedVectors, score_candidates
from mobisearch.store.structures import read_structure, refresh_structure
from mobisearch.store.vectors import (
    FoundVector,
    Structure,
    VectorPart,
    Vectors,
)
from mobisearch.types import Embeddings

_LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class LoadedVectors:
    """All vectors at one generation.

    Attributes:
        segments: what came from FAISS files, by name.
        stale: names of files that are missing or damaged.
    """

    generation: int
    vectors: Vectors
    segments: Mapping[str, VectorPart]
    stale: tuple[str, ...]


def load_vectors(
    layout: IndexLayout,
    reader: CatalogReader,
    *,
    dim: int,
    loaded: Mapping[str, VectorPart] = MappingProxyType({}),
) -> LoadedVectors:
    """Load every vector: from segment files where those are sound, else from the catalog.

    Cost: reads and hashes each segment file that is not loaded yet.

    Args:
        reader: inside a snapshot, so that its answers belong together.
        loaded: segment files that have been read before, by name; a file never changes.

    Raises:
        IndexDamagedError: the catalog's own vectors are damaged.
    """
    listing = reader.vector_listing()
    parts: list[VectorPart] = []
    sound: dict[str, VectorPart] = {}
    stale: list[str] = []
    for segment in listing.segments:
        part = loaded.get(segment.name) or read_segment(layout, segment, dim=dim)
        if part is None:
            stale.append(segment.name)
            part = VectorPart(*reader.vectors(segment.first_id, segment.last_id, dim=dim))
        else:
            sound[segment.name] = part
        parts.append(part)
    newer = max((segment.last_id for segment in listing.segments), default=0) + 1
    parts.append(VectorPart(*reader.vectors(newer, _LAST_ID, dim=dim)))
    vectors = Vectors(parts, hidden=listing.hidden)
    return LoadedVectors(listing.generation, vectors, sound, tuple(stale))


class LiveVectors:
    """The vectors of an index as of its newest commit. Safe to search from several threads."""

    def __init__(self, layout: IndexLayout, reader: CatalogReader, *, model: ModelRow) -> None:
        self._layout = layout
        self._reader = reader
        self._model = model
        self._dim = model.dim
        self._checked: int | None = None  # the last generation that was seen to be of this model
        self._lock = threading.Lock()
        self._loaded: LoadedVectors | None = None
        self._compressed: CompressedVectors | None = None
        self._unsound: str | None = None  # name of a structure's file that was not what it should
        self._sound: frozenset[str] = frozenset()

    def search(
        self, queries: Embeddings, k: int, *, exact: bool = False
    ) -> list[list[FoundVector]]:
        """Find the vectors most like each query; see :meth:`Vectors.search`.

        Where the index has a structure, the candidates are those that it names, and the vectors
        that are newer; scores are exact all the same. Loads what is new first if there is a commit
        that has not been seen. Inside a snapshot of the reader, the vectors are those of the
        snapshot.

        Args:
            exact: compare with every vector.

        Raises:
            ModelChangedError: the vectors are of another model by now.
        """
        if not len(queries):
            return []
        with self._reader.snapshot():
            self.check_model()
            compressed = None if exact else self._newest_compressed()
            if compressed is None:
                return self._newest_loaded().vectors.search(queries, k)
            results = compressed.search(self._reader, queries, k)
            left = [number for number, result in enumerate(results) if result is None]
            if left:
                found = self._newest_loaded().vectors.search(queries[left], k)
                for number, result in zip(left, found, strict=True):
                    results[number] = result
        return [result for result in results if result is not None]

    def search_among(
        self, queries: Embeddings, k: int, ids: NDArray[np.int64]
    ) -> list[list[FoundVector]]:
        """Find the vectors most like each query among some, exactly; see :meth:`Vectors.search`.

        Cost: all of them are read from the catalog, some microseconds each.

        Args:
            ids: of vectors. Those that searches may not return are left out.

        Raises:
            ModelChangedError: the vectors are of another model by now.
        """
        with self._reader.snapshot():
            self.check_model()
            found = (
                score_candidates(self._reader, queries, [ids] * len(queries))
                if len(queries)
                else []
            )
        return [candidates.best(k) for candidates in found]

    def check_model(self) -> None:
        """Raise ModelChangedError if another model came into use since the index was opened."""
        generation = self._reader.generation()
        if generation != self._checked:
            if self._reader.model().fingerprint != self._model.fingerprint:
                raise ModelChangedError(self._reader.location, self._model.label)
            self._checked = generation

    def _newest_loaded(self) -> LoadedVectors:
        with self._lock:
            if self._loaded is None or self._loaded.generation != self._reader.generation():
                known = self._loaded.segments if self._loaded else {}
                self._loaded = load_vectors(self._layout, self._reader, dim=self._dim, loaded=known)
                self._sound |= self._loaded.segments.keys()
            return self._loaded

    def _newest_compressed(self) -> CompressedVectors | None:
        with self._lock:
            known, generation = self._compressed, self._reader.generation()
            if known is None or known.generation != generation:
                self._compressed = self._load_compressed(generation)
            return self._compressed

    def _load_compressed(self, generation: int) -> CompressedVectors | None:
        row, known = self._reader.structure(), self._compressed
        if row is None or row.name == self._unsound:
            return None
        if known is not None and known.row.name == row.name:
            structure: Structure | None = known.structure
            newer = known.newer  # some of them may be gone by now
        else:
            structure = read_structure(self._layout, row, dim=self._dim)
            newer = VectorPart(np.empty(0, np.int64), np.empty((0, self._dim), np.float32))
        if structure is None:
            self._unsound = row.name
            return None
        last_id = max(row.last_id, *newer.ids[-1:].tolist(), 0)
        ids, rows = self._reader.vectors(last_id + 1, _LAST_ID, dim=self._dim)
        if len(ids):
            newer = VectorPart(np.append(newer.ids, ids), np.append(newer.rows, rows, axis=0))
        self._sound |= {row.name}
        n_stored = self._reader.count_vectors() - self._reader.count_newer(row.last_id)
        n_hidden = self._reader.count_missing()
        gone = max(0.0, (row.n - n_stored + n_hidden) / row.n)
        visible = self._reader.visible_after(row.last_id)
        hidden = np.setdiff1d(newer.ids, visible, assume_unique=True)
        return CompressedVectors(generation, row, structure, newer, hidden, gone)

    def refresh(self, writer: CatalogWriter, stop: threading.Event | None = None) -> None:
        """Bring the files up to date with the catalog.

        See :func:`refresh_cache` and :func:`refresh_structure`.

        Args:
            stop: once it is set, the rest is left to the next time.
        """
        is_stopped = stop.is_set if stop else lambda: False
        known = self._sound
        sound: frozenset[str] = frozenset()
        for refresh in (refresh_cache, refresh_structure):  # searches go on meanwhile
            sound |= refresh(
                self._layout, writer, dim=self._dim, sound=known, is_stopped=is_stopped
            )
        with self._lock:
            self._sound = sound | (self._sound - known)
