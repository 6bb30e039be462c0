"""A linear layer on unit rows, learnt in numpy: softmax regression, Adam, early stop.

Source: Adam as in arXiv:1412.6980, with the weight decay of arXiv:1711.05101.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.models import LinearLayer
from mobisearch.training.splitting import Split, weigh_classes
from mobisearch.types import Embeddings

_Floats = NDArray[np.float32]

_BATCH_ROWS = 512
_STEP, _MEAN_DECAY, _SQUARE_DECAY, _EPSILON = 1e-3, 0.9, 0.999, 1e-8
_WEIGHT_DECAY = 0.1
_MAX_EPOCHS = 400
_PATIENCE = 25
"""Epochs without a better loss after which there will be none."""

_BETTER = 1e-3
"""A loss that is less than this lower is not worth more epochs."""

_EPOCHS_WITHOUT_STOPPING = 60


@dataclass(frozen=True, slots=True, eq=False)
class FittedHead:
    """A layer for unit rows, and the number of epochs that it took."""

    layer: LinearLayer
    epochs: int


def fit_head(
    rows: Embeddings, numbers: NDArray[np.int64], split: Split, n_classes: int, *, seed: int
) -> FittedHead:
    """Learn to tell classes apart. The same input gives the same layer.

    Every class counts alike, however many examples it has. Learning ends when the examples set
    apart for that get no better; without any, after a fixed number of epochs.

    Cost: some seconds for 10,000 rows of 1280 values.

    Args:
        rows: float32, shape (n, d), unit rows.
        numbers: the class of each, shape (n,).
    """
    generator = np.random.default_rng(seed)
    learnt = rows[split.training]
    centre = learnt.mean(axis=0)
    spread = float(np.sqrt(np.mean((learnt - centre) ** 2))) or 1.0
    values, wanted = (learnt - centre) / spread, numbers[split.training]
    checked = (rows[split.stopping] - centre) / spread
    weights = weigh_classes(wanted, n_classes).astype(np.float32)
    adam = _Adam(n_classes, rows.shape[1])
    best, best_loss, best_epoch = adam.copy(), np.inf, 0
    n_epochs = _MAX_EPOCHS if len(split.stopping) else _EPOCHS_WITHOUT_STOPPING
    for epoch in range(1, n_epochs + 1):
        order = generator.permutation(len(values))
        for start in range(0, len(order), _BATCH_ROWS):
            some = order[start : start + _BATCH_ROWS]
            adam.learn(values[some], wanted[some], weights)
        if not len(split.stopping):
            best, best_epoch = adam.copy(), epoch
            continue
        loss = _loss(adam.answer(checked), numbers[split.stopping], weights)
        if loss < best_loss - _BETTER:
            best, best_loss, best_epoch = adam.copy(), loss, epoch
        elif epoch - best_epoch >= _PATIENCE:
            break
    weight, bias = best
    unit_weight = weight / spread
    layer = LinearLayer(
        unit_weight.astype(np.float32), (bias - unit_weight @ centre).astype(np.float32)
    )
    return FittedHead(layer, best_epoch)


class _Adam:
    """Weights and a bias, (c, d) and (c,), that learn."""

    def __init__(self, n_classes: int, dim: int) -> None:
        self._parameters = np.zeros((n_classes, dim), np.float32), np.zeros(n_classes, np.float32)
        self._means = [np.zeros_like(values) for values in self._parameters]
        self._squares = [np.zeros_like(values) for values in self._parameters]
        self._n_steps = 0

    def copy(self) -> tuple[_Floats, _Floats]:
        weight, bias = self._parameters
        return weight.copy(), bias.copy()

    def answer(self, values: _Floats) -> _Floats:
        """Return probabilities, (n, c)."""
        weight, bias = self._parameters
        return _softmax(values @ weight.T + bias)

    def learn(self, values: _Floats, wanted: NDArray[np.int64], weights: _Floats) -> None:
        """Take a step toward the right answers for some rows."""
        self._n_steps += 1
        error = self.answer(values)
        error[np.arange(len(wanted)), wanted] -= 1
        error *= weights[wanted][:, None] / len(wanted)
        slopes = error.T @ values, error.sum(axis=0)
        for parameters, slope, mean, square in zip(
            self._parameters, slopes, self._means, self._squares, strict=True
        ):
            mean += (1 - _MEAN_DECAY) * (slope - mean)
            square += (1 - _SQUARE_DECAY) * (slope**2 - square)
            ahead = mean / (1 - _MEAN_DECAY**self._n_steps)
            size = np.sqrt(square / (1 - _SQUARE_DECAY**self._n_steps)) + _EPSILON
            if parameters.ndim > 1:
                parameters *= 1 - _STEP * _WEIGHT_DECAY
            parameters -= _STEP * ahead / size


def _softmax(logits: _Floats) -> _Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _loss(answers: _Floats, wanted: NDArray[np.int64], weights: _Floats) -> float:
    """Return the weighted mean of the surprise."""
    right = np.maximum(answers[np.arange(len(wanted)), wanted], 1e-12)
    return float((weights[wanted] * -np.log(right)).sum() / weights[wanted].sum())
