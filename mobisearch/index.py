"""An index of images: a folder on disk that can be filled, searched and checked.

The pipeline and the store meet here and in ``mobisearch.sync``, and nowhere else.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

from numpy.typing import ArrayLike

from mobisearch.arguments import (
    PathArgument,
    as_list,
    checked_count,
    checked_recall,
    possible_paths,
    real_path,
    resolve_roots,
    unit_row,
)
from mobisearch.browsing import BrowsingIndex
from mobisearch.imaging import ImageSource, ScanSettings, name_of
from mobisearch.inspection import check_index, read_status
from mobisearch.labelled import LabelledIndex
from mobisearch.repairing import repair_catalog, salvage_to
from mobisearch.results import Matches
from mobisearch.store import IndexLayout
from mobisearch.sync import Synchroniser
from mobisearch.types import (
    DEFAULT_LEAST_PROBABILITY,
    IndexStatus,
    OnProgress,
    RepairReport,
    SalvageReport,
    SyncReport,
    VerifyReport,
)


class ImageIndex(LabelledIndex, BrowsingIndex):
    """Images of some folders, their embeddings, and searches among them.

    ::

        with ImageIndex.create("indexes/photos") as index:
            index.sync("~/Pictures")
            for match in index.search("query.jpg", k=5):
                print(match.score, match.image.path)

    Searches may run in several threads, and while another process writes: each sees the newest
    commit, never half of one. Photos are only ever read.
    """

    def sync(
        self,
        *folders: PathArgument,
        prune: bool = False,
        rehash: bool = False,
        scan: ScanSettings | None = None,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Make the index mirror folders and all folders below them.

        New and changed images are embedded; unchanged ones are not read; moved ones are recognised
        by content and keep their id; vanished ones are hidden from results and kept until they
        return. Stored in small steps: what is done stays done, and the next call goes on there.

        Args:
            folders: any number; folders inside one another are one. None: all that the index knows.
            prune: forget vanished images, in folders that could be read completely.
            rehash: read every file again, whatever size and times say.
            scan: what to leave out, remembered for each folder; None takes what is remembered, or
                the defaults.
            on_progress: called after each image and each commit.
            stop: set it, from another thread or a signal handler, to end early: what is begun is
                finished and stored.

        Returns:
            What was found and done; files that failed, and folders that are not available while
            others are, are in it as data.

        Raises:
            RootUnavailableError: no folder is available: missing, or empty although it held images.
                Nothing was changed.
            IndexLockedError: another process is writing.
            StorageError: the disk is full or failing.
        """
        roots, unavailable = resolve_roots(folders or tuple(self._catalog.roots()))
        with self._writing() as catalog:
            run = Synchroniser(catalog, self._embedder, on_progress=on_progress, stop=stop)
            report = run.sync(roots, scan, prune=prune, rehash=rehash, unavailable=unavailable)
            self._vectors.refresh(catalog, stop)
        return dataclasses.replace(
            report,
            warnings=(*report.warnings, *self._warnings()),
            interrupted=stop is not None and stop.is_set(),
        )

    def add(
        self,
        paths: Sequence[PathArgument],
        *,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Add image files, or read them again; failures are data in the report.

        What their names end in does not matter. ``stop`` is that of ``sync``.
        """
        files = [real_path(path) for path in as_list(paths)]
        with self._writing() as catalog:
            run = Synchroniser(catalog, self._embedder, on_progress=on_progress, stop=stop)
            report = run.add(files)
            self._vectors.refresh(catalog, stop)
        return report

    def retry_errors(
        self, *, on_progress: OnProgress | None = None, stop: threading.Event | None = None
    ) -> SyncReport:
        """Try all files once more that could not be indexed, of the formats that are read.

        ``sync`` tries a file again only when it has changed.
        """
        with self._writing() as catalog:
            run = Synchroniser(catalog, self._embedder, on_progress=on_progress, stop=stop)
            report = run.retry()
            self._vectors.refresh(catalog, stop)
        return dataclasses.replace(report, interrupted=stop is not None and stop.is_set())

    def remove(self, paths: Sequence[PathArgument]) -> int:
        """Forget files, or everything below folders, and return how many files were known.

        The files themselves are not touched; a later ``sync`` of their folder finds them again.

        Raises:
            IndexLockedError, StorageError: as for ``sync``.
        """
        with self._writing() as catalog:
            n_removed = catalog.remove_files(possible_paths(as_list(paths)))
            self._vectors.refresh(catalog)
        return n_removed

    def search(
        self,
        query: ImageSource,
        k: int = 10,
        *,
        exact: bool = False,
        label: str | None = None,
        least_probability: float = DEFAULT_LEAST_PROBABILITY,
    ) -> Matches:
        """Find the images most like an image, best first, ties by id.

        Beyond some 20,000 images, those that are likely to be are compared; see ``tune``.

        Args:
            query: a path, bytes, a Pillow image or a uint8 array (h, w, 3); it need not be in the
                index.
            k: how many, at least 1. An index with fewer images gives them all.
            exact: compare with every image, however many there are.
            label: only find images that have this category among their labels, or the only one
                whose name it is a part of; case does not matter. All of those are compared.
            least_probability: of that category, 0 to 1.

        Raises:
            ImageError: the query cannot be used.
            InvalidResultCountError, InvalidProbabilityError: of the numbers.
            NotLabelledError, UnknownLabelError: there is no such label, or no single one.
        """
        k = checked_count(k)
        labelled = self._labelled(label, least_probability)
        embeddings = self._embedder.embed([query])  # (1, d)
        with self._catalog.snapshot():
            found = self._search_vectors(embeddings, k, exact=exact, labelled=labelled)
            return self._catalog.matches(found[0], k, query=name_of(query))

    def search_many(
        self,
        queries: Sequence[ImageSource],
        k: int = 10,
        *,
        exact: bool = False,
        label: str | None = None,
        least_probability: float = DEFAULT_LEAST_PROBABILITY,
    ) -> list[Matches]:
        """Find the images most like each of several images, one list of matches for each.

        A query that cannot be used gives an empty list whose ``error`` says why. Otherwise as for
        ``search``.
        """
        k = checked_count(k)
        labelled = self._labelled(label, least_probability)
        sources = as_list(queries)
        embeddings, errors = self._embedder.embed_each(sources)  # (m, d) of the m usable ones
        with self._catalog.snapshot():
            found = iter(self._search_vectors(embeddings, k, exact=exact, labelled=labelled))
            return [
                self._catalog.matches(next(found), k, query=name_of(query))
                if error is None
                else Matches(query=name_of(query), error=error)
                for query, error in zip(sources, errors, strict=True)
            ]

    def search_by_id(self, image_id: int, k: int = 10, *, exact: bool = False) -> Matches:
        """Find the images most like one in the index; that image itself is left out.

        Raises:
            UnknownImageIdError: no image has this id.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = checked_count(k)
        with self._catalog.snapshot():
            record, embedding = self._stored(image_id)
            found = self._vectors.search(embedding[None], k + 1, exact=exact)
            matches = self._catalog.matches(found[0], k + 1, query=record.path)
        others = [match for match in matches if match.image.id != image_id]
        return Matches(others[:k], query=record.path)

    def search_by_vector(self, vector: ArrayLike, k: int = 10, *, exact: bool = False) -> Matches:
        """Find the images most like an embedding.

        Args:
            vector: shape (d,), of the model that the index was opened with; it is made a unit one.

        Raises:
            InvalidVectorError: the shape is wrong, or it holds NaN, infinity or only zeros.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = checked_count(k)
        with self._catalog.snapshot():
            row = unit_row(vector, self._embedder.dim)
            found = self._vectors.search(row, k, exact=exact)
            return self._catalog.matches(found[0], k)

    def status(self) -> IndexStatus:
        """Return the index at a glance. Reads no embedding and loads no network."""
        return read_status(self._layout, self._catalog, self._model)

    def tune(self, recall: float) -> IndexStatus:
        """Set which share of the true best ten searches among some 20,000 images or more find.

        What they go through is trained, and measured with images of the index: half a minute for a
        million. Where nothing finds as much, searches compare with every image.

        Args:
            recall: above 0, up to 1; 0.99 at first. 1 always compares with every image.

        Raises:
            InvalidRecallError: it is anything else.
            IndexLockedError, StorageError: as for ``sync``.
        """
        recall = checked_recall(recall)
        with self._writing() as catalog:
            if catalog.recall_target() != recall:
                catalog.put_recall_target(recall)
            self._vectors.refresh(catalog)
        return self.status()

    def verify(self) -> VerifyReport:
        """Check the catalog and cache files, every embedding too; change nothing."""
        return check_index(self._layout, self._catalog, self._model)

    def repair(self, *, on_progress: OnProgress | None = None) -> RepairReport:
        """Put right what ``verify`` finds: let go of what makes no sense, read those images again.

        The catalog as it was is kept in the index's folder ``backups``.

        Raises:
            IndexDamagedError: the database itself is broken; ``salvage`` saves what can be read.
            IndexLockedError, StorageError: as for ``sync``.
        """
        with self._writing() as catalog:
            repaired = repair_catalog(self._layout, catalog, self._embedder, on_progress)
            self._vectors.refresh(catalog)
        return dataclasses.replace(repaired, check=self.verify())

    @staticmethod
    def salvage(path: PathArgument, target: PathArgument) -> SalvageReport:
        """Save what can be read of an index that is too damaged to be opened into a new one.

        The damaged index is left as it is. What is lost is found again by ``sync``.

        Raises:
            IndexNotFoundError, IndexDamagedError, IndexFormatError: nothing can be saved.
            IndexExistsError, IndexReadOnlyError, StorageError: the new one cannot be made.
        """
        return salvage_to(IndexLayout.at(path), IndexLayout.at(target))
