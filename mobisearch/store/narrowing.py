"""Searches that compare with those vectors only that a structure names, or that are given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.store.catalog import CatalogReader, StructureRow
from mobisearch.store.tuning import COUNT
from mobisearch.store.vectors import (
    Candidates,
    FoundVector,
    Structure,
    VectorPart,
    Vectors,
    exact_scores,
)
from mobisearch.types import Embeddings

_MAX_SHARE = 0.25
"""Where more than this share of the vectors would be candidates, all of them are looked at."""

_MIN_VISIBLE = 0.75
"""Where fewer of the candidates than this can be returned, there is a second round with more."""

_GROWTH = 4
"""From round to round."""

_ROWS_PER_ROUND = 4096
"""Embeddings held at once while candidates are scored: 21 MB at d = 1280."""


@dataclass(frozen=True, slots=True)
class CompressedVectors:
    """A structure, and the vectors that are too new to be in it, at one generation.

    Attributes:
        gone: share of the vectors in the structure that searches may not return.
    """

    generation: int
    row: StructureRow
    structure: Structure
    newer: VectorPart
    hidden: NDArray[np.int64]
    gone: float

    def search(
        self, reader: CatalogReader, queries: Embeddings, k: int
    ) -> list[list[FoundVector] | None]:
        """Find the vectors most like each query among the candidates of the structure.

        Returns:
            For each query as :meth:`Vectors.search`, or None where so many candidates would be
            needed that comparing with all vectors is better.
        """
        results: list[list[FoundVector] | None] = [None] * len(queries)
        wanted = math.ceil(self.row.candidates * max(1.0, k / COUNT))
        asked = math.ceil(wanted / (1 - min(self.gone, 0.9)))
        probes = math.ceil(self.row.probes * max(1.0, k / COUNT))
        pending = list(range(len(queries)))
        tail = Vectors([self.newer], hidden=self.hidden)
        newest = tail.search(queries, k) if len(tail) else [[] for _ in queries]
        while pending and asked <= _MAX_SHARE * len(self.structure):
            found = self._scored(reader, queries[pending], asked, probes)
            is_all = asked >= len(self.structure) and probes >= self.structure.n_lists
            left = []
            for number, candidates in zip(pending, found, strict=True):
                if len(candidates) < _MIN_VISIBLE * wanted and not is_all:
                    left.append(number)
                else:
                    new = newest[number]
                    ids = np.array([entry.vector_id for entry in new], np.int64)
                    candidates.add(ids, np.array([entry.score for entry in new], np.float64))
                    results[number] = candidates.best(k)
            pending, asked, probes = left, asked * _GROWTH, probes * _GROWTH
        return results

    def _scored(
        self, reader: CatalogReader, queries: Embeddings, asked: int, probes: int
    ) -> list[Candidates]:
        """Return the candidates of each query that searches may return, scored exactly."""
        found = self.structure.candidates(queries, asked, probes=probes)
        n_together = max(1, _ROWS_PER_ROUND // asked)
        results: list[Candidates] = []
        for start in range(0, len(queries), n_together):
            end = start + n_together
            results += score_candidates(reader, queries[start:end], found[start:end])
        return results


def score_candidates(
    reader: CatalogReader, queries: Embeddings, found: Sequence[NDArray[np.int64]]
) -> list[Candidates]:
    """Score candidates of some queries; what several of them have in common is read once."""
    results = [Candidates() for _ in queries]
    wanted = np.sort(np.concatenate(found))
    wanted = wanted[np.diff(wanted, prepend=-1) > 0]  # np.unique loads a large part of numpy
    for start in range(0, len(wanted), _ROWS_PER_ROUND):
        some = wanted[start : start + _ROWS_PER_ROUND].tolist()
        ids, rows = reader.some_vectors(some, dim=queries.shape[1], only_visible=True)
        if not len(ids):
            continue
        for query, own, candidates in zip(queries, found, results, strict=True):
            places = np.searchsorted(ids, own).clip(max=len(ids) - 1)
            places = places[ids[places] == own]
            candidates.add(ids[places], exact_scores(rows[places], query))
    return results
