"""Whether two images are the same to the last bit, once decoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.types.duplicates import Relation, Verdict


def may_have_same_pixels(first: Picture, second: Picture, relation: Relation) -> bool:
    """Return whether decoding both files whole could show them to have the same pixels."""
    return (first.width, first.height) == (second.width, second.height)


def compare_pixels(
    first: NDArray[np.uint8], second: NDArray[np.uint8], relation: Relation
) -> Relation:
    """Return ``SAME_PIXELS`` if two whole decoded images are equal, otherwise ``relation``.

    Args:
        first, second: uint8, shape (h, w, 3), upright, of full size.
        relation: what :func:`verify` said.
    """
    if first.shape == second.shape and np.array_equal(first, second):
        return Relation(Verdict.SAME_PIXELS, (Verdict.SAME_PIXELS,), 1.0)
    return relation
