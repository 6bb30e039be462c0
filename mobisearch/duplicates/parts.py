"""Parts of a whole: crops belong to the picture that they were cut from, but a collage to none.

Both look alike, pair by pair: one picture shows all of another, and more. What tells them apart is
how the parts of one whole lie together.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mobisearch.duplicates.clusters import Clusters
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.types import Relation, Verdict

_LEAST_PASTED_SHARE = 0.4
_MAX_PART_SCALE = 1.1
"""Of a whole that shows a part small, and with fewer pixels than the part has, it was not cut."""

_COLLAGE_SHARE = 0.75
"""Where parts that have nothing in common fill so much of a whole, it was put together from them.

Crops of a photo leave more than that out, overlap, or are so large that they must overlap."""

_LEAST_FRAMED_SHARE = 1 / 3
"""What a picture has of the page, or of the window, that shows it and nothing else. A sign that is
on many pages has less."""

_MOST_ASKED = 8
"""Parts that are compared with one another before a whole is taken for a collage of theirs."""


class Joinable(Protocol):
    """What joining parts needs of clusters in the making."""

    def members(self, place: int) -> list[int]:
        """Return the cluster of a place."""

    def is_together(self, first: int, second: int) -> bool:
        """Say whether two places are in one cluster."""

    def is_barred(self, first: int, second: int) -> bool:
        """Say whether the user told their clusters apart."""

    def relation(self, first: int, second: int) -> Relation:
        """Return what two places are to one another, comparing them if need be."""

    def cross_relations(self, first: int, second: int) -> list[Relation]:
        """Return what is known between two clusters."""

    def join(self, first: int, second: int, share: float) -> None:
        """Join two clusters."""


@dataclass(frozen=True, slots=True)
class Part:
    """That one picture shows all or most of another, among other things.

    Attributes:
        whole, part: places.
        share: of the whole, how much shows the part.
        scale: sides of the part over sides of the whole, where they show the same.
        is_cut: the whole goes on where the part ends: it was not pasted into it.
        is_framed: the whole has no other picture than the part.
    """

    whole: int
    part: int
    share: float
    scale: float
    is_cut: bool
    is_framed: bool

    @classmethod
    def of(cls, pair: ProvedPair) -> Part:
        """Return what a pair says of its whole: the one with the smaller share in common."""
        relation = pair.relation
        is_cut = relation.verdict is Verdict.CROPPED
        is_framed = relation.verdict is Verdict.OVERLAID and "border" in relation.detail
        whole, part, share, scale = pair.first, pair.second, relation.first_share, relation.scale
        if relation.first_share > relation.second_share:
            whole, part, share = part, whole, relation.second_share
            scale = 1 / scale if scale else 0.0
        return cls(whole, part, share, scale, is_cut, is_framed)


def join_parts(grouping: Joinable, pairs: Sequence[ProvedPair]) -> None:
    """Join parts to the cluster of their whole.

    Args:
        pairs: copies that share little of one of them, the surest first.
    """
    parts = [Part.of(pair) for pair in pairs]
    sound = [part for part in parts if not _is_pasted(part)]
    by_whole: dict[int, list[Part]] = {}
    for part in sound:
        by_whole.setdefault(grouping.members(part.whole)[0], []).append(part)
    ordered = sorted(by_whole.items(), key=lambda entry: (-_largest(entry[1]), entry[0]))
    chosen = [
        part for _, of_whole in ordered for part in _those_of_one_original(grouping, of_whole)
    ]
    own_copies = [_count_copies(grouping, part) for part in chosen]
    joined: set[int] = set()
    for part, n_own in zip(chosen, own_copies, strict=True):
        if grouping.is_together(part.whole, part.part) or grouping.is_barred(part.whole, part.part):
            continue
        is_taken = any(grouping.is_together(part.part, other) for other in joined)
        # What has a whole already may have another one only if the two wholes are copies, or if
        # there is no other picture in this one that could come along.
        is_lone = part.is_framed and part.share >= _LEAST_FRAMED_SHARE
        is_free = not is_taken or is_lone or _count_copies(grouping, part) > n_own
        if is_free and _agree(grouping, part):
            grouping.join(part.whole, part.part, part.share)
            joined.add(part.part)


def _count_copies(grouping: Joinable, part: Part) -> int:
    found = grouping.cross_relations(part.whole, part.part)
    return sum(relation.is_copy for relation in found)


def _is_pasted(part: Part) -> bool:
    return part.share < _LEAST_PASTED_SHARE and part.scale > _MAX_PART_SCALE


def _largest(parts: Sequence[Part]) -> float:
    return max(part.share for part in parts)


def _agree(grouping: Joinable, part: Part) -> bool:
    """Say whether at least half of what is known between two clusters are copies."""
    found = grouping.cross_relations(part.whole, part.part)
    return 2 * sum(relation.is_copy for relation in found) > len(found)


def _those_of_one_original(grouping: Joinable, parts: Sequence[Part]) -> list[Part]:
    """Return the parts of a whole that were cut from it, or none if it is a collage.

    Those are parts that have something in common, and parts where the whole goes on around them.
    """
    by_cluster: dict[int, Part] = {}
    for part in parts:
        top = grouping.members(part.part)[0]
        if top not in by_cluster or by_cluster[top].share < part.share:
            by_cluster[top] = part
    tops = sorted(by_cluster)
    overlapping = Clusters()
    for number, first in enumerate(tops):
        for second in tops[number + 1 :]:
            is_forced = by_cluster[first].share + by_cluster[second].share > 1
            found = grouping.cross_relations(first, second)
            if is_forced or any(relation.is_copy for relation in found):
                overlapping.join(first, second)
    sets, areas = _sets_of(overlapping, by_cluster)
    if _is_collage(areas):
        _ask_whether_they_overlap(grouping, by_cluster, overlapping)
        sets, areas = _sets_of(overlapping, by_cluster)
        if _is_collage(areas):
            return []
    largest = max(range(len(sets)), key=lambda number: (areas[number], -number))
    of_original = [
        [by_cluster[top] for top in tops]
        for number, tops in enumerate(sets)
        if number == largest or all(by_cluster[top].is_cut for top in (*tops, *sets[largest]))
    ]
    return list(itertools.chain.from_iterable(of_original))


def _sets_of(
    overlapping: Clusters, by_cluster: Mapping[int, Part]
) -> tuple[list[list[int]], list[float]]:
    """Return the parts that have something in common, and how much each such set shows at least."""
    sets = list(overlapping.sets(by_cluster).values())
    return sets, [_largest([by_cluster[top] for top in tops]) for tops in sets]


def _is_collage(areas: Sequence[float]) -> bool:
    return len(areas) > 1 and sum(areas) >= _COLLAGE_SHARE


def _ask_whether_they_overlap(
    grouping: Joinable, by_cluster: Mapping[int, Part], overlapping: Clusters
) -> None:
    """Compare parts that are not known to have anything in common, the largest of them."""
    largest = sorted(by_cluster, key=lambda top: (-by_cluster[top].share, top))[:_MOST_ASKED]
    for first, second in itertools.combinations(largest, 2):
        if overlapping.find(first) != overlapping.find(second):
            relation = grouping.relation(by_cluster[first].part, by_cluster[second].part)
            if relation.is_copy:
                overlapping.join(first, second)
