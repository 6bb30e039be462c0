"""Groups of copies: copies chain, similar shots never do, and no group mixes two originals.

Copies that show the same whole are joined first, the surest first. Parts of a whole come after
that, since a collage has parts too, of several originals.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from mobisearch.duplicates.clusters import Clusters
from mobisearch.duplicates.comparing import Comparer
from mobisearch.duplicates.parts import join_parts
from mobisearch.duplicates.proving import WHOLE_SHARE, ProvedPair
from mobisearch.types import Relation, Verdict

_N_WITNESSES = 3
"""Members of each of two clusters that are compared with one another before the two are joined."""

_LEAST_SUPPORT = 1 / 3
"""Of what was compared between two clusters, how much has to be copies."""

_SURE_AGREEMENT = 0.97
_MORE_IF_SURE = 3
"""A pair that agrees so well is a copy even if some others pass for similar shots, as heavily
altered copies do among one another: it counts so many times more."""

_MOST_ASKED = 8
"""Members of each of two clusters that are compared before similar shots keep the two apart."""

_LEAST_CHAIN = 0.3
"""Of the area that is shared along a chain, how much must be left at its end."""


class Grouping:
    """Clusters in the making."""

    def __init__(
        self,
        pairs: Sequence[ProvedPair],
        comparer: Comparer,
        accepted: Sequence[ProvedPair],
        barred: Mapping[int, frozenset[int]],
    ) -> None:
        """Take what is known.

        Args:
            pairs: all that were compared, copies or not.
            accepted: those of them that are taken for copies.
            barred: by place, the places that the user said are different pictures.
        """
        self.known: dict[tuple[int, int], Relation] = {
            (pair.first, pair.second): pair.relation for pair in pairs
        }
        self._comparer = comparer
        self._accepted = accepted
        self._barred = barred
        self._clusters = Clusters()
        self._members: dict[int, list[int]] = {}
        self._shares: dict[int, float] = {}  # with what stands for the cluster
        self._links: dict[int, set[int]] = {}
        for pair in pairs:
            self._link(pair.first, pair.second, pair.relation)

    def members(self, place: int) -> list[int]:
        """Return the cluster of a place, the one that stands for it first."""
        return self._members.get(self._clusters.find(place), [place])

    def is_together(self, first: int, second: int) -> bool:
        """Say whether two places are in one cluster."""
        return self._clusters.find(first) == self._clusters.find(second)

    def is_barred(self, first: int, second: int) -> bool:
        """Say whether the user told any two apart that are in the clusters of two places."""
        theirs = set(self.members(second))
        return any(self._barred.get(place, frozenset()) & theirs for place in self.members(first))

    def relation(self, first: int, second: int) -> Relation:
        """Return what two places are to one another, comparing them if need be."""
        if (first, second) in self.known:
            return self.known[first, second]
        if (second, first) in self.known:
            return self.known[second, first].reversed()
        found = self._comparer.relation(*sorted((first, second)))
        self.known[min(first, second), max(first, second)] = found
        self._link(first, second, found)
        return found if first < second else found.reversed()

    def _link(self, first: int, second: int, relation: Relation) -> None:
        if relation.verdict is Verdict.SIMILAR_SHOT or relation.is_copy:
            self._links.setdefault(first, set()).add(second)
            self._links.setdefault(second, set()).add(first)

    def cross_relations(self, first: int, second: int) -> list[Relation]:
        """Return what is known between the clusters of two places, unrelated pairs left out."""
        theirs = set(self.members(second))
        return [
            self.relation(place, other)
            for place in self.members(first)
            for other in sorted(self._links.get(place, set()) & theirs)
        ]

    def join_whole(self, pair: ProvedPair) -> bool:
        """Join the clusters of two copies of the same whole, if nothing speaks against it."""
        first, second = pair.first, pair.second
        if self.is_together(first, second):
            return True
        if self.is_barred(first, second) or not self._is_supported(pair):
            return False
        self.join(first, second, min(pair.relation.first_share, pair.relation.second_share))
        return True

    def join(self, first: int, second: int, share: float) -> None:
        """Join the clusters of two places that share so much of their area."""
        ours, theirs = self.members(first), self.members(second)
        if (len(theirs), -theirs[0]) > (len(ours), -ours[0]):
            first, second, ours, theirs = second, first, theirs, ours
        through = self._shares.get(first, 1.0) * share * self._shares.get(second, 1.0)
        for place in theirs:
            self._shares[place] = through * (
                self._shares.get(place, 1.0) if place != second else 1.0
            )
        self._members[self._clusters.join(first, second)] = [*ours, *theirs]

    def _is_supported(self, pair: ProvedPair) -> bool:
        """Say whether more than one pair speaks for joining two clusters, where there are more."""
        first, second = pair.first, pair.second
        ours, theirs = self.members(first), self.members(second)
        if _are_similar(self.cross_relations(first, second)):
            self._ask_more(first, second)  # pairs that were passed over may tell
            if _are_similar(self.cross_relations(first, second)):
                return False
        n_copies = sum(relation.is_copy for relation in self.cross_relations(first, second))
        if len(ours) == len(theirs) == 1:
            return True
        if len(ours) > 1 and len(theirs) > 1:
            witnesses = itertools.product(ours[:_N_WITNESSES], theirs[:_N_WITNESSES])
            asked = {*witnesses, (first, second)}
            found = [self.relation(*each) for each in sorted(asked)]
            n_copies = sum(relation.is_copy for relation in found)
            return n_copies >= 2 and n_copies >= _LEAST_SUPPORT * len(found)
        single, inside = (first, second) if len(ours) == 1 else (second, first)
        top = self.members(inside)[0]
        if top == inside or self.relation(single, top).is_copy or n_copies > 1:
            return True
        share = min(pair.relation.first_share, pair.relation.second_share)
        return share * self._shares.get(inside, 1.0) >= _LEAST_CHAIN

    def _ask_more(self, first: int, second: int) -> None:
        """Compare each of two places with the cluster of the other."""
        for place, others in ((first, self.members(second)), (second, self.members(first))):
            for other in others[:_MOST_ASKED]:
                self.relation(place, other)

    def groups(self) -> list[list[int]]:
        """Return the clusters of two or more, each ascending, by their smallest member."""
        tops = {self._clusters.find(place) for place in self._members}
        found = [sorted(self._members[top]) for top in sorted(tops)]
        return [members for members in found if len(members) > 1]

    @property
    def links(self) -> Mapping[int, Sequence[ProvedPair]]:
        """By place, the pairs of copies that it is one of, both in one cluster."""
        found: dict[int, list[ProvedPair]] = {}
        for pair in self._accepted:
            if self.is_together(pair.first, pair.second):
                found.setdefault(pair.first, []).append(pair)
                found.setdefault(pair.second, []).append(pair)
        return found


def group_copies(
    pairs: Sequence[ProvedPair],
    comparer: Comparer,
    *,
    accepted: Iterable[ProvedPair],
    barred: Mapping[int, frozenset[int]],
) -> Grouping:
    """Chain copies into clusters.

    The same for the same pairs in any order.

    Args:
        pairs: all that were compared.
        accepted: those of them that are taken for copies.
        barred: by place, the places that the user said are different pictures.
    """
    ordered = sorted(accepted, key=_surest_first)
    grouping = Grouping(pairs, comparer, ordered, barred)
    for pair in ordered:
        if _least_share(pair.relation) >= WHOLE_SHARE:
            grouping.join_whole(pair)
    join_parts(grouping, [p for p in ordered if _least_share(p.relation) < WHOLE_SHARE])
    return grouping


def _are_similar(found: Sequence[Relation]) -> bool:
    """Say whether more of what is known are similar shots than copies."""
    n_copies = sum(relation.is_copy for relation in found)
    n_sure = sum(r.is_copy and r.agreement >= _SURE_AGREEMENT for r in found)
    return len(found) - n_copies >= n_copies + _MORE_IF_SURE * n_sure


def _least_share(relation: Relation) -> float:
    return min(relation.first_share, relation.second_share)


def _surest_first(pair: ProvedPair) -> tuple[float, float, int, int]:
    return -round(pair.relation.agreement, 4), -pair.score, pair.first, pair.second
