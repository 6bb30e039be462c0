"""What an index is asked, to see that it still gives the same answers."""

from __future__ import annotations

import numpy as np

from mobisearch import ImageIndex

Answers = list[list[tuple[int, float, str]]]


def answers(index: ImageIndex) -> Answers:
    """Return id, score and path of what some directions find, a list for each."""
    queries = np.random.default_rng(5).standard_normal((6, index.status().dim))
    return [
        [(m.image.id, m.score, m.image.path) for m in index.search_by_vector(query, k=100)]
        for query in queries
    ]
