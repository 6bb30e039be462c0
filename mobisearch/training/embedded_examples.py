"""Examples as embeddings: those that an index holds are taken from there, the others made now."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.embedding import Embedder
from mobisearch.errors import TrainingDataError
from mobisearch.index import ImageIndex
from mobisearch.pipeline import EmbeddedFile, FailedFile, embed_files
from mobisearch.training.examples import FoundExamples
from mobisearch.types import Embeddings, FileFailure, OnProgress, Progress

_FEWEST_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedExamples:
    """Different contents with their classes.

    Attributes:
        folder: where they are from.
        classes: those with an image that can be used.
        paths, sha256s: of each content, ordered by SHA-256, so that names and places of files
            change nothing.
        numbers: int64, shape (n,), the class of each.
        rows: float32, shape (n, d), unit rows.
        n_stored: how many of them an index held.
        norm: how long an embedding is before it is made a unit vector, the mean of those made now;
            NaN where none was.
        failures: files that could not be used.
        notes: what was left out and why, a line each.
    """

    folder: str
    classes: tuple[str, ...]
    paths: tuple[str, ...]
    sha256s: tuple[str, ...]
    numbers: NDArray[np.int64]
    rows: Embeddings
    n_stored: int
    norm: float
    failures: tuple[FileFailure, ...]
    notes: tuple[str, ...]


def embed_examples(
    found: FoundExamples,
    embedder: Embedder,
    index: ImageIndex | None = None,
    *,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> EmbeddedExamples:
    """Read all examples, and embed those whose content the index does not hold.

    Byte-identical files count once. A content that is in folders of several classes says nothing,
    and is left out.

    Args:
        index: of the same model as the embedder; None: everything is embedded now.
        stop: once it is set, the work ends with KeyboardInterrupt: nothing is kept.

    Raises:
        TrainingDataError: fewer than two classes have an image that can be used.
        ModelError: the network cannot be loaded.
    """
    known = index.known_contents() if index is not None else frozenset()
    numbers: dict[str, set[int]] = {}
    first_path: dict[str, str] = {}
    made: dict[str, tuple[Embeddings, float]] = {}
    failures: list[FileFailure] = []
    outcomes = embed_files(
        [file.path for file in found.files], embedder, is_known=lambda sha256: sha256 in known
    )
    try:
        for n_done, (file, outcome) in enumerate(zip(found.files, outcomes, strict=True), 1):
            if stop is not None and stop.is_set():
                raise KeyboardInterrupt
            if isinstance(outcome, FailedFile):
                failures.append(outcome.failure)
            else:
                numbers.setdefault(outcome.sha256, set()).add(file.class_number)
                first_path.setdefault(outcome.sha256, file.path)
                if isinstance(outcome, EmbeddedFile):
                    made[outcome.sha256] = outcome.embedding, outcome.norm
            if on_progress is not None:
                on_progress(Progress(n_done, len(found.files), len(failures), stage="embedding"))
    finally:
        outcomes.close()
    stored = [sha256 for sha256 in numbers if sha256 not in made]
    rows = {sha256: row for sha256, (row, _) in made.items()}
    if index is not None:
        rows |= index.stored_embeddings(stored)
    notes = [*found.notes, *_contradictions(found, numbers, first_path)]
    chosen = sorted(sha256 for sha256, of in numbers.items() if len(of) == 1 and sha256 in rows)
    given = np.array([next(iter(numbers[sha256])) for sha256 in chosen], np.int64)
    present = sorted(set(given.tolist()))
    notes += [
        f"{name}: none of its images can be used, and is no class"
        for number, name in enumerate(found.classes)
        if number not in present
    ]
    if len(present) < _FEWEST_CLASSES:
        reasons = "; ".join(f"{f.path}: {f.reason}" for f in failures[:3])
        raise TrainingDataError(
            found.folder,
            "fewer than two classes have an image that can be used"
            + (f" ({reasons})" if reasons else ""),
        )
    return EmbeddedExamples(
        folder=found.folder,
        classes=tuple(found.classes[number] for number in present),
        paths=tuple(first_path[sha256] for sha256 in chosen),
        sha256s=tuple(chosen),
        numbers=np.searchsorted(np.array(present), given).astype(np.int64),
        rows=np.stack([rows[sha256] for sha256 in chosen]),
        n_stored=sum(sha256 not in made for sha256 in chosen),
        norm=float(np.mean([norm for _, norm in made.values()])) if made else float("nan"),
        failures=tuple(failures),
        notes=tuple(notes),
    )


def _contradictions(
    found: FoundExamples, numbers: dict[str, set[int]], first_path: dict[str, str]
) -> Sequence[str]:
    return [
        f"{first_path[sha256]}: is in the folders of several classes "
        f"({', '.join(found.classes[number] for number in sorted(of))}), and was left out"
        for sha256, of in numbers.items()
        if len(of) > 1
    ]
