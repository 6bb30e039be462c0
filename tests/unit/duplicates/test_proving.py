"""How far candidates are compared, and from which score on copies are accepted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mobisearch.duplicates import proving
from mobisearch.duplicates.calibration import Recall, Trials, accept, make_curve
from mobisearch.duplicates.join import Pairs
from mobisearch.duplicates.proving import Proof, is_different, prove_candidates
from mobisearch.types import Relation, Verdict

COPY = Relation(Verdict.RESIZED, (Verdict.RESIZED,), 1.0)
UNRELATED = Relation(Verdict.UNRELATED)
SCENE = Relation(Verdict.SIMILAR_SHOT, agreement=0.7)
PART = Relation(Verdict.SIMILAR_SHOT, agreement=0.3)


class Told:
    """Relations of the pairs (0, 1), (2, 3), ..., told beforehand."""

    def __init__(self, relations: Sequence[Relation]) -> None:
        self._relations = relations
        self.n_asked = 0

    def relations(self, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Relation]:
        self.n_asked += len(pairs)
        return {pair: self._relations[pair[0] // 2] for pair in pairs}


def _candidates(n: int) -> Pairs:
    places = np.arange(2 * n, dtype=np.int32)
    return Pairs(places[::2], places[1::2], np.round(np.linspace(0.9, 0.1, n), 6), 0.1)


def _prove(relations: Sequence[Relation], max_different: float) -> tuple[Proof, Told]:
    told = Told(relations)
    return prove_candidates(_candidates(len(relations)), told, max_different=max_different), told


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_PAIRS_PER_STEP", 4)


def test_what_has_a_part_in_common_is_different_and_two_shots_of_a_scene_are_not() -> None:
    assert [is_different(r) for r in (COPY, UNRELATED, SCENE, PART)] == [False, True, False, True]


@pytest.mark.parametrize("other", [UNRELATED, PART])
def test_it_is_over_after_so_many_pairs_of_different_pictures(other: Relation) -> None:
    proof, told = _prove([COPY] * 8 + [other] * 40, max_different=10)
    assert told.n_asked == len(proof.pairs) == 20
    assert proof.least_score == proof.pairs[-1].score


def test_it_is_over_where_hardly_any_are_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_WINDOW", 12)
    others = [UNRELATED] * 5
    going_on, _ = _prove([*others, COPY, *others, COPY, *others, COPY, *others], max_different=1e9)
    assert sum(pair.relation.is_copy for pair in going_on.pairs) == 3
    over, _ = _prove([COPY, *others, *others, *others, COPY], max_different=1e9)
    assert sum(pair.relation.is_copy for pair in over.pairs) == 1


def test_shots_of_one_scene_do_not_end_it() -> None:
    proof, _ = _prove([SCENE] * 40 + [COPY] * 4, max_different=10)
    assert sum(pair.relation.is_copy for pair in proof.pairs) == 4
    assert proof.least_score == 0.1


def test_copies_are_accepted_down_to_the_first_pair_too_many() -> None:
    relations = [COPY, UNRELATED, COPY, UNRELATED, COPY, UNRELATED, COPY, UNRELATED]
    proof, _ = _prove(relations, max_different=100)
    # (0 + 0.5) / (9 + 1): of two pairs one tenth may be expected to be taken for copies.
    curve = make_curve(proof, Trials(0, 9), Recall(), wrong_groups=0.1)
    assert len(accept(proof.pairs, curve)) == 3
    assert curve.accepted_score == pytest.approx(proof.pairs[5].score + 1e-6)


def test_all_that_was_compared_is_accepted_where_few_pairs_differ() -> None:
    proof, _ = _prove([COPY, UNRELATED, COPY, COPY], max_different=100)
    curve = make_curve(proof, Trials(0, 9), Recall(), wrong_groups=0.1)
    assert curve.accepted_score == proof.least_score == 0.1
    assert len(accept(proof.pairs, curve)) == 3


def test_nothing_below_the_best_different_pair_is_accepted_where_no_mistake_is_allowed() -> None:
    proof, _ = _prove([COPY, PART, COPY], max_different=100)
    curve = make_curve(proof, Trials(1, 9), Recall(), wrong_groups=0.0)
    assert [pair.score for pair in accept(proof.pairs, curve)] == [0.9]
