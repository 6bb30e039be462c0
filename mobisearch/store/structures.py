"""The file for approximate search: built, added to and read; a cache of the catalog like segments.

Below some thousands of vectors there is none: comparing with every vector is as fast. Losing the
file loses nothing; searches compare with every vector until the next writer makes it again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from mobisearch.store.cache import listed_files
from mobisearch.store.catalog import Catalog, CatalogWriter, StructureRow, now
from mobisearch.store.layout import IndexLayout
from mobisearch.store.tuning import Setting, Truth, tune
from mobisearch.store.vectors import (
    Structure,
    deserialise_structure,
    find_projection,
    kind_of,
    new_structure,
)
from mobisearch.types import Embeddings

_MIN_VECTORS = 20_000
"""Below, comparing with every vector takes a millisecond or two."""

_MIN_FOR_LISTS = 200_000
"""From here on vectors are sorted into lists, of which a search looks at some."""

_MAX_DIRECTIONS = 384
"""Bits for each vector. Measured at d = 1280: as good as 1280 of them, and three times as fast."""

_PROJECTION_SAMPLE = 16_384
_SAMPLE_PER_LIST = 64
"""Vectors that directions and lists are found with; FAISS asks for 39 for each list at least."""

_MAX_QUERIES = 256
"""Stored vectors that recall is measured with: 2560 results."""

_MIN_TAIL = 4_096
_MAX_TAIL_SHARE = 0.01
"""More newer vectors than this, and than this share of all, are added to the structure; fewer are
compared one by one, from memory."""

_MAX_GONE_SHARE = 0.25
_MAX_GROWTH = 2
"""A structure is trained anew when more of it is gone, or when there are as many times more vectors
as when it was trained."""

_ROWS_PER_BLOCK = 8_192
"""Vectors that are read at once: 42 MB at d = 1280, some copies of that at times."""

_SEED = 1
_KIND = "ann"


class _StoppedError(Exception):
    """Somebody asked to stop; nothing has been changed."""


def read_structure(layout: IndexLayout, row: StructureRow, *, dim: int) -> Structure | None:
    """Return what is in the file, or None unless it is what the catalog says.

    It is read whole, not mapped into memory: it is small, its hash has to be known before FAISS
    sees it, and a mapped file that another process cuts short would end this one.
    """
    data = layout.read_segment(row.name, row.size_bytes)
    if data is None or hashlib.sha256(data).hexdigest() != row.sha256:
        return None
    structure = deserialise_structure(data, kind=row.kind, n=row.n, dim=dim)
    if structure is None or structure.dim != row.dim:
        return None
    is_listed = row.first_id <= structure.ids[0] and structure.ids[-1] <= row.last_id
    return structure if is_listed else None


def find_stale_structures(layout: IndexLayout, catalog: Catalog, *, dim: int) -> list[str]:
    """Return the name of the file for approximate search if it is not what the catalog says."""
    row = catalog.structure()
    if row is None or read_structure(layout, row, dim=dim) is None:
        return sorted(catalog.structure_names())
    return []


def refresh_structure(
    layout: IndexLayout,
    writer: CatalogWriter,
    *,
    dim: int,
    sound: Collection[str] = (),
    is_stopped: Callable[[], bool] = lambda: False,
) -> frozenset[str]:
    """Bring the file for approximate search up to date with the catalog. Needs the writer lock.

    Cost: training reads all vectors once and some of them up to three times, block by block: half a
    minute for a million. Adding new vectors reads these, and writes the file again, which is some
    fifty times smaller than the vectors.

    Args:
        sound: names of files that were whole when they were read or written; of those, only the
            size is looked at.
        is_stopped: asked before each block; the rest is left to the next time.

    Returns:
        The name of the file, if it is sound now.

    Raises:
        StorageError: the disk is full or failing; the old file and the catalog are as before.
    """
    builder = _Builder(layout, writer, dim, is_stopped)
    try:
        name = builder.refresh(sound)
    except _StoppedError:
        return frozenset(sound) & writer.structure_names()
    layout.remove_strays(listed_files(writer))
    return frozenset() if name is None else frozenset({name})


class _Builder:
    """One refresh."""

    def __init__(
        self, layout: IndexLayout, writer: CatalogWriter, dim: int, is_stopped: Callable[[], bool]
    ) -> None:
        self._layout = layout
        self._writer = writer
        self._dim = dim
        self._is_stopped = is_stopped

    def refresh(self, sound: Collection[str]) -> str | None:
        """Do what has to be done, and return the name of the file that is there then."""
        target, n = self._writer.recall_target(), self._writer.count_vectors()
        if target == 1 or n < _MIN_VECTORS:
            if self._writer.structure_names():
                self._writer.replace_structure(None)
            return None
        row = self._writer.structure()
        if row is None or row.recall_target != target:
            if row is None and self._was_refused(target, n):
                return None
            return self._build(target, n)
        if row.name in sound and self._layout.has_segment(row.name, row.size_bytes):
            is_sound = True
        else:
            is_sound = read_structure(self._layout, row, dim=self._dim) is not None
        n_newer = self._writer.count_newer(row.last_id)
        is_outgrown = n >= _MAX_GROWTH * row.n_trained
        if not is_sound or is_outgrown or row.n - (n - n_newer) > _MAX_GONE_SHARE * row.n:
            return self._build(target, n)
        if n_newer > max(_MIN_TAIL, _MAX_TAIL_SHARE * n):
            return self._append(row)
        return row.name

    def _was_refused(self, target: float, n: int) -> bool:
        """Say whether the target was missed before, with about as many vectors."""
        note = read_note(self._writer)
        return note is not None and note["target"] == target and n < _MAX_GROWTH * note["n"]

    def _build(self, target: float, n: int) -> str | None:
        """Train a structure, fill it and list it, unless it finds too little."""
        ids = self._writer.vector_ids()
        rng = np.random.default_rng(_SEED)
        kind = choose_kind(len(ids))
        m = min(self._dim, _MAX_DIRECTIONS)
        n_sample = max(_PROJECTION_SAMPLE, _SAMPLE_PER_LIST * _n_lists(len(ids)))
        sample = rng.permutation(ids)[:n_sample]
        projection = find_projection(self._blocks(sample[:_PROJECTION_SAMPLE]), m, seed=_SEED)
        structure = new_structure(kind, projection, self._blocks(sample))
        asked = np.sort(rng.permutation(ids)[:_MAX_QUERIES])
        truth = Truth(*self._writer.some_vectors(asked.tolist(), dim=self._dim))
        for block in self._ranges(ids):
            structure.add(*block)
            truth.add(*block)
        setting, is_reached = tune(structure, truth, target=target)
        if not is_reached:
            note = {"target": target, "n": n, "recall": setting.recall}
            self._writer.replace_structure(None, note=json.dumps(note))
            return None
        return self._publish(structure, setting, target, n_trained=n, queries=len(asked))

    def _append(self, row: StructureRow) -> str | None:
        """Add the vectors that are newer than a structure to it."""
        structure = read_structure(self._layout, row, dim=self._dim)
        if structure is None:
            return self._build(row.recall_target, self._writer.count_vectors())
        ids = self._writer.vector_ids()
        for block in self._ranges(ids[ids > row.last_id]):
            structure.add(*block)
        setting = Setting(row.probes, row.candidates, row.recall)
        return self._publish(
            structure, setting, row.recall_target, n_trained=row.n_trained, queries=row.queries
        )

    def _publish(
        self,
        structure: Structure,
        setting: Setting,
        target: float,
        *,
        n_trained: int,
        queries: int,
    ) -> str:
        self._check_stop()
        data = structure.serialise()
        name = self._layout.publish_segment(data, self._writer.generation() + 1, kind=_KIND)
        row = StructureRow(
            name=name,
            kind=structure.kind,
            dim=structure.dim,
            first_id=int(structure.ids[0]),
            last_id=int(structure.ids[-1]),
            n=len(structure),
            n_trained=n_trained,
            probes=setting.probes,
            candidates=setting.candidates,
            recall_target=target,
            recall=setting.recall,
            queries=queries,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            built_at=now(),
        )
        self._writer.replace_structure(row)
        return name

    def _check_stop(self) -> None:
        if self._is_stopped():
            raise _StoppedError

    def _blocks(self, ids: NDArray[np.int64]) -> Iterator[Embeddings]:
        """Give the rows of some vectors, in the order of their ids."""
        ordered = np.sort(ids)
        for start in range(0, len(ordered), _ROWS_PER_BLOCK):
            self._check_stop()
            block = ordered[start : start + _ROWS_PER_BLOCK].tolist()
            yield self._writer.some_vectors(block, dim=self._dim)[1]

    def _ranges(self, ids: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Embeddings]]:
        """Give vectors between which there are no others, ids and rows, block by block."""
        for start in range(0, len(ids), _ROWS_PER_BLOCK):
            self._check_stop()
            block = ids[start : start + _ROWS_PER_BLOCK]
            yield self._writer.vectors(int(block[0]), int(block[-1]), dim=self._dim)


def choose_kind(n: int) -> str:
    """Return the kind of structure for n vectors, as FAISS's factory names it."""
    return kind_of(_n_lists(n))


def _n_lists(n: int) -> int:
    """Return the power of two that is nearest to the root of n, 1 for structures without lists."""
    return max(2, 2 ** round(math.log2(math.sqrt(n)))) if n >= _MIN_FOR_LISTS else 1


def read_note(catalog: Catalog) -> dict[str, float] | None:
    """Return which target was missed, with how many vectors, and the recall that was reached."""
    try:
        note = json.loads(catalog.structure_note() or "null")
        return {key: float(note[key]) for key in ("target", "n", "recall")}
    except (ValueError, TypeError, KeyError):
        return None
