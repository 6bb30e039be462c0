"""Searches among some of the vectors: all of those are compared, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mobisearch.store.catalog import CatalogReader
from mobisearch.store.vectors import Candidates, FoundVector, exact_scores
from mobisearch.types import Embeddings

_ROWS_PER_ROUND = 4096
"""Embeddings held at once: 21 MB at d = 1280."""


def search_among(
    reader: CatalogReader, query: Embeddings, k: int, ids: NDArray[np.int64]
) -> list[FoundVector]:
    """Return the k vectors of some that are most like a query, best first, ties by id.

    More than k where several tie for the last place. Cost: reads all of them from the catalog.

    Args:
        query: float32, shape (1, d), a unit row.
        ids: of vectors, each once; those that searches may not return are passed over.
    """
    best = Candidates()
    for start in range(0, len(ids), _ROWS_PER_ROUND):
        some = ids[start : start + _ROWS_PER_ROUND].tolist()
        found, rows = reader.some_vectors(some, dim=query.shape[1], only_visible=True)
        if len(found):
            best.add(found, exact_scores(rows, query[0]))
    return best.best(k)
