"""The models of an index: a second one is added beside the first, used in its place, and dropped.

Nothing here needs the network of the model in use: an index whose model is no more to be had can be
brought to another one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from mobisearch.arguments import PathArgument
from mobisearch.drift import check_probe
from mobisearch.embedding import Embedder
from mobisearch.errors import ModelIncompleteError, ModelInUseError, ModelNotInIndexError
from mobisearch.rereading import embed_contents
from mobisearch.store import (
    CatalogWriter,
    IndexLayout,
    ModelRow,
    StoredModel,
    journal_mode,
    make_ready,
    open_reader,
    open_writer,
    refresh_cache,
    refresh_structure,
)
from mobisearch.types import FileFailure, IndexModel, ModelReport, OnProgress, Progress

_EMBEDDED_PER_COMMIT = 512
_MIN_FINGERPRINT = 8


class IndexModels:
    """The models of an index on disk.

    ::

        models = IndexModels("indexes/photos")
        models.add("mobilenet_v3_small")   # hours, perhaps; goes on where it was stopped
        models.use("mobilenet_v3_small")   # from one commit to the next
        models.drop("mobilenet_v2")

    The index can be searched all the time. Objects that have it open notice when another model came
    into use, and have to be opened again.
    """

    def __init__(self, path: PathArgument) -> None:
        """Name an index.

        Raises:
            IndexNotFoundError: there is none.
        """
        self._layout = IndexLayout.at(path)
        self._layout.require()

    @property
    def directory(self) -> str:
        """Where the index is, absolute."""
        return str(self._layout.directory)

    def list(self) -> list[IndexModel]:
        """Return the models that the index has embeddings by, the oldest first."""
        make_ready(self._layout)
        reader = open_reader(self._layout.catalog_path)
        try:
            with reader.snapshot():
                return [_described(stored) for stored in reader.models.all()]
        finally:
            reader.close()

    def add(
        self,
        model: str | Embedder,
        *,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> ModelReport:
        """Embed what a model has no embedding of, and keep that beside the model in use.

        Stored in small steps: what is done stays done, and the next call goes on there. Images that
        come into the index later are embedded by the model in use, and by this one at the next
        call.

        Args:
            model: a name, or an embedder of one's own.
            on_progress: called after each commit.
            stop: set it, from another thread or a signal handler, to end early.

        Raises:
            ModelError: the model is unknown, or its weights cannot be used.
            ModelMismatchError: what it embedded before does not fit to what it embeds now.
            IndexLockedError, StorageError: as for ``ImageIndex.sync``.
        """
        embedder = model if isinstance(model, Embedder) else Embedder(model)
        spec = embedder.spec
        row = ModelRow(spec.name, spec.fingerprint, spec.label, spec.dim, embedder.probe())
        with self._writing() as catalog:
            model_id = catalog.models.add(row)
            stored = next(each for each in catalog.models.all() if each.id == model_id)
            check_probe(embedder, stored.row, location=self.directory)
            run = _Filler(catalog, embedder, stored, on_progress, stop or threading.Event())
            return run.run()

    def use(self, name: str, *, incomplete: bool = False) -> IndexModel:
        """Let searches, and all that is embedded from now on, use another model of the index.

        One commit: before it the one is in use, after it the other. The embeddings of the one that
        was in use are kept beside.

        Args:
            name: of the model, or the beginning of its fingerprint.
            incomplete: also where it has no embedding of some images. Those are missing until a
                ``sync`` reads them again.

        Raises:
            ModelNotInIndexError: the index has none, or several, of that name.
            ModelIncompleteError: it has no embedding of some images yet.
            IndexLockedError, StorageError: as for ``ImageIndex.sync``.
        """
        with self._writing() as catalog:
            wanted = self._find(catalog, name)
            if wanted.lacking and not incomplete:
                raise ModelIncompleteError(self.directory, wanted.row.name, wanted.lacking)
            catalog.models.use(wanted.id)
            for refresh in (refresh_cache, refresh_structure):
                refresh(self._layout, catalog, dim=wanted.row.dim)
            return _described(self._find(catalog, wanted.row.fingerprint))

    def drop(self, name: str) -> IndexModel:
        """Forget a model and its embeddings; return what it had.

        Raises:
            ModelInUseError: it is the one in use.
            ModelNotInIndexError, IndexLockedError, StorageError: as for :meth:`use`.
        """
        with self._writing() as catalog:
            wanted = self._find(catalog, name)
            if wanted.is_active:
                raise ModelInUseError(self.directory, wanted.row.name)
            catalog.models.drop(wanted.id)
            return _described(wanted)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[CatalogWriter]:
        make_ready(self._layout)
        with self._layout.writer_lock():
            journal = journal_mode(self._layout.directory)
            catalog = open_writer(self._layout.catalog_path, journal=journal)
            try:
                yield catalog
            finally:
                catalog.close()

    def _find(self, catalog: CatalogWriter, name: str) -> StoredModel:
        models = catalog.models.all()
        found = [stored for stored in models if stored.row.name == name]
        if len(found) != 1 and len(name) >= _MIN_FINGERPRINT:
            found = [stored for stored in models if stored.row.fingerprint.startswith(name)]
        if len(found) != 1:
            known = (f"{stored.row.name} ({stored.row.fingerprint[:12]})" for stored in models)
            raise ModelNotInIndexError(self.directory, name, tuple(known))
        return found[0]


class _Filler:
    """One run that embeds what a model beside has no embedding of."""

    def __init__(
        self,
        catalog: CatalogWriter,
        embedder: Embedder,
        stored: StoredModel,
        on_progress: OnProgress | None,
        stop: threading.Event,
    ) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._stored = stored
        self._on_progress = on_progress
        self._stop = stop
        self._n_embedded = self._n_left = 0
        self._failures: list[FileFailure] = []

    def run(self) -> ModelReport:
        started = time.monotonic()
        last = 0
        if not self._stored.is_active:  # whose embeddings ``sync`` makes
            while not self._stop.is_set() and (
                batch := self._catalog.models.pending(self._stored.id, last, _EMBEDDED_PER_COMMIT)
            ):
                self._embed(dict(batch))
                last = batch[-1][0]
        return ModelReport(
            model=self._stored.row.name,
            embedded=self._n_embedded,
            unchanged=self._stored.embedded,
            left=self._stored.lacking - self._n_embedded,
            failures=tuple(self._failures),
            seconds=round(time.monotonic() - started, 3),
            interrupted=self._stop.is_set(),
        )

    def _embed(self, contents: dict[int, str]) -> None:
        """Embed a batch and store that, in one transaction."""
        found, failures = embed_contents(self._catalog, self._embedder, contents, stop=self._stop)
        rows = [(number, each.embedding, each.norm) for number, each in found.items()]
        self._catalog.beside.put(self._stored.id, rows)
        self._failures += failures.values()
        self._n_embedded += len(found)
        self._n_left += len(contents) - len(found)
        if self._on_progress is not None:
            done = self._n_embedded + self._n_left
            total = self._stored.lacking
            self._on_progress(Progress(done, total, self._n_left, self._n_embedded))


def _described(stored: StoredModel) -> IndexModel:
    row = stored.row
    return IndexModel(
        row.name, row.label, row.fingerprint, row.dim, stored.is_active, stored.embedded,
        stored.lacking,
    )  # fmt: skip
