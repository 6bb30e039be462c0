"""Which examples are learnt from, which say when to stop, which are held back for the scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TEST_SHARE, _STOP_SHARE = 0.2, 0.15
_FEWEST_FOR_ALL = 3
"""Examples of a class from which on some of it are in each part."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Numbers of examples, int64, ascending, none in two parts.

    Attributes:
        training: what is learnt from.
        stopping: what says when more learning no longer helps.
        testing: what the scores are of; neither learnt from nor looked at before.
    """

    training: NDArray[np.int64]
    stopping: NDArray[np.int64]
    testing: NDArray[np.int64]


def split_examples(numbers: NDArray[np.int64], *, seed: int) -> Split:
    """Split examples, class by class, so that each part has its share of each class.

    A class of three or more has one in each part at least; of two, one is learnt and one tested; a
    single one is learnt. The same classes and seed give the same split.

    Args:
        numbers: the class of each example, shape (n,).
    """
    generator = np.random.default_rng(seed)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for number in sorted(set(numbers.tolist())):
        places = np.flatnonzero(numbers == number)
        shuffled = generator.permutation(places).tolist()
        n_testing = max(1, round(_TEST_SHARE * len(shuffled))) if len(shuffled) > 1 else 0
        is_enough = len(shuffled) >= _FEWEST_FOR_ALL
        n_stopping = max(1, round(_STOP_SHARE * len(shuffled))) if is_enough else 0
        parts[2].extend(shuffled[:n_testing])
        parts[1].extend(shuffled[n_testing : n_testing + n_stopping])
        parts[0].extend(shuffled[n_testing + n_stopping :])
    return Split(*(np.array(sorted(part), np.int64) for part in parts))


def weigh_classes(numbers: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Return a weight for each class, so that all count alike however many examples they have."""
    counts = np.bincount(numbers, minlength=n_classes)
    weights: NDArray[np.float64] = len(numbers) / (n_classes * np.maximum(counts, 1.0))
    return weights
