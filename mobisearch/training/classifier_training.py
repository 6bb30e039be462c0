"""From folders to a classifier file: a head on embeddings, in seconds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobisearch.arguments import PathArgument
from mobisearch.embedding import Embedder
from mobisearch.errors import TrainingDataError
from mobisearch.index import ImageIndex
from mobisearch.models import LinearLayer
from mobisearch.models.classifier_files import classifier_bytes, is_classifier_file
from mobisearch.outputs import OutputKind, check_output_path, save_output
from mobisearch.training.embedded_examples import EmbeddedExamples, embed_examples
from mobisearch.training.examples import find_examples
from mobisearch.training.head import fit_head
from mobisearch.training.scores import Scores, score_answers
from mobisearch.training.splitting import Split, split_examples
from mobisearch.types import FileFailure, OnProgress

CLASSIFIER_KIND = OutputKind("classifier", is_classifier_file, (".safetensors",))
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier that was trained, and how well it does.

    Attributes:
        data: the file, see ``save_classifier``. The same embeddings and seed give the same bytes.
        classes: what it tells apart.
        counts: different images of each class that could be used.
        learnt, stopping: how many of them it learnt from, and how many said when to stop.
        stored: how many of them an index held, so that they were not embedded again.
        scores: on those that were held back.
        epochs: passes over the examples.
        failures: files that could not be used.
        notes: what was left out, or could not be tested, and why, a line each.
    """

    data: bytes
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    learnt: int
    stopping: int
    stored: int
    scores: Scores
    epochs: int
    seconds: float
    failures: tuple[FileFailure, ...]
    notes: tuple[str, ...]


def train_classifier(
    folder: PathArgument,
    embedder: Embedder,
    index: ImageIndex | None = None,
    *,
    name: str = "trained",
    seed: int = 0,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> TrainedClassifier:
    """Learn the classes that the sub-folders of a folder are.

    Photos are only read. Files that cannot be used are data in the result. Byte-identical files
    count once.

    Args:
        embedder: makes the embeddings that the classifier will take.
        index: of the same model; what it holds is not embedded again.
        name: what the classifier is called in lists of labels.
        seed: chooses what is held back.
        stop: once it is set, the work ends with KeyboardInterrupt.

    Raises:
        RootUnavailableError: there is no such folder.
        TrainingDataError: there are too few classes or examples.
        ClassifierMismatchError, ModelError: of the embedder, or the network cannot be loaded.
    """
    started = time.monotonic()
    examples = embed_examples(
        find_examples(folder), embedder, index, on_progress=on_progress, stop=stop
    )
    split = split_checked(examples, seed=seed)
    classes, numbers = examples.classes, examples.numbers
    fitted = fit_head(examples.rows, numbers, split, len(classes), seed=seed)
    answers = answers_of(fitted.layer, examples, split.testing)
    scores = score_answers(classes, numbers[split.testing], answers)
    counts = np.bincount(numbers, minlength=len(classes)).tolist()
    facts: dict[str, Any] = {
        "classes": list(classes),
        "counts": counts,
        "learnt": len(split.training),
        "stopping": len(split.stopping),
        "seed": seed,
        "epochs": fitted.epochs,
        "scores": scores.as_document(),
    }
    return TrainedClassifier(
        data=classifier_bytes(embedder.spec, fitted.layer, facts, name=name),
        classes=classes,
        counts=tuple(counts),
        learnt=len(split.training),
        stopping=len(split.stopping),
        stored=examples.n_stored,
        scores=scores,
        epochs=fitted.epochs,
        seconds=round(time.monotonic() - started, 3),
        failures=examples.failures,
        notes=(*examples.notes, *untested_notes(classes, counts)),
    )


def split_checked(examples: EmbeddedExamples, *, seed: int) -> Split:
    """Return the split of examples, or raise TrainingDataError where none can be held back."""
    split = split_examples(examples.numbers, seed=seed)
    if not len(split.testing):
        raise TrainingDataError(
            examples.folder,
            "every class has one image that can be used, so that nothing could be tested; add more",
        )
    return split


def answers_of(
    layer: LinearLayer, examples: EmbeddedExamples, places: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the number of the class that a layer takes some examples for."""
    logits = examples.rows[places] @ layer.weight.T + layer.bias
    return np.asarray(logits.argmax(axis=1), np.int64)


def check_classifier_path(path: str | os.PathLike[str]) -> Path:
    """Return where a classifier would be written.

    Raises:
        ReportError: it does not end in ``.safetensors``, or is another kind of file.
    """
    return check_output_path(path, CLASSIFIER_KIND)


def save_classifier(trained: TrainedClassifier, path: str | os.PathLike[str]) -> Path:
    """Write a classifier file, whole or not at all. An earlier classifier is replaced.

    Raises:
        ReportError: another kind of file, in the way, or not writable.
    """
    target = check_classifier_path(path)
    save_output(lambda file: file.write(trained.data), target, CLASSIFIER_KIND)
    return target


def untested_notes(classes: Sequence[str], counts: Sequence[int]) -> list[str]:
    """Return a note where classes have too few examples to be tested."""
    names = [name for name, n in zip(classes, counts, strict=True) if n == 1]
    if not names:
        return []
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return [f"{len(names):,} classes have one image, which was learnt but not tested: {shown}"]
