"""Learning categories from folders: a head on embeddings, or the whole network.

What needs torch, fine-tuning, is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mobisearch.training.classifier_training import (
    TrainedClassifier,
    check_classifier_path,
    save_classifier,
    train_classifier,
)
from mobisearch.training.examples import ExampleFile, FoundExamples, find_examples
from mobisearch.training.scores import ClassScore, Scores, score_answers

if TYPE_CHECKING:
    from mobisearch.training.fine_tuning import FineTuned, check_weights_path, fine_tune
    from mobisearch.training.tuning_run import FineTuneSettings

__all__ = [
    "ClassScore",
    "ExampleFile",
    "FineTuneSettings",
    "FineTuned",
    "FoundExamples",
    "Scores",
    "TrainedClassifier",
    "check_classifier_path",
    "check_weights_path",
    "find_examples",
    "fine_tune",
    "save_classifier",
    "score_answers",
    "train_classifier",
]

_HOMES = {
    "FineTuneSettings": "mobisearch.training.tuning_run",
    "FineTuned": "mobisearch.training.fine_tuning",
    "check_weights_path": "mobisearch.training.fine_tuning",
    "fine_tune": "mobisearch.training.fine_tuning",
}
"""What loads torch."""


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
