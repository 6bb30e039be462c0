"""Choosing how many candidates a structure names, with an index's own vectors as questions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.store.vectors import (
    FoundVector,
    Structure,
    VectorPart,
    Vectors,
)
from mobisearch.types import Embeddings

COUNT = 10
"""Results of the searches that a structure is tuned for."""

_CANDIDATES = (50, 100, 200, 400, 800)
_PROBES = (8, 16, 32, 64, 128, 256, 512)
"""What is tried, besides all lists. Vectors that form no clusters need most of the lists; that
is still quicker than comparing with every vector, and takes far less memory."""

_SCAN_COST = 6e-9
_CANDIDATE_COST = 8e-6
"""Seconds for a compressed vector that is looked at, and for a candidate that is scored exactly, as
measured once at d = 1280. Only their ratio matters, and only for which setting is tried first."""

NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a structure is asked, and the share of the true best ten that this finds.

    Attributes:
        recall: mean over the queries; a vector that scores as much as the tenth counts as found.
    """

    probes: int
    candidates: int
    recall: float


class Truth:
    """The true best ten of some stored vectors, each itself left out, found block by block."""

    def __init__(self, ids: NDArray[np.int64], rows: Embeddings) -> None:
        """Take the queries: ids, shape (q,); rows, float32, shape (q, d)."""
        self.ids, self.rows = ids, rows
        self._best: list[list[FoundVector]] = [[] for _ in ids]

    def add(self, ids: NDArray[np.int64], rows: Embeddings) -> None:
        """Compare every query with a block of vectors."""
        found = Vectors([VectorPart(ids, rows)], hidden=NOTHING).search(self.rows, COUNT + 1)
        for number, own_id in enumerate(self.ids.tolist()):
            others = [entry for entry in found[number] if entry.vector_id != own_id]
            best = sorted(self._best[number] + others, key=lambda entry: -entry.score)
            if len(best) > COUNT:
                best = [entry for entry in best if entry.score >= best[COUNT - 1].score]
            self._best[number] = best

    def best(self) -> list[NDArray[np.int64]]:
        """Return for each query the ids of its best ten, more where several tie for the last."""
        return [np.array([entry.vector_id for entry in best], np.int64) for best in self._best]


def tune(structure: Structure, truth: Truth, *, target: float) -> tuple[Setting, bool]:
    """Find the cheapest setting that reaches a recall.

    Returns:
        The setting, and whether it reaches the target; if none does, the best of all.
    """
    best: Setting | None = None
    answers: dict[int, list[NDArray[np.int64]]] = {}
    for probes, n_candidates in _settings(structure):
        if probes not in answers:
            answers[probes] = _candidates(structure, truth, probes)
        recall = _recall(answers[probes], truth.best(), n_candidates)
        setting = Setting(probes, n_candidates, recall)
        if recall >= target:
            return setting, True
        if best is None or recall > best.recall:
            best = setting
    assert best is not None
    return best, False


def _settings(structure: Structure) -> list[tuple[int, int]]:
    """Return what is tried: probes and candidates, the cheapest first."""
    n_lists = structure.n_lists
    probes = [*(n for n in _PROBES if n < n_lists), n_lists]

    def cost(setting: tuple[int, int]) -> float:
        n_scanned = setting[0] / n_lists * len(structure)
        return n_scanned * _SCAN_COST + setting[1] * _CANDIDATE_COST

    return sorted(itertools.product(probes, _CANDIDATES), key=cost)


def _candidates(structure: Structure, truth: Truth, probes: int) -> list[NDArray[np.int64]]:
    found = structure.candidates(truth.rows, max(_CANDIDATES) + 1, probes=probes)
    return [ids[ids != own_id] for ids, own_id in zip(found, truth.ids, strict=True)]


def _recall(
    found: list[NDArray[np.int64]], best: list[NDArray[np.int64]], n_candidates: int
) -> float:
    shares = [
        min(int(np.isin(ids[:n_candidates], good).sum()), COUNT) / min(len(good), COUNT)
        for ids, good in zip(found, best, strict=True)
        if len(good)
    ]
    return float(np.mean(shares)) if shares else 0.0
