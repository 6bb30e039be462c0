"""Whitening: unit rows, fitted to the library, harmless where there is little to fit to."""

from __future__ import annotations

import numpy as np
import pytest

from mobisearch.duplicates import whitening
from mobisearch.duplicates.candidates import choose_least_score
from mobisearch.duplicates.rows import MemoryRows
from mobisearch.duplicates.whitening import fit_whitening, unit_rows
from mobisearch.types import Embeddings

DIM = 40
UNIT = 1e-5
"""Rows are float32."""


def lopsided(n: int, *, seed: int = 0) -> Embeddings:
    """Return looks that have most of their length in common, as those of a network do."""
    generator = np.random.default_rng(seed)
    own = generator.exponential(0.1, (n, DIM))
    return unit_rows((own + np.linspace(0, 2, DIM)).astype(np.float32))


@pytest.mark.parametrize("n", [1, 2, 3, 50, 300])
def test_rows_have_unit_length_and_no_more_values_than_there_is_to_fit(n: int) -> None:
    looks = lopsided(n)
    fitted = fit_whitening(looks)
    rows = fitted.apply(looks)
    assert rows.shape == (n, fitted.dim)
    assert fitted.dim <= max(1, min(n - 1, DIM))
    assert np.isfinite(rows).all()
    if n > 1:
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=UNIT)


def test_nothing_can_be_whitened_with() -> None:
    fitted = fit_whitening(np.empty((0, DIM), np.float32))
    assert fitted.apply(np.empty((0, DIM), np.float32)).shape == (0, fitted.dim)


def test_what_all_have_in_common_counts_no_more() -> None:
    looks = lopsided(200)
    before = looks @ looks.T
    rows = fit_whitening(looks).apply(looks)
    after = rows @ rows.T
    apart = ~np.eye(200, dtype=bool)
    assert before[apart].min() > 0.9
    assert abs(after[apart].mean()) < 0.05


@pytest.mark.parametrize("n", [4, 10, 40])
def test_near_copies_in_a_small_library_stay_together(n: int) -> None:
    looks = lopsided(n)
    copy = unit_rows(looks[:1] + np.float32(1e-3))
    library = np.concatenate([looks, copy])
    rows = fit_whitening(library).apply(library)
    scores = rows[:-1] @ rows[-1]
    assert scores.argmax() == 0
    assert scores[0] > 0.9


def test_no_more_values_are_kept_than_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitening, "MAX_DIM", 5)
    assert fit_whitening(lopsided(100)).dim == 5


def test_a_look_without_values_is_like_nothing() -> None:
    fitted = fit_whitening(np.zeros((3, DIM), np.float32))
    assert np.array_equal(fitted.apply(np.zeros((1, DIM), np.float32)), np.zeros((1, fitted.dim)))


def test_the_least_score_leaves_about_as_many_pairs_as_are_wanted() -> None:
    generator = np.random.default_rng(1)
    rows = unit_rows(generator.standard_normal((900, 16)).astype(np.float32))
    least = choose_least_score(MemoryRows(rows), 5_000)
    n_pairs = ((rows @ rows.T)[np.triu(np.ones((900, 900), bool), 1)] >= least).sum()
    assert 4_000 < n_pairs < 6_500  # a sample of 256 rows says how many


def test_of_few_rows_every_pair_is_a_candidate() -> None:
    rows = unit_rows(np.random.default_rng(2).standard_normal((50, 4)).astype(np.float32))
    assert choose_least_score(MemoryRows(rows), 20_000) <= (rows @ rows.T).min()
    assert choose_least_score(MemoryRows(rows[:1]), 20_000) == 1
