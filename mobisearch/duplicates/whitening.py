"""Whitening: what all pictures of a library have in common counts less, what tells them apart more.

Looks are turned into shorter rows whose products are the scores of candidates.

Source: square root and whitening as in Jegou and Chum, "Negative evidences and co-occurrences in
image retrieval: the benefit of PCA and whitening" (2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Embeddings

MAX_DIM = 256
"""Values of a whitened row. 512 found no more copies, and the join takes twice as long."""

SAMPLE = 8192
"""Looks that a whitening is fitted to, at most."""

_LEAST_VARIANCE = 1e-12

_SHRINKAGE = 0.3
"""Of the mean variance, added to each: directions of little variance are not blown up. Between 0.3
and 1 it makes little difference; with next to none, near copies in a small library are torn
apart."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """From looks to rows whose products are scores.

    Attributes:
        mean: float32, shape (d,).
        directions: float32, shape (d, m).
    """

    mean: Embeddings
    directions: Embeddings

    @property
    def dim(self) -> int:
        """Values in a whitened row, m."""
        return int(self.directions.shape[1])

    def apply(self, looks: Embeddings) -> Embeddings:
        """Return float32, shape (n, m), rows of unit length; of looks without any, zeros."""
        return unit_rows((rooted(looks) - self.mean) @ self.directions)


def fit_whitening(looks: Embeddings) -> Whitening:
    """Fit a whitening to looks of a library, shape (n, d).

    Deterministic for the same looks in the same order. None ships with a model: with the variances
    shrunk, one that was fitted to 30 looks found as much among them as one that was made from other
    photos, or from both together, and in larger libraries it found more.
    """
    if not len(looks):  # nothing to fit to, and nothing that it will be applied to
        looks = np.zeros((1, looks.shape[1]), np.float32)
    roots = rooted(looks).astype(np.float64)
    mean = roots.mean(axis=0)
    centred = roots - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(roots))  # ascending
    n_kept = min(MAX_DIM, len(values), max(1, len(roots) - 1))
    values, vectors = values[::-1][:n_kept].clip(min=0), vectors[:, ::-1][:, :n_kept]
    # The sign of a direction is arbitrary, and changes no score.
    scale = 1 / np.sqrt(values + _SHRINKAGE * max(float(values.mean()), _LEAST_VARIANCE))
    return Whitening(mean.astype(np.float32), (vectors * scale).astype(np.float32))


def rooted(looks: Embeddings) -> Embeddings:
    """Return the square roots of looks, with their signs, as unit rows."""
    return unit_rows(np.sign(looks) * np.sqrt(np.abs(looks)))


def unit_rows(rows: NDArray[np.floating]) -> Embeddings:
    """Return float32 rows of unit length; those without a direction become zeros."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = np.where(norms > 0, rows / norms, 0)
    return unit.astype(np.float32)
