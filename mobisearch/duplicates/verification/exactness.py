"""Whether two images are the same to the last bit, once decoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.types.duplicates import Relation, Verdict

_MOST_LEVELS = 8
"""By which thumbnails of equal pixels differ at most, made at two times by two decoders."""


def may_have_same_pixels(first: Picture, second: Picture, relation: Relation) -> bool:
    """Return whether decoding both files whole could show them to have the same pixels.

    Worth it only for two of one size whose thumbnails are all but equal; so for pictures with
    nothing in them too, of which thumbnails prove nothing.
    """
    if (first.width, first.height) != (second.width, second.height):
        return False
    if relation.verdict == Verdict.SAME_FILE or first.pixels.shape != second.pixels.shape:
        return False
    apart = np.abs(first.pixels.astype(np.int16) - second.pixels)
    return bool(apart.max() <= _MOST_LEVELS)


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
