"""What a relation is called in a sentence for people."""

from __future__ import annotations

from mobisearch.types.duplicates import Relation


def describe(relation: Relation) -> str:
    """Return a short text such as ``"crop: 52 % of the picture, half the resolution"``.

    It speaks of the second image as seen from the first.
    """
    return relation.verdict.value
