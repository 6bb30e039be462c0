"""The second look at two images that may be copies: proves how they are related, and names it."""

from __future__ import annotations

from dataclasses import dataclass

from mobisearch.duplicates.verification.algebra import use_one_thread
from mobisearch.duplicates.verification.alignment import Alignment, Start, iter_alignments
from mobisearch.duplicates.verification.geometry import Geometry, measure_geometry
from mobisearch.duplicates.verification.judgement import (
    PLAUSIBLE_SHARE,
    SCENE_SPREAD,
    Findings,
    Judgement,
    has_structure,
    judge,
    judge_scene,
    lies_like_a_copy,
)
from mobisearch.duplicates.verification.mosaic import is_mosaic
from mobisearch.duplicates.verification.naming import FADED_WORDS, name_relation
from mobisearch.duplicates.verification.overlap import Overlap, make_overlap
from mobisearch.duplicates.verification.patches import find_differences
from mobisearch.duplicates.verification.pictures import CLOSE_PX
from mobisearch.duplicates.verification.plainness import find_plain_copy
from mobisearch.duplicates.verification.preparation import Prepared
from mobisearch.types.duplicates import Relation, Verdict

_UNSETTLED = 0.25
"""Agreement of similar shots from which on they might be copies after all, with a faint mark."""

_MANY_VOTES = 24
"""Key points that agree, from which on the same holds: small windows miss what is faint."""

_HOPEFUL = 0.45
"""The same, from which on they stay similar shots if they are no copies."""

_FADED_SETTLED = 0.6
"""Agreement, before fading is seen, of copies whose edges fade: less is also had from two pages,
whose writing thumbnails do not show, under one shadow."""

_SETTLED = 0.9
"""Agreement of copies that need no closer look."""


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What a look at thumbnails gives.

    Attributes:
        start: how they lie on one another, None if they are not known to.
    """

    relation: Relation
    start: Start | None = None


def verify(first: Prepared, second: Prepared) -> Relation:
    """Prove how two images are related, and name it.

    Deterministic; may be called from many threads, and lets others run while it computes. Exchanged
    arguments give the reversed relation up to rounding. Never says ``SAME_PIXELS``: small pictures
    cannot prove that, :func:`compare_pixels` does.
    """
    return look(first, second).relation


def look(first: Prepared, second: Prepared) -> Outcome:
    """Return what :func:`verify` does, and how the two lie on one another."""
    if first.picture.sha256 and first.picture.sha256 == second.picture.sha256:
        return Outcome(Relation(Verdict.SAME_FILE, (Verdict.SAME_FILE,), 1.0))
    use_one_thread()
    plain = find_plain_copy(first, second)
    if plain is not None:
        return Outcome(plain)
    similar = Outcome(Relation(Verdict.UNRELATED))
    for alignment in iter_alignments(first, second):
        relation = _look_at(alignment, first, second)
        if relation.is_copy:
            return Outcome(relation, alignment.start)
        is_better = relation.agreement >= similar.relation.agreement
        if relation.verdict == Verdict.SIMILAR_SHOT and is_better:
            similar = Outcome(relation, alignment.start)
    return similar


def look_closer(first: Prepared, second: Prepared, outcome: Outcome) -> Relation:
    """Return what pictures of ``CLOSE_PX`` prove of two that thumbnails could not settle.

    Nothing is tried but what begins where thumbnails lie on one another: of those that it did not
    prove to be copies, no other way did.

    Args:
        outcome: what a look at their thumbnails gave.
    """
    use_one_thread()
    start = outcome.start
    if outcome.relation.is_copy and (is_mosaic(first.grey) or is_mosaic(second.grey)):
        return outcome.relation  # thumbnails show all that there is
    alignment = start.align(first, second) if start is not None else None
    if start is None or alignment is None:
        return verify(first, second)
    relation = _look_at(alignment, first, second)
    if relation.is_copy:
        return relation
    if start.votes and start.spread < SCENE_SPREAD:  # no more than a mark on both
        return Relation(Verdict.UNRELATED)
    if relation.verdict == Verdict.UNRELATED and start.share >= _HOPEFUL:
        return Relation(Verdict.SIMILAR_SHOT, agreement=round(alignment.evidence.share, 4))
    return relation


def _look_at(alignment: Alignment, first: Prepared, second: Prepared) -> Relation:
    """Return what one way of lying on one another proves."""
    share = alignment.evidence.share
    judgement = judge_scene(alignment, first.picture, second.picture)
    geometry = None
    if share >= PLAUSIBLE_SHARE:
        geometry = measure_geometry(first.picture, second.picture, alignment.first_to_second)
    if geometry is not None:
        if not has_structure(alignment):
            return Relation(Verdict.UNRELATED)
        if lies_like_a_copy(alignment, geometry):
            found, overlap = _find(alignment, geometry, first, second)
            judgement = judge(found, first.picture, second.picture)
            if judgement == Judgement.COPY:
                return name_relation(found, overlap)
    if judgement == Judgement.NEITHER:
        return Relation(Verdict.UNRELATED)
    return Relation(Verdict.SIMILAR_SHOT, (), agreement=round(share, 4))


def _find(
    alignment: Alignment, geometry: Geometry, first: Prepared, second: Prepared
) -> tuple[Findings, Overlap]:
    overlap = make_overlap(alignment)
    differences = find_differences(overlap, alignment.evidence)
    return Findings(first, second, alignment, differences, geometry), overlap


def needs_closer_look(first: Prepared, second: Prepared, outcome: Outcome) -> bool:
    """Return whether pixels of ``CLOSE_PX`` could change what thumbnails have proved.

    Such pairs are to be prepared again from larger pixels and given to :func:`look_closer`; the
    answer to that is final. They are similar shots that agree in much or in many key points, copies
    with something laid over them that may be something that moved, copies whose edges fade, and
    files of one size from one camera that may be two shots of a burst.
    """
    relation, start = outcome.relation, outcome.start
    larger = any(max(p.picture.width, p.picture.height) > max(p.size) for p in (first, second))
    if not larger or max(*first.size, *second.size) >= CLOSE_PX:
        return False
    if relation.verdict == Verdict.SIMILAR_SHOT:
        has_points = start is not None and start.votes >= _MANY_VOTES
        return has_points or relation.agreement >= _UNSETTLED
    if not relation.is_copy or relation.verdict == Verdict.SAME_FILE:
        return False
    is_one_camera = first.picture.camera is not None and (
        first.picture.camera == second.picture.camera
    )
    is_one_size = {first.picture.width, first.picture.height} == {
        second.picture.width,
        second.picture.height,
    }
    has_marks = relation.verdict == Verdict.OVERLAID and "mark" in relation.detail
    is_faded = FADED_WORDS in relation.detail and (start is None or start.share < _FADED_SETTLED)
    return has_marks or is_faded or relation.agreement < _SETTLED or (is_one_camera and is_one_size)
