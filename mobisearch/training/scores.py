"""How well a classifier does on examples that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class does.

    Attributes:
        name: of the class.
        tested: examples of it that were held back.
        recall: share of those that were found to be of it; None without any.
        precision: share of what was taken for it that is of it; None where nothing was.
    """

    name: str
    tested: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a classifier does on what was held back.

    Attributes:
        tested: examples.
        accuracy: share of them that were told right.
        balanced_accuracy: the mean of the recalls, so that all classes count alike.
        classes: one by one.
        confusion: how many of each class (rows) were taken for each (columns).
    """

    tested: int
    accuracy: float
    balanced_accuracy: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]

    def as_document(self) -> dict[str, Any]:
        """Return the scores as JSON has them."""
        return {
            "tested": self.tested,
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "per_class": {
                found.name: {
                    "tested": found.tested,
                    "recall": found.recall,
                    "precision": found.precision,
                }
                for found in self.classes
            },
            "confusion": [list(row) for row in self.confusion],
        }


def score_answers(
    classes: Sequence[str], wanted: NDArray[np.int64], answers: NDArray[np.int64]
) -> Scores:
    """Compare answers with what is right.

    Args:
        wanted, answers: numbers of classes, both of shape (n,), n at least 1.
    """
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (wanted, answers), 1)
    right, tested, taken = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    scores = tuple(
        ClassScore(
            name,
            int(tested[n]),
            float(right[n] / tested[n]) if tested[n] else None,
            float(right[n] / taken[n]) if taken[n] else None,
        )
        for n, name in enumerate(classes)
    )
    recalls = [score.recall for score in scores if score.recall is not None]
    return Scores(
        tested=len(wanted),
        accuracy=float(right.sum() / len(wanted)),
        balanced_accuracy=float(np.mean(recalls)),
        classes=scores,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )
