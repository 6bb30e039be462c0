"""What the tests of finding copies share: a simple verifier, and relations made up for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch.duplicates import calibration, pairwise
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.duplicates.verification import Outcome, Picture, Prepared
from mobisearch.types import Relation, Verdict

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for pairkit

LEAST_CORRELATION = 0.9
"""Of 12 x 12 grey values: pictures of ``make_photo`` with different seeds stay below 0.8."""

RelationMaker = Callable[..., Relation]
PairMaker = Callable[..., ProvedPair]


def small_grey(prepared: Prepared) -> np.ndarray:
    picture = Image.fromarray(prepared.picture.pixels).convert("L").resize((12, 12))
    values = np.asarray(picture, np.float64)
    values = values - values.mean()
    return values / max(1e-9, float(np.linalg.norm(values)))


def verify_simply(first: Prepared, second: Prepared) -> Relation:
    """Say that two pictures are copies if they correlate in one of the eight orientations."""
    ours, theirs = small_grey(first), small_grey(second)
    turned = [np.rot90(picture, turn) for picture in (ours, ours[:, ::-1]) for turn in range(4)]
    agreement = round(max(float((picture * theirs).sum()) for picture in turned), 6)
    if agreement < LEAST_CORRELATION:
        return Relation(Verdict.UNRELATED)
    return Relation(Verdict.RECOMPRESSED, (Verdict.RECOMPRESSED,), agreement)


@pytest.fixture
def simple_verifier(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let pictures be compared by ``verify_simply``; returns a list that grows with each."""
    calls: list[int] = []

    @dataclass(frozen=True)
    class Simple:
        picture: Picture

    def look(first: Prepared, second: Prepared) -> Outcome:
        calls.append(1)
        return Outcome(verify_simply(first, second))

    monkeypatch.setattr(pairwise, "look", look)
    monkeypatch.setattr(pairwise, "needs_closer_look", lambda *_: False)
    monkeypatch.setattr(calibration, "verify", verify_simply)
    monkeypatch.setattr(calibration, "_N_ALTERED", 2)
    for module in (pairwise, calibration):
        monkeypatch.setattr(module, "prepare", Simple)
    return calls


@pytest.fixture(scope="session")
def copy_pair() -> PairMaker:
    """A function that makes a proved pair: ``copy_pair(0, 1, shares=(1, 0.3))``."""

    def make(
        first: int,
        second: int,
        *,
        verdict: Verdict = Verdict.RECOMPRESSED,
        score: float = 0.8,
        shares: tuple[float, float] = (1.0, 1.0),
        scale: float = 1.0,
        agreement: float = 0.95,
        detail: str = "",
    ) -> ProvedPair:
        relation = Relation(
            verdict,
            (verdict,) if verdict.is_copy else (),
            agreement,
            first_share=shares[0],
            second_share=shares[1],
            scale=scale,
            detail=detail,
        )
        return ProvedPair(first, second, score, relation)

    return make


class KnownComparer:
    """Answers from what it was given; everything else is unrelated."""

    def __init__(self, pairs: Iterable[ProvedPair] = ()) -> None:
        self._known: Mapping[tuple[int, int], Relation] = {
            (pair.first, pair.second): pair.relation for pair in pairs
        }
        self.n_asked = 0

    def relation(self, first: int, second: int) -> Relation:
        self.n_asked += 1
        return self._known.get((first, second), Relation(Verdict.UNRELATED))


@pytest.fixture(scope="session")
def known_comparer() -> type[KnownComparer]:
    """The class of a comparer that answers from a list of pairs."""
    return KnownComparer
