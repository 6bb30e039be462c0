"""Groups: copies chain, similar shots do not, and no group mixes two originals."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mobisearch.duplicates.grouping import group_copies
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.types import Verdict

NOBODY: Mapping[int, frozenset[int]] = {}


@pytest.fixture
def grouped(known_comparer: Any) -> Any:
    """A function: the groups of proved pairs, all copies among them accepted.

    What is passed over was not compared, and is known only to who asks.
    """

    def group(
        pairs: Sequence[ProvedPair],
        barred: Mapping[int, frozenset[int]] = NOBODY,
        passed_over: Sequence[ProvedPair] = (),
    ) -> list[list[int]]:
        accepted = [pair for pair in pairs if pair.relation.is_copy]
        comparer = known_comparer([*pairs, *passed_over])
        return group_copies(pairs, comparer, accepted=accepted, barred=barred).groups()

    return group


def test_copies_chain(grouped: Any, copy_pair: Any) -> None:
    pairs = [copy_pair(0, 1), copy_pair(1, 2), copy_pair(3, 4)]
    assert grouped(pairs) == [[0, 1, 2], [3, 4]]


def test_nothing_gives_no_groups(grouped: Any, copy_pair: Any) -> None:
    assert grouped([]) == []
    assert grouped([copy_pair(0, 1, verdict=Verdict.UNRELATED)]) == []


def test_similar_shots_never_chain(grouped: Any, copy_pair: Any) -> None:
    pairs = [
        copy_pair(0, 1),
        copy_pair(1, 2, verdict=Verdict.SIMILAR_SHOT),
        copy_pair(2, 3),
    ]
    assert grouped(pairs) == [[0, 1], [2, 3]]


def test_one_wrong_copy_among_similar_shots_is_the_link_that_breaks(
    grouped: Any, copy_pair: Any
) -> None:
    pairs = [
        copy_pair(0, 1),
        copy_pair(2, 3),
        copy_pair(0, 2, agreement=0.8),
        *(copy_pair(a, b, verdict=Verdict.SIMILAR_SHOT) for a, b in ((0, 3), (1, 2), (1, 3))),
    ]
    assert grouped(pairs) == [[0, 1], [2, 3]]


@pytest.mark.parametrize(("agreement", "expected"), [(0.99, [[0, 1, 2, 3]]), (0.9, [[0, 1, 2]])])
def test_a_pair_that_agrees_to_the_pixel_counts_more_than_some_similar_shots(
    agreement: float, expected: list[list[int]], grouped: Any, copy_pair: Any
) -> None:
    pairs = [
        *(copy_pair(a, b, agreement=1.0) for a, b in ((0, 1), (0, 2), (1, 2))),
        copy_pair(2, 3, agreement=agreement),
        *(copy_pair(a, 3, verdict=Verdict.SIMILAR_SHOT) for a in (0, 1)),
    ]
    assert grouped(pairs) == expected


def test_pairs_that_were_passed_over_are_asked_before_similar_shots_keep_two_apart(
    grouped: Any, copy_pair: Any
) -> None:
    pairs = [
        *(copy_pair(a, b, agreement=1.0) for a, b in ((0, 1), (0, 2), (0, 3), (0, 4))),
        copy_pair(0, 5, agreement=0.9),
        *(copy_pair(a, 5, verdict=Verdict.SIMILAR_SHOT) for a in (1, 2)),
    ]
    assert grouped(pairs) == [[0, 1, 2, 3, 4]]
    copies = [copy_pair(a, 5, agreement=0.9) for a in (3, 4)]
    assert grouped(pairs, passed_over=copies) == [[0, 1, 2, 3, 4, 5]]


def test_two_groups_are_not_joined_by_a_single_pair(grouped: Any, copy_pair: Any) -> None:
    ours = [copy_pair(0, 1), copy_pair(0, 2), copy_pair(1, 2)]
    theirs = [copy_pair(3, 4), copy_pair(3, 5), copy_pair(4, 5)]
    assert grouped([*ours, *theirs, copy_pair(2, 3, agreement=0.8)]) == [[0, 1, 2], [3, 4, 5]]
    more = [copy_pair(a, b, agreement=0.8) for a, b in ((2, 3), (0, 3), (1, 4))]
    assert grouped([*ours, *theirs, *more]) == [[0, 1, 2, 3, 4, 5]]


def test_images_that_were_told_apart_are_in_no_group_together(grouped: Any, copy_pair: Any) -> None:
    pairs = [copy_pair(0, 1), copy_pair(1, 2, agreement=0.9)]
    barred = {0: frozenset({2}), 2: frozenset({0})}
    assert grouped(pairs, barred) == [[0, 1]]
    assert grouped(pairs, {0: frozenset({1}), 1: frozenset({0})}) == [[1, 2]]


def test_a_chain_of_crops_ends_where_nothing_is_left_in_common(
    grouped: Any, copy_pair: Any
) -> None:
    pairs = [copy_pair(n, n + 1, shares=(0.6, 0.6), agreement=0.9) for n in range(4)]
    assert [len(group) for group in grouped(pairs)] != [5]


def test_crops_of_one_photo_that_overlap_are_one_group(grouped: Any, copy_pair: Any) -> None:
    pairs = [
        copy_pair(0, 1, shares=(0.3, 1.0), verdict=Verdict.CROPPED),
        copy_pair(0, 2, shares=(0.3, 1.0), verdict=Verdict.CROPPED),
        copy_pair(1, 2, shares=(0.4, 0.4), verdict=Verdict.CROPPED),
    ]
    assert grouped(pairs) == [[0, 1, 2]]


def test_a_collage_links_none_of_its_parts(grouped: Any, copy_pair: Any) -> None:
    parts = [copy_pair(0, n, shares=(0.25, 1.0), verdict=Verdict.CROPPED) for n in range(1, 5)]
    copies = [copy_pair(n, n + 4) for n in range(1, 5)]
    assert grouped([*parts, *copies]) == [[1, 5], [2, 6], [3, 7], [4, 8]]


def test_parts_are_asked_whether_they_overlap_before_they_make_a_collage(
    grouped: Any, copy_pair: Any
) -> None:
    parts = [copy_pair(0, n, shares=(0.45, 1.0), verdict=Verdict.CROPPED) for n in (1, 2)]
    assert grouped(parts) == []
    overlap = copy_pair(1, 2, shares=(0.5, 0.5), verdict=Verdict.CROPPED)
    assert grouped(parts, passed_over=[overlap]) == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(Verdict.CROPPED, [[0, 1, 2]]), (Verdict.OVERLAID, [[0, 1]])],
)
def test_small_crops_need_not_overlap_where_the_whole_goes_on_around_them(
    verdict: Verdict, expected: list[list[int]], grouped: Any, copy_pair: Any
) -> None:
    pairs = [
        copy_pair(0, 1, shares=(0.36, 1.0), verdict=Verdict.CROPPED),
        copy_pair(0, 2, shares=(0.3, 1.0), verdict=verdict),
    ]
    assert grouped(pairs) == expected


def test_a_picture_inside_a_larger_one_with_fewer_pixels_was_not_cut_from_it(
    grouped: Any, copy_pair: Any
) -> None:
    assert grouped([copy_pair(0, 1, shares=(0.2, 1.0), scale=3.0)]) == []
    assert grouped([copy_pair(0, 1, shares=(0.2, 1.0), scale=1.0)]) == [[0, 1]]
    assert grouped([copy_pair(0, 1, shares=(1.0, 0.2), scale=1 / 3)]) == []


def test_a_part_of_two_wholes_does_not_join_them(grouped: Any, copy_pair: Any) -> None:
    pairs = [
        copy_pair(0, 2, shares=(0.45, 1.0)),
        copy_pair(1, 2, shares=(0.4, 1.0), agreement=0.9),
    ]
    groups = grouped(pairs)
    assert groups == [[0, 2]]


@pytest.mark.parametrize(
    ("share", "detail", "expected"),
    [(0.4, "border", [[0, 1, 2]]), (0.4, "collage", [[0, 2]]), (0.2, "border", [[0, 2]])],
)
def test_a_photo_may_be_framed_twice(
    share: float, detail: str, expected: list[list[int]], grouped: Any, copy_pair: Any
) -> None:
    pairs = [
        copy_pair(
            whole,
            2,
            shares=(share, 1.0),
            verdict=Verdict.OVERLAID,
            detail=detail,
            agreement=0.95 - whole / 10,
        )
        for whole in (0, 1)
    ]
    assert grouped(pairs) == expected


def test_the_order_of_pairs_changes_nothing(grouped: Any, copy_pair: Any) -> None:
    generator = random.Random(5)
    verdicts = (Verdict.RECOMPRESSED, Verdict.CROPPED, Verdict.SIMILAR_SHOT, Verdict.UNRELATED)
    pairs = [
        copy_pair(
            first,
            second,
            verdict=generator.choice(verdicts),
            score=round(generator.random(), 2),
            agreement=round(generator.random(), 1),
            shares=(generator.choice((1.0, 0.6, 0.3)), generator.choice((1.0, 0.6, 0.3))),
        )
        for first in range(14)
        for second in range(first + 1, 14)
        if generator.random() < 0.3
    ]
    expected = grouped(pairs)
    for _ in range(20):
        generator.shuffle(pairs)
        assert grouped(pairs) == expected
