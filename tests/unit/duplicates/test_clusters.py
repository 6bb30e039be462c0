"""Sets that grow together."""

from __future__ import annotations

import itertools

from mobisearch.duplicates.clusters import Clusters


def test_numbers_that_are_linked_through_others_are_in_one_set() -> None:
    clusters = Clusters()
    for first, second in ((4, 2), (9, 7), (2, 7)):
        clusters.join(first, second)
    assert {clusters.find(number) for number in (2, 4, 7, 9)} == {2}
    assert clusters.find(5) == 5
    assert clusters.sets([9, 5, 4]) == {2: [4, 9], 5: [5]}


def test_the_order_of_joining_changes_nothing() -> None:
    links = [(0, 1), (1, 2), (3, 4), (4, 5)]
    for order in itertools.permutations(links):
        clusters = Clusters()
        for first, second in order:
            clusters.join(second, first)
        assert clusters.sets(range(7)) == {0: [0, 1, 2], 3: [3, 4, 5], 6: [6]}
