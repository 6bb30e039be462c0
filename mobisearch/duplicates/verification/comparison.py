"""The second look at two images that may be copies: proves how they are related, and names it."""

from __future__ import annotations

from mobisearch.duplicates.verification.preparation import Prepared
from mobisearch.types.duplicates import Relation, Verdict


def verify(first: Prepared, second: Prepared) -> Relation:
    """Prove how two images are related, and name it.

    Deterministic; may be called from many threads, and lets others run while it computes. Exchanged
    arguments give the reversed relation up to rounding. Never says ``SAME_PIXELS``: small pictures
    cannot prove that, :func:`compare_pixels` does.
    """
    if first.picture.sha256 and first.picture.sha256 == second.picture.sha256:
        return Relation(Verdict.SAME_FILE, (Verdict.SAME_FILE,), 1.0)
    return Relation(Verdict.UNRELATED)


def needs_closer_look(first: Prepared, second: Prepared, relation: Relation) -> bool:
    """Return whether pixels of ``CLOSE_PX`` could change what thumbnails have proved.

    Such pairs are to be prepared again from larger pixels and given to :func:`verify`; the answer
    to that is final.
    """
    return False
