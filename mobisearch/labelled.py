"""An open index whose images have labels: the categories that a classifier says they are of."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mobisearch.arguments import checked_count, checked_probability
from mobisearch.comparing import ComparingIndex
from mobisearch.errors import NotLabelledError
from mobisearch.store import FoundVector
from mobisearch.types import (
    DEFAULT_LABELS,
    Embeddings,
    LabelCount,
    LabelReport,
    OnProgress,
)

if TYPE_CHECKING:
    from mobisearch.models import Classifier


class LabelledIndex(ComparingIndex):
    """An open index whose images can be labelled, and found by their labels."""

    def label(
        self,
        classifier: str | os.PathLike[str] | Classifier | None = None,
        *,
        k: int = DEFAULT_LABELS,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> LabelReport:
        """Give every image the categories that it most probably is of.

        Labels are made of the stored embeddings: no photo is read, but where an older mobisearch
        had not kept the norms that the classifier needs. Only what is without labels is looked at;
        stored in small steps, so that the next call goes on where one ended. Labels of another
        classifier stay; those of one with the same name make room.

        Args:
            classifier: a file that training made; None takes the one in the weights of the index's
                model.
            k: how many categories are kept of each image. Another number labels all again.
            on_progress: called after each commit.
            stop: set it, from another thread or a signal handler, to end early.

        Raises:
            NoClassifierError: the weights of the index's model have no classifier in them.
            ClassifierFileError, ClassifierMismatchError: the file is none, or of another model.
            InvalidResultCountError: ``k`` is below 1.
            IndexLockedError, StorageError: as for ``sync``.
        """
        from mobisearch.classifying import choose_classifier  # opening an index is to stay quick
        from mobisearch.labelling import Labeller

        k = checked_count(k)
        self._require_in_use()
        chosen = choose_classifier(self._embedder, classifier)
        with self._writing() as catalog:
            run = Labeller(catalog, self._embedder, chosen, k=k, on_progress=on_progress, stop=stop)
            return run.run()

    def labels(self) -> list[LabelCount]:
        """Return the categories that images are most probably of, those of most images first."""
        with self._catalog.snapshot():
            known = {row.id: row for row in self._catalog.labels.classifiers()}
            counts = self._catalog.labels.counts()
        found = [
            LabelCount(known[number].categories[category], known[number].name, n_images)
            for number, category, n_images in counts
        ]
        return sorted(found, key=lambda count: (-count.images, count.category, count.classifier))

    def known_contents(self) -> frozenset[str]:
        """Return the SHA-256, hexadecimal, of every content whose embedding is stored."""
        self._require_in_use()
        return frozenset(sha256.hex() for sha256 in self._catalog.known_sha256())

    def stored_embeddings(self, sha256s: Sequence[str]) -> dict[str, Embeddings]:
        """Return the stored embeddings of contents, by SHA-256; those that are not are left out."""
        self._require_in_use()
        return self._catalog.embeddings_of(sha256s, dim=self._model.dim)

    def _labelled(self, label: str | None, least_probability: float) -> NDArray[np.int64] | None:
        """Return the ids of the vectors that have a label, or None where none is asked for."""
        least = checked_probability(least_probability)
        if label is None:
            return None
        location = str(self._layout.directory)
        try:
            return self._catalog.labels.vectors_of(label, least=least, location=location)
        except NotLabelledError:
            weights = self._embedder.spec.weights
            if weights.place != "bundled" or weights.n_categories:
                raise
            raise NotLabelledError(location, self._embedder.spec.name) from None

    def _search_vectors(
        self, embeddings: Embeddings, k: int, *, exact: bool, labelled: NDArray[np.int64] | None
    ) -> list[list[FoundVector]]:
        """Find the vectors most like each of some, among all or among those with a label."""
        if labelled is None:
            return self._vectors.search(embeddings, k, exact=exact)
        return self._vectors.search_among(embeddings, k, labelled)
