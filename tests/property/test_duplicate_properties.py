"""Copies: the join is complete, and groups are the same however pairs and contents are ordered."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mobisearch.duplicates import join
from mobisearch.duplicates.grouping import group_copies
from mobisearch.duplicates.join import join_rows
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.duplicates.rows import MemoryRows
from mobisearch.types import Relation, Verdict

VERDICTS = (Verdict.RECOMPRESSED, Verdict.CROPPED, Verdict.SIMILAR_SHOT, Verdict.UNRELATED)
SHARES = st.sampled_from([1.0, 0.7, 0.5, 0.3])


class KnownComparer:
    """Answers from a list of pairs."""

    def __init__(self, pairs: list[ProvedPair]) -> None:
        self._known = {(pair.first, pair.second): pair.relation for pair in pairs}

    def relation(self, first: int, second: int) -> Relation:
        return self._known.get((first, second), Relation(Verdict.UNRELATED))


@st.composite
def proved_pairs(draw: st.DrawFn) -> list[ProvedPair]:
    n = draw(st.integers(2, 9))
    every = list(itertools.combinations(range(n), 2))
    chosen = draw(st.lists(st.sampled_from(every), unique=True, max_size=20))
    return [
        ProvedPair(
            first,
            second,
            draw(st.sampled_from([0.3, 0.6, 0.9])),
            Relation(
                draw(st.sampled_from(VERDICTS)),
                agreement=draw(st.sampled_from([0.7, 0.9, 1.0])),
                first_share=draw(SHARES),
                second_share=draw(SHARES),
                scale=draw(st.sampled_from([0.5, 1.0, 2.0])),
            ),
        )
        for first, second in chosen
    ]


def groups_of(
    pairs: list[ProvedPair], barred: dict[int, frozenset[int]] | None = None
) -> list[list[int]]:
    accepted = [pair for pair in pairs if pair.relation.is_copy]
    comparer = KnownComparer(pairs)
    return group_copies(pairs, comparer, accepted=accepted, barred=barred or {}).groups()  # type: ignore[arg-type]


@given(proved_pairs(), st.randoms(use_true_random=False))
def test_the_order_of_pairs_changes_no_group(pairs: list[ProvedPair], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert groups_of(shuffled) == groups_of(pairs)


@given(proved_pairs())
def test_groups_are_disjoint_of_two_or_more_and_linked_by_copies(pairs: list[ProvedPair]) -> None:
    groups = groups_of(pairs)
    places = [place for group in groups for place in group]
    assert len(places) == len(set(places))
    links = {(p.first, p.second) for p in pairs if p.relation.is_copy}
    for group in groups:
        assert len(group) > 1
        reached, edge = {group[0]}, [group[0]]
        while edge:
            place = edge.pop()
            new = {other for other in group if (min(place, other), max(place, other)) in links}
            edge += new - reached
            reached |= new
        assert reached == set(group)


@given(proved_pairs(), st.data())
def test_what_was_told_apart_is_never_in_one_group(
    pairs: list[ProvedPair], data: st.DataObject
) -> None:
    apart = data.draw(st.sets(st.integers(0, 8), min_size=2, max_size=4))
    barred = {place: frozenset(apart - {place}) for place in apart}
    assert all(len(apart & set(group)) < 2 for group in groups_of(pairs, barred))


@given(
    st.integers(0, 30),
    st.integers(1, 5),
    st.floats(-1, 1, width=16),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 2**31),
)
def test_the_join_finds_exactly_the_pairs_above_a_score(
    n: int, dim: int, least: float, outer: int, inner: int, seed: int
) -> None:
    rows = np.random.default_rng(seed).standard_normal((n, dim))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    wide = rows.astype(np.float64)
    before = join._OUTER, join._INNER
    join._OUTER, join._INNER = outer, inner
    try:
        found = join_rows(MemoryRows(rows), least, max_pairs=10**6)
    finally:
        join._OUTER, join._INNER = before
    expected = {
        (first, second)
        for first, second in itertools.combinations(range(n), 2)
        if round(float((wide[first] * wide[second]).sum()), 6) >= least
    }
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert (np.diff(found.scores) <= 0).all()
