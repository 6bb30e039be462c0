"""Training the whole network on folders of examples, from where its weights are.

Every epoch ends with a checkpoint; the same call goes on from there. Chance depends on the seed,
the epoch and the example alone, so that on a CPU, from the same embeddings, an interrupted training
ends with the weights of one that was not.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from torch import Tensor

from mobisearch.arguments import PathArgument
from mobisearch.embedding import Embedder
from mobisearch.index import ImageIndex
from mobisearch.models import ModelSpec, find_model
from mobisearch.models.classifier_files import TRAINING
from mobisearch.models.names import split_name
from mobisearch.outputs import OutputKind, begins_with, check_output_path, save_output
from mobisearch.training.checkpoints import checkpoint_path, drop_checkpoint
from mobisearch.training.classifier_training import untested_notes
from mobisearch.training.embedded_examples import embed_examples
from mobisearch.training.examples import find_examples
from mobisearch.training.scores import Scores
from mobisearch.training.tuning_run import FineTuneSettings, TuningRun
from mobisearch.types import FileFailure, OnProgress

_NO_BETTER = (
    "no epoch did better on the images set apart than the last layer alone, so that the network in "
    "front of it is as it was; a classifier without --fine-tune does as much"
)
WEIGHTS_KIND = OutputKind("weights file of a training", begins_with(TRAINING), (".safetensors",))


@dataclass(frozen=True, slots=True)
class FineTuned:
    """Weights that were trained, and how well their own classifier does.

    Attributes:
        data: the file: safetensors, torchvision's names, the classifier and its classes included.
        model: the name that a network with these weights has here, ``NAME+SHA256``.
        epochs: the one that was best, of those taken.
        resumed_at: epochs that an earlier call had done.

    The others are as in :class:`TrainedClassifier`.
    """

    data: bytes
    model: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    learnt: int
    stopping: int
    stored: int
    scores: Scores
    epochs: int
    resumed_at: int
    seconds: float
    failures: tuple[FileFailure, ...]
    notes: tuple[str, ...]


def check_weights_path(path: str | os.PathLike[str]) -> Path:
    """Return where weights would be written.

    Raises:
        ReportError: it does not end in ``.safetensors``, or is another kind of file.
    """
    return check_output_path(path, WEIGHTS_KIND)


def fine_tune(
    folder: PathArgument,
    embedder: Embedder,
    output: str | os.PathLike[str],
    settings: FineTuneSettings | None = None,
    *,
    index: ImageIndex | None = None,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> FineTuned:
    """Train a network on the classes that the sub-folders of a folder are, and write its weights.

    A head is learnt on embeddings first, then everything together on altered parts of the pictures.
    The weights of the epoch that does best on the examples set apart for that are kept.

    Args:
        embedder: of the model to begin with.
        output: the weights file; the checkpoint is beside it while the training lasts.
        stop: once it is set, the work ends with KeyboardInterrupt; the epochs done are kept.

    Raises:
        RootUnavailableError, TrainingDataError: the folder is missing, or nothing can be learnt.
        ReportError: the output cannot be written.
        ModelError: the weights to begin with cannot be used.
    """
    started = time.monotonic()
    settings = settings or FineTuneSettings()
    target = check_weights_path(output)
    examples = embed_examples(
        find_examples(folder), embedder, index, on_progress=on_progress, stop=stop
    )
    run = TuningRun(examples, embedder, settings, on_progress, stop)
    resumed_at = run.learn(checkpoint_path(target))
    scores = run.test()
    counts = np.bincount(examples.numbers, minlength=len(examples.classes)).tolist()
    facts = {"base": embedder.spec.name, "scores": scores.as_document(), "counts": counts}
    data = _weights_bytes(run.network.tensors(), examples.classes, facts)
    save_output(lambda file: file.write(data), target, WEIGHTS_KIND)
    drop_checkpoint(checkpoint_path(target))
    return FineTuned(
        data=data,
        model=_named(embedder.spec, hashlib.sha256(data).hexdigest()).name,
        classes=examples.classes,
        counts=tuple(counts),
        learnt=len(run.split.training),
        stopping=len(run.split.stopping),
        stored=examples.n_stored,
        scores=scores,
        epochs=run.best_epoch,
        resumed_at=resumed_at,
        seconds=round(time.monotonic() - started, 3),
        failures=examples.failures,
        notes=(
            *examples.notes,
            *untested_notes(examples.classes, counts),
            *(() if run.best_epoch else (_NO_BETTER,)),
        ),
    )


def _weights_bytes(
    tensors: Mapping[str, Tensor], classes: Sequence[str], facts: Mapping[str, Any]
) -> bytes:
    """Return a weights file by torchvision's names that also says what its outputs are."""
    named = {name: tensor.contiguous() for name, tensor in tensors.items()}
    document = json.dumps({**facts, "classes": list(classes)}, sort_keys=True)
    return safetensors.torch.save(named, {TRAINING: document})


def _named(spec: ModelSpec, sha256: str) -> ModelSpec:
    """Return the model with these weights in place of its own."""
    parts = split_name(spec.name)
    width = "" if parts.width is None else f"x{parts.width}"
    resolution = "" if parts.resolution is None else f"@{parts.resolution}"
    return find_model(f"{parts.base}{width}+{sha256}{resolution}")
