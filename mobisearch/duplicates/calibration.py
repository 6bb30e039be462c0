"""What a score means in a library.

How often different pictures are taken for copies from a score on, and how many copies are found.

The first comes from the library's own pairs of different pictures, the second from altered copies
of its own pictures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.capacity import count_processors
from mobisearch.duplicates.comparing import RELATION_VERSION, Comparer
from mobisearch.duplicates.copies import COPIES
from mobisearch.duplicates.looks import LOOK_VERSION, LookEmbedder, Looks
from mobisearch.duplicates.pairwise import open_picture
from mobisearch.duplicates.proving import Proof, ProvedPair, is_different
from mobisearch.duplicates.verification import Picture, prepare, verify
from mobisearch.duplicates.whitening import Whitening
from mobisearch.types import Pixels, Relation, ScoreCurve, ScorePoint, Verdict

_N_PICTURES = 222
_N_TRIALS, _N_TRIALS_LARGE = 12_000, 1600
"""Pairs of different pictures that are compared: some 2 ms each, once the pictures are ready. None
of twelve thousand taken for copies puts the rate of mistakes at one in twenty-four thousand, and so
allows for twelve thousand candidates that are not copies where half a wrong group may be expected.
In a large library those take most of the time: each has pictures that were not looked at before,
some 20 ms each."""

_LARGE = 10_000
"""Contents from which on a library is large."""

_NEXT_SCORE = 1e-6
"""From one score to the next: they are rounded."""

_N_ALTERED = 12
_N_POINTS = 60


@dataclass(frozen=True, slots=True)
class Recall:
    """What became of altered copies: score of each, whether it was proved, what was done to it."""

    scores: tuple[float, ...] = ()
    is_proved: tuple[bool, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trials:
    """Pairs of pictures that have nothing to do with one another, compared all the same.

    Attributes:
        mistakes: how many were taken for copies.
        n: how many there were.
    """

    mistakes: int
    n: int

    @property
    def rate(self) -> float:
        """How often different pictures are taken for copies, no less than trials can tell."""
        return (self.mistakes + 0.5) / (self.n + 1)


def try_different(looks: Looks, whitening: Whitening, comparer: Comparer) -> Trials:
    """Compare pictures that have nothing to do with one another: of a sample, the least alike half.

    Raises:
        StoppedError: it was stopped.
    """
    n_pictures = min(len(looks), _N_PICTURES)
    rows = whitening.apply(looks.rows(range(n_pictures)))
    first, second = np.nonzero(np.triu(np.ones((n_pictures, n_pictures), bool), 1))
    scores = np.einsum("ij,ij->i", rows[first], rows[second])
    apart = np.flatnonzero(scores <= np.median(scores)) if len(scores) else np.empty(0, np.int64)
    n_trials = _N_TRIALS if len(looks) < _LARGE else _N_TRIALS_LARGE
    chosen = apart[np.linspace(0, len(apart) - 1, min(n_trials, len(apart)), dtype=np.int64)]
    found = comparer.relations([(int(first[n]), int(second[n])) for n in chosen])
    return Trials(sum(relation.is_copy for relation in found.values()), len(found))


def measure_recall(
    looks: Looks, embedder: LookEmbedder, whitening: Whitening, *, is_writable: bool
) -> Recall:
    """Make altered copies of some of the pictures, and find out which are recognised.

    Comparing them takes seconds, so what comes of it is noted in the catalog.
    """
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
    shown = hashlib.sha256("".join(picture.sha256 for picture in originals).encode()).hexdigest()
    key = f"{shown} {RELATION_VERSION} {LOOK_VERSION} {len(flat)}"
    is_proved = _read_note(looks.catalog.looks.note(), key)
    if is_proved is None:
        is_proved = _recognise(originals, flat, len(names))
        if is_writable:
            note = {"key": key, "proved": is_proved}
            looks.catalog.looks.put_note(json.dumps(note))
    return Recall(tuple(map(float, scores)), tuple(is_proved), tuple(names * len(originals)))


def _read_note(note: str | None, key: str) -> list[bool] | None:
    """Return which copies were recognised the last time, if they were the same copies."""
    try:
        match json.loads(note or "null"):
            case {"key": str(found), "proved": list(proved)} if found == key:
                return [entry is True for entry in proved]
    except (ValueError, RecursionError):
        pass
    return None


def _recognise(originals: list[Picture], copies: list[Pixels], n_each: int) -> list[bool]:
    """Say which copies are recognised, given so many in a row of each original."""
    ready = [prepare(picture) for picture in originals]

    def is_recognised(number: int) -> bool:
        height, width = copies[number].shape[:2]
        copy = prepare(Picture(copies[number], width, height))
        return verify(ready[number // n_each], copy).is_copy

    with ThreadPoolExecutor(count_processors(), thread_name_prefix="mobisearch-compare") as pool:
        return list(pool.map(is_recognised, range(len(copies))))


def make_curve(proof: Proof, trials: Trials, recall: Recall, *, wrong_groups: float) -> ScoreCurve:
    """Return what each score means, and the lowest one that keeps to the wrong groups asked for."""
    different = _scores(p for p in proof.pairs if is_different(p.relation))
    copies = _scores(p for p in proof.pairs if p.relation.is_copy)
    # Where no candidate is a copy any more, those that were compared are trials too.
    n_below = int((different < copies.min(initial=np.inf)).sum())
    trials = Trials(trials.mistakes, trials.n + n_below)
    found, proved = np.array(recall.scores), np.array(recall.is_proved, bool)
    points = []
    for score in np.linspace(min(proof.least_score, 1.0), 1.0, _N_POINTS):
        n_different = int((different >= score).sum())
        points.append(
            ScorePoint(
                score=float(score),
                unrelated=n_different,
                wrong_groups=n_different * trials.rate,
                copies=int((copies >= score).sum()),
                recall=float((proved & (found >= score)).mean()) if len(found) else 0.0,
            )
        )
    accepted = _least_accepted(different, int(wrong_groups / trials.rate), proof.least_score)
    is_found = proved & (found >= accepted)
    names = np.array(recall.names)
    return ScoreCurve(
        points=tuple(points),
        accepted_score=accepted,
        candidate_score=proof.least_score,
        mistakes=trials.mistakes,
        trials=trials.n,
        synthetic_copies=len(found),
        recall_by_alteration=tuple(
            (name, float(is_found[names == name].mean())) for name in dict.fromkeys(recall.names)
        ),
    )


def _least_accepted(different: NDArray[np.float64], most: int, least_score: float) -> float:
    """Return the lowest score from which on there are at most so many pairs that differ."""
    if len(different) <= most:
        return min(least_score, 1.0)
    first_too_many = float(np.sort(different)[::-1][most])
    return round(first_too_many + _NEXT_SCORE, 6)


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


def _scores(pairs: Iterable[ProvedPair]) -> NDArray[np.float64]:
    return np.array([pair.score for pair in pairs], np.float64)
