"""One run over an index that gives labels to all contents without: nothing is decoded again.

What a run committed stays, and the next one goes on there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np

from mobisearch.embedding import Embedder
from mobisearch.models import Classifier
from mobisearch.rereading import embed_contents
from mobisearch.store import CatalogWriter, PendingVector
from mobisearch.types import LabelReport, OnProgress, Progress, UnitRows

_LABELLED_PER_COMMIT = 2048


class Labeller:
    """One run of a classifier over the contents of an index."""

    def __init__(
        self,
        catalog: CatalogWriter,
        embedder: Embedder,
        classifier: Classifier,
        *,
        k: int,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            k: how many categories are kept of each content.
            stop: once it is set, the run stores what it has, and ends.
        """
        self._catalog = catalog
        self._embedder = embedder
        self._classifier = classifier
        self._k = k
        self._on_progress = on_progress
        self._stop = stop or threading.Event()
        self._n_labelled = self._n_reread = self._n_left = 0

    def run(self) -> LabelReport:
        """Label what is without labels of this classifier.

        Raises:
            StorageError: the disk is full or failing.
            ModelError: images have to be read again, and the network cannot be loaded.
        """
        started = time.monotonic()
        chosen, labels = self._classifier, self._catalog.labels
        number = labels.begin(chosen.name, chosen.sha256, chosen.categories, self._k)
        n_before = labels.count_of(number)
        self._total = self._catalog.count_vectors() - n_before
        last = 0
        while not self._stop.is_set() and (
            batch := labels.pending(number, last, _LABELLED_PER_COMMIT)
        ):
            self._label(number, batch)
            last = batch[-1].content_id
        return LabelReport(
            classifier=chosen.name,
            categories=len(chosen.categories),
            labelled=self._n_labelled,
            unchanged=n_before,
            reread=self._n_reread,
            left=self._n_left,
            seconds=round(time.monotonic() - started, 3),
            interrupted=self._stop.is_set(),
        )

    def _label(self, number: int, batch: Sequence[PendingVector]) -> None:
        """Label a batch and store that, in one transaction."""
        ids, rows = self._catalog.some_vectors(
            [entry.vector_id for entry in batch], dim=self._embedder.dim
        )
        known = {entry.vector_id: entry for entry in batch}
        contents = [known[vector_id].content_id for vector_id in ids.tolist()]
        norms = np.array([known[vector_id].norm for vector_id in ids.tolist()], np.float64)
        found: dict[int, float] = {}
        if self._classifier.needs_norms:
            lacking = [c for c, norm in zip(contents, norms, strict=True) if np.isnan(norm)]
            found = self._read_norms(lacking)
            norms = np.array(
                [found.get(c, norm) for c, norm in zip(contents, norms, strict=True)], np.float64
            )
            self._n_left += len(lacking) - len(found)
            self._n_reread += len(found)
            usable = np.flatnonzero(~np.isnan(norms))
            contents = [contents[place] for place in usable]
            rows, norms = rows[usable], norms[usable]
        best = self._classifier.best(UnitRows(rows, norms), self._k)
        self._catalog.labels.put(number, contents, *best, norms=list(found.items()))
        self._n_labelled += len(contents)
        self._tell()

    def _read_norms(self, content_ids: Sequence[int]) -> dict[int, float]:
        """Read and embed again what an older mobisearch stored without norms."""
        contents = self._catalog.labels.sha256_of(content_ids)
        found, _ = embed_contents(self._catalog, self._embedder, contents, stop=self._stop)
        return {content_id: outcome.norm for content_id, outcome in found.items()}

    def _tell(self) -> None:
        if self._on_progress is not None:
            done = self._n_labelled + self._n_left
            self._on_progress(Progress(done, self._total, self._n_left, self._n_labelled))
