"""Vectors in memory and in FAISS files: exact and approximate search. The only home of FAISS.

Knows no catalog: ids and rows come in, ids and scores go out.
"""

from mobisearch.store.vectors.compressed import (
    Structure,
    deserialise_structure,
    find_projection,
    kind_of,
    new_structure,
)
from mobisearch.store.vectors.exact import (
    Candidates,
    FoundVector,
    VectorPart,
    Vectors,
    exact_scores,
)
from mobisearch.store.vectors.segments import deserialise, serialise, serialised_bytes

__all__ = [
    "Candidates",
    "FoundVector",
    "Structure",
    "VectorPart",
    "Vectors",
    "deserialise",
    "deserialise_structure",
    "exact_scores",
    "find_projection",
    "kind_of",
    "new_structure",
    "serialise",
    "serialised_bytes",
]
