"""Comparing candidates, the best first, until hardly any of them are copies any more."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from dataclasses import dataclass, field

from mobisearch.duplicates.clusters import Clusters
from mobisearch.duplicates.comparing import Comparer
from mobisearch.duplicates.join import Pairs
from mobisearch.types import OnProgress, Progress, Relation, Verdict

_PAIRS_PER_STEP = 256
_WINDOW = 4096
"""Of so many pairs compared last, shots of one scene left out, ``_LEAST_COPIES`` were copies, or it
is over: what is left is hardly worth the time. In libraries of a thousand photos, dark copies and
negatives stand where some ten thousand pairs are more alike."""

_LEAST_COPIES = 2
_ENOUGH_COPIES = 3
"""A pair in one cluster already is passed over if each of the two has so many proved copies."""

_SCENE_AGREEMENT = 0.5
"""Similar shots that agree in so much are of one scene: a library may have any number of those, all
more alike than some copies are. What agrees in less has a part in common at most."""

WHOLE_SHARE = 0.5
"""Copies that share at least this much of each of them show the same picture."""


@dataclass(frozen=True, slots=True)
class ProvedPair:
    """A candidate that was compared: two places, the smaller first."""

    first: int
    second: int
    score: float
    relation: Relation


@dataclass(slots=True)
class Proof:
    """What came of comparing candidates.

    Attributes:
        pairs: those that were compared, the best score first.
        least_score: every candidate at or above it was compared, or passed over because both are in
            one cluster of copies anyway.
        n_passed_over: how many those were.
    """

    pairs: list[ProvedPair] = field(default_factory=list)
    least_score: float = 1.0
    n_passed_over: int = 0


def is_different(relation: Relation) -> bool:
    """Return whether two pictures show different scenes."""
    is_scene = relation.verdict is Verdict.SIMILAR_SHOT and (relation.agreement >= _SCENE_AGREEMENT)
    return not relation.is_copy and not is_scene


def prove_candidates(
    candidates: Pairs,
    comparer: Comparer,
    *,
    max_different: float = math.inf,
    on_progress: OnProgress | None = None,
) -> Proof:
    """Compare candidates in the order of their scores.

    Args:
        max_different: after so many pairs of different pictures it is over: no copy below would be
            accepted.

    Raises:
        StoppedError: it was stopped.
    """
    proof = Proof(least_score=candidates.least_score)
    clusters = Clusters()
    n_copies: Counter[int] = Counter()
    judged: list[bool] = []
    progress = Progress(0, len(candidates), 0, 0, "comparing")
    for start in range(0, len(candidates), _PAIRS_PER_STEP):
        wanted: list[tuple[int, int, float]] = []
        end = min(start + _PAIRS_PER_STEP, len(candidates))
        for place in range(start, end):
            first, second = int(candidates.first[place]), int(candidates.second[place])
            is_settled = min(n_copies[first], n_copies[second]) >= _ENOUGH_COPIES and clusters.find(
                first
            ) == clusters.find(second)
            if is_settled:
                proof.n_passed_over += 1
            else:
                wanted.append((first, second, float(candidates.scores[place])))
        found = comparer.relations([(first, second) for first, second, _ in wanted])
        for first, second, score in wanted:
            relation = found[first, second]
            proof.pairs.append(ProvedPair(first, second, score, relation))
            if relation.is_copy or is_different(relation):
                judged.append(relation.is_copy)
            if relation.is_copy:
                n_copies.update((first, second))
                if min(relation.first_share, relation.second_share) >= WHOLE_SHARE:
                    clusters.join(first, second)
        if on_progress is not None:
            on_progress(dataclasses.replace(progress, done=end))
        is_over = len(judged) >= _WINDOW and sum(judged[-_WINDOW:]) < _LEAST_COPIES
        if is_over or len(judged) - sum(judged) > max_different:
            proof.least_score = float(candidates.scores[end - 1])
            break
    return proof
