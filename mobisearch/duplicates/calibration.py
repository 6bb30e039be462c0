"""What a score means in a library.

How often different pictures are taken for copies from a score on, and how many copies are found.

The first comes from the library's own pairs of different pictures, the second from altered copies
of its own pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.comparing import Comparer
from mobisearch.duplicates.copies import COPIES
from mobisearch.duplicates.looks import LookEmbedder, Looks, open_picture
from mobisearch.duplicates.proving import Proof, ProvedPair
from mobisearch.duplicates.verification import Picture, prepare, verify
from mobisearch.duplicates.whitening import Whitening
from mobisearch.types import Relation, ScoreCurve, ScorePoint, Verdict

_N_PICTURES = 128
_N_TRIALS = 1000
"""Pairs of different pictures that are compared. None of a thousand taken for copies bounds the
rate of mistakes at one in two thousand."""

_N_ALTERED = 24
_N_POINTS = 60
_STRIDE = 37
"""Between the places of trial pairs: any number does, as the order of places is that of hashes."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What became of altered copies: score of each, whether it was proved, what was done to it."""

    scores: tuple[float, ...] = ()
    is_proved: tuple[bool, ...] = ()
    names: tuple[str, ...] = ()


def count_mistakes(proof: Proof, comparer: Comparer, n_contents: int) -> tuple[int, int]:
    """Compare pictures that have nothing to do with one another.

    They are taken at random, from those that are no candidates.

    Returns:
        How many were taken for copies, and how many pairs there were.

    Raises:
        StoppedError: it was stopped.
    """
    candidates = {(pair.first, pair.second) for pair in proof.pairs}
    n_pictures = min(n_contents, _N_PICTURES)
    chosen: list[tuple[int, int]] = []
    for distance in range(1, n_pictures):
        step = 1 + (distance * _STRIDE) % max(1, n_pictures - 1)
        for first in range(n_pictures):
            pair = (first, (first + step) % n_pictures)
            pair = (min(pair), max(pair))
            if pair[0] != pair[1] and pair not in candidates:
                candidates.add(pair)
                chosen.append(pair)
        if len(chosen) >= _N_TRIALS:
            break
    found = comparer.relations(chosen[:_N_TRIALS])
    return sum(relation.is_copy for relation in found.values()), len(found)


def measure_recall(looks: Looks, embedder: LookEmbedder, whitening: Whitening) -> Recall:
    """Make altered copies of some of the pictures, and find out which are recognised."""
    places = range(min(len(looks), _N_ALTERED))
    pictures = {
        place: picture
        for place, row in sorted(looks.pictures(places).items())
        if (picture := open_picture(row)) is not None
    }
    if not pictures:
        return Recall()
    names = list(COPIES)
    originals = list(pictures.values())
    copies = [[COPIES[name](picture.pixels) for name in names] for picture in originals]
    flat = [np.ascontiguousarray(copy) for of_picture in copies for copy in of_picture]
    rows = whitening.apply(embedder.embed_thumbnails(flat))
    own = whitening.apply(looks.rows(list(pictures)))
    scores = np.einsum("ij,ij->i", rows, np.repeat(own, len(names), axis=0))
    is_proved: list[bool] = []
    for number, picture in enumerate(originals):
        ready = prepare(picture)
        for copy in flat[number * len(names) : (number + 1) * len(names)]:
            height, width = copy.shape[:2]
            is_proved.append(verify(ready, prepare(Picture(copy, width, height))).is_copy)
    return Recall(tuple(map(float, scores)), tuple(is_proved), tuple(names * len(originals)))


def make_curve(
    proof: Proof, mistakes: tuple[int, int], recall: Recall, *, wrong_groups: float
) -> ScoreCurve:
    """Return what each score means, and the lowest one that keeps to the wrong groups asked for."""
    empty = ScoreCurve(mistakes=mistakes[0], trials=mistakes[1], candidate_score=proof.least_score)
    n_unrelated = _scores(proof.pairs, is_copy=False)
    n_copies = _scores(proof.pairs, is_copy=True)
    found = np.array(recall.scores)
    proved = np.array(recall.is_proved, bool)
    points = []
    for score in np.linspace(min(proof.least_score, 1.0), 1.0, _N_POINTS):
        unrelated = float((n_unrelated >= score).sum())
        points.append(
            ScorePoint(
                score=round(float(score), 4),
                unrelated=unrelated,
                wrong_groups=unrelated * empty.mistake_rate,
                copies=int((n_copies >= score).sum()),
                recall=float((proved & (found >= score)).mean()) if len(found) else 0.0,
            )
        )
    sound = [point.score for point in points if point.wrong_groups <= wrong_groups]
    accepted = min(sound, default=1.0)
    by_name = {
        name: [
            ok and score >= accepted
            for ok, score, other in zip(proved, recall.scores, recall.names, strict=True)
            if other == name
        ]
        for name in dict.fromkeys(recall.names)
    }
    return ScoreCurve(
        points=tuple(points),
        accepted_score=accepted,
        candidate_score=proof.least_score,
        mistakes=mistakes[0],
        trials=mistakes[1],
        synthetic_copies=len(recall.scores),
        recall_by_alteration=tuple((name, float(np.mean(ok))) for name, ok in by_name.items()),
    )


def accept(pairs: Sequence[ProvedPair], curve: ScoreCurve) -> list[ProvedPair]:
    """Return the pairs that are taken for copies. The very same pixels need no score."""
    return [
        pair
        for pair in pairs
        if pair.relation.is_copy
        and (pair.score >= curve.accepted_score or _is_identical(pair.relation))
    ]


def _is_identical(relation: Relation) -> bool:
    return relation.verdict in (Verdict.SAME_FILE, Verdict.SAME_PIXELS)


def _scores(pairs: Sequence[ProvedPair], *, is_copy: bool) -> NDArray[np.float64]:
    return np.array([pair.score for pair in pairs if pair.relation.is_copy == is_copy], np.float64)
