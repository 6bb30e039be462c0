"""Embeddings to places on a plane. The only home of scikit-learn.

t-SNE lays out a sample; every other image is put between those of the sample that it is most like.
The same rows give the same places on one machine: there is one seed, and one thread.

Source: van der Maaten, "Accelerating t-SNE using tree-based algorithms" (2014); started from the
principal components, as Kobak and Berens, "The art of using t-SNE for single-cell transcriptomics"
(2019), advise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Embeddings

SAMPLE = 10_000
"""Images that t-SNE lays out: a minute or two on one core."""

_COMPONENTS = 50
_PERPLEXITY = 30.0
_ITERATIONS = 500
_BEGIN_SPREAD = 1e-4
_NEAREST = 3
_ROWS_PER_BLOCK = 2048
_APART = 0.004
"""Of the side: by so much, at most, images lie beside the place that they would share."""

Places = NDArray[np.float32]
Tell = Callable[[str, float], None]


def lay_out(rows: Embeddings, tell: Tell = lambda _step, _share: None) -> Places:
    """Return a place for each row: float32, shape (n, 2), each value from 0 to 1.

    Args:
        rows: unit rows, shape (n, d), or the same with fewer values, see :func:`reduce_rows`.
        tell: is told what is being done, and how much is done, 0 to 1.
    """
    n = len(rows)
    if n < 4:
        return np.linspace(0.1, 0.9, 2 * n, dtype=np.float32).reshape(2, n).T.copy()
    chosen = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).round().astype(np.int64))
    tell("laying out", 0.2)
    sample = rows[chosen].astype(np.float32)
    laid = _embed(sample)
    tell("placing", 0.85)
    places = laid if len(chosen) == n else _place_between(rows, sample, laid, chosen)
    low, high = places.min(axis=0), places.max(axis=0)
    scaled: Places = ((places - low) / np.maximum(high - low, 1e-12)).astype(np.float32)
    return scaled


def reduce_rows(rows: Embeddings) -> Callable[[Embeddings], Embeddings]:
    """Return what takes rows to their principal components, found with some of them."""
    wide = rows.astype(np.float64)
    mean = wide.mean(axis=0)
    centred = wide - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    components = vectors[:, ::-1][:, :_COMPONENTS]
    # The sign of a component is arbitrary: its largest value is made positive.
    largest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[largest, np.arange(components.shape[1])])

    def reduce(block: Embeddings) -> Embeddings:
        made: Embeddings = ((block - mean) @ components).astype(np.float32)
        return made

    return reduce


def _embed(sample: Embeddings) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    begin = sample[:, :2].astype(np.float64)
    begin = begin / max(float(begin[:, 0].std()), 1e-12) * _BEGIN_SPREAD
    # Rows that are equal would stay at one place for ever.
    begin += np.random.default_rng(0).normal(0, _BEGIN_SPREAD / 100, begin.shape)
    method = TSNE(
        perplexity=min(_PERPLEXITY, (len(sample) - 1) / 3),
        init=begin.astype(np.float32),
        max_iter=_ITERATIONS,
        random_state=0,
        n_jobs=1,
    )
    return np.asarray(method.fit_transform(sample), np.float64)


def _place_between(
    rows: Embeddings, sample: Embeddings, laid: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Place every row between those of the sample that are nearest to it."""
    places = np.empty((len(rows), 2))
    squares = (sample * sample).sum(axis=1)
    side = float((laid.max(axis=0) - laid.min(axis=0)).max())
    offsets = np.random.default_rng(0).uniform(-_APART * side, _APART * side, places.shape)
    for start in range(0, len(rows), _ROWS_PER_BLOCK):
        block = rows[start : start + _ROWS_PER_BLOCK].astype(np.float32)
        apart = squares - 2 * (block @ sample.T)  # less the square of the row itself
        nearest = np.argpartition(apart, _NEAREST, axis=1)[:, :_NEAREST]
        own = (block * block).sum(axis=1, keepdims=True)
        distances = np.maximum(np.take_along_axis(apart, nearest, axis=1) + own, 1e-9)
        weights = 1 / distances
        weights /= weights.sum(axis=1, keepdims=True)
        places[start : start + len(block)] = (laid[nearest] * weights[..., None]).sum(axis=1)
    places += offsets
    places[chosen] = laid
    return places
