"""Classifiers: from embeddings to categories, in numpy alone.

A classifier is the layers behind the pooling: that of a model's own weights, or one that was
trained on its embeddings. The former takes the pooled values as they were, so that its answers are
those of the whole network, the latter unit rows. How they are kept in files is in
``classifier_files``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mobisearch.errors import ClassifierMismatchError
from mobisearch.models.spec import ModelSpec
from mobisearch.types import Label, UnitRows

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class LinearLayer:
    """``x @ weight.T + bias``: weight float32, shape (out, in); bias float32, shape (out,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Layers that make probabilities of categories of an embedding.

    Attributes:
        name: in words, for messages and lists.
        sha256: hexadecimal; tells it from any other.
        fingerprint: of the model whose embeddings it takes.
        model: the name of that model, and ``label`` the line about it for messages.
        categories: a name for each output; two may have the same one.
        layers: h-swish is between them, as in MobileNetV3.
        takes: ``"pooled"`` the values as the network gave them, or ``"unit"`` rows.
    """

    name: str
    sha256: str
    fingerprint: str
    model: str
    label: str
    categories: tuple[str, ...]
    layers: tuple[LinearLayer, ...]
    takes: Literal["pooled", "unit"]

    @property
    def needs_norms(self) -> bool:
        """Say whether the norms of embeddings are needed beside the unit rows."""
        return self.takes == "pooled"

    def check_model(self, spec: ModelSpec) -> None:
        """Raise ClassifierMismatchError unless it takes the embeddings of a model."""
        if spec.fingerprint != self.fingerprint:
            raise ClassifierMismatchError(self.name, expected=self.label, actual=spec.label)

    def logits(self, embedded: UnitRows) -> NDArray[np.float64]:
        """Return what the last layer gives, float64, shape (n, categories).

        A row whose norm is needed but not known (NaN) gives NaN.
        """
        values = embedded.rows.astype(np.float64)
        if self.needs_norms:
            values = values * embedded.norms[:, None]
        for number, layer in enumerate(self.layers):
            if number:
                values = values * np.clip(values + 3, 0, 6) / 6  # h-swish: arXiv:1905.02244
            values = values @ layer.weight.astype(np.float64).T + layer.bias
        return values

    def probabilities(self, embedded: UnitRows) -> NDArray[np.float64]:
        """Return the softmax of the logits, float64, shape (n, categories); rows add up to 1."""
        logits = self.logits(embedded)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def best(self, embedded: UnitRows, k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the k most probable categories of each row, by number, and their probabilities.

        Returns:
            int64 and float64, both of shape (n, min(k, categories)), the most probable first, ties
            by number.
        """
        n_taken = min(k, len(self.categories))
        numbers = [np.empty((0, n_taken), np.int64)]
        shares = [np.empty((0, n_taken), np.float64)]
        for start in range(0, len(embedded), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            found = self.probabilities(UnitRows(embedded.rows[part], embedded.norms[part]))
            order = np.argsort(-found, axis=1, kind="stable")[:, :n_taken]
            numbers.append(order)
            shares.append(np.take_along_axis(found, order, axis=1))
        return np.concatenate(numbers), np.concatenate(shares)

    def labels(self, embedded: UnitRows, k: int) -> list[tuple[Label, ...]]:
        """Return the k most probable categories of each row, the most probable first."""
        numbers, shares = self.best(embedded, k)
        return [
            tuple(
                Label(self.categories[number], share)
                for number, share in zip(row, probabilities, strict=True)
            )
            for row, probabilities in zip(numbers.tolist(), shares.tolist(), strict=True)
        ]
