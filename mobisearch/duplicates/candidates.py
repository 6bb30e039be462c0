"""Candidates: every pair of contents that may be copies, by the products of whitened looks."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import numpy as np

from mobisearch.duplicates.join import Pairs, join_rows
from mobisearch.duplicates.looks import Looks
from mobisearch.duplicates.rows import Rows, hold_rows
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.duplicates.whitening import SAMPLE, Whitening, fit_whitening
from mobisearch.types import Embeddings, OnProgress, Progress

_ROWS_PER_READ = 2048
_SAMPLE = 256
"""Contents whose scores against all others say how many pairs there are above a score."""

_PAIRS_PER_CONTENT = 10
_LEAST_PAIRS = 20_000
_MAX_PAIRS = 10_000_000
"""240 MB."""


@dataclasses.dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs that may be copies, and the whitening that they were found with."""

    pairs: Pairs
    whitening: Whitening


def find_candidates(
    looks: Looks,
    *,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> Candidates:
    """Return every pair of contents above a score that leaves some ten pairs for each content.

    Raises:
        StoppedError: ``stop`` was set.
    """
    n = len(looks)
    whitening = fit_whitening(looks.rows(range(min(n, SAMPLE))))
    is_stopped = stop.is_set if stop is not None else lambda: False
    progress = Progress(0, n, 0, 0, "matching")

    def blocks() -> Iterator[Embeddings]:
        for start in range(0, n, _ROWS_PER_READ):
            if is_stopped():
                raise StoppedError
            yield whitening.apply(looks.rows(range(start, min(start + _ROWS_PER_READ, n))))

    def tell(done: int) -> None:
        if on_progress is not None:
            on_progress(dataclasses.replace(progress, done=done))

    with hold_rows(blocks(), n, whitening.dim) as rows:
        n_wanted = max(_LEAST_PAIRS, _PAIRS_PER_CONTENT * n)
        least_score = choose_least_score(rows, n_wanted)
        pairs = join_rows(rows, least_score, max_pairs=_MAX_PAIRS, is_stopped=is_stopped, tell=tell)
    return Candidates(pairs, whitening)


def choose_least_score(rows: Rows, n_wanted: int) -> float:
    """Return the score that about so many pairs of rows reach, judged by a sample of the rows."""
    if len(rows) < 2:
        return 1.0
    n_sampled = min(len(rows), _SAMPLE)
    n_best = int(min(len(rows) * n_sampled, 2 * n_wanted * n_sampled / len(rows) + n_sampled))
    sample = rows.block(0, n_sampled)
    best = np.empty(0, np.float32)
    for start in range(0, len(rows), _ROWS_PER_READ):
        scores = sample @ rows.block(start, min(start + _ROWS_PER_READ, len(rows))).T
        best = np.concatenate([best, scores.ravel()])
        if len(best) > n_best:
            best = np.partition(best, -n_best)[-n_best:]
    return max(-1.0, round(float(best.min()) - 5e-4, 3))
