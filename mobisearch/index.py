"""An index of images: a folder on disk that can be filled, searched and checked.

The pipeline and the store meet here and in ``mobisearch.sync``, and nowhere else.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import Self

from numpy.typing import ArrayLike

from mobisearch.arguments import (
    PathArgument,
    as_list,
    at_least_one,
    checked_count,
    real_path,
    resolve_root,
    unit_row,
)
from mobisearch.embedding import Embedder
from mobisearch.errors import ModelMismatchError, NotYetError, UnknownImageIdError
from mobisearch.imaging import ImageSource, ScanSettings, name_of
from mobisearch.inspection import check_index, read_status
from mobisearch.models import DEFAULT_MODEL
from mobisearch.results import Matches
from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    IndexLayout,
    LiveVectors,
    ModelRow,
    create_index,
    open_reader,
    open_writer,
)
from mobisearch.sync import Synchroniser
from mobisearch.types import (
    Embeddings,
    FileFailure,
    ImageRecord,
    IndexStatus,
    OnProgress,
    SyncReport,
    VerifyReport,
)


class ImageIndex:
    """Images of some folders, their embeddings, and searches among them.

    ::

        with ImageIndex.create("indexes/photos") as index:
            index.sync("~/Pictures")
            for match in index.search("query.jpg", k=5):
                print(match.score, match.image.path)

    Searches may run in several threads, and while another process writes: each sees the newest
    commit, never half of one. Photos are only ever read.
    """

    def __init__(
        self, layout: IndexLayout, catalog: CatalogReader, model: ModelRow, embedder: Embedder
    ) -> None:
        """Use ``create`` or ``open`` instead."""
        self._layout = layout
        self._catalog = catalog
        self._model = model
        self._embedder = embedder
        self._vectors = LiveVectors(layout, catalog, dim=model.dim)

    @classmethod
    def create(cls, path: PathArgument, model: str | Embedder = DEFAULT_MODEL) -> Self:
        """Make an empty index in a new or empty directory.

        Args:
            model: a name, or an embedder of one's own.

        Raises:
            IndexExistsError: the directory holds an index, or other files.
            IndexReadOnlyError, StorageError: it cannot be created there.
            ModelError: the model is unknown or its weights cannot be used.
        """
        embedder = model if isinstance(model, Embedder) else Embedder(model)
        layout = IndexLayout.at(path)
        layout.check_is_free()
        spec = embedder.spec
        row = ModelRow(spec.name, spec.fingerprint, spec.label, spec.dim, embedder.probe())
        create_index(layout, row, uuid=str(uuid.uuid4()))
        return cls.open(path, embedder)

    @classmethod
    def open(cls, path: PathArgument, model: str | Embedder | None = None) -> Self:
        """Open an index that exists.

        Args:
            model: what to embed queries and new images with; None takes the index's own model.

        Raises:
            IndexNotFoundError: there is no index.
            IndexFormatError, IndexDamagedError: the catalog is foreign, newer or corrupt.
            ModelMismatchError: the index was built with another model, weights or preprocessing.
            UnknownModelError: the index's model is none that this version has.
        """
        layout = IndexLayout.at(path)
        layout.require()
        catalog = open_reader(layout.catalog_path)
        try:
            catalog.check_schema()
            row = catalog.model()
            embedder = model if isinstance(model, Embedder) else Embedder(model or row.name)
            if embedder.spec.fingerprint != row.fingerprint:
                raise ModelMismatchError(
                    str(layout.directory), expected=row.label, actual=embedder.spec.label
                )
        except BaseException:
            catalog.close()
            raise
        return cls(layout, catalog, row, embedder)

    def close(self) -> None:
        """Let go of all files. Closing twice does nothing."""
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ImageIndex({str(self._layout.directory)!r}, {self._model.label})"

    def __len__(self) -> int:
        """Count the images that searches can return."""
        return self._catalog.count_states().get("ok", 0)

    def sync(
        self,
        *folders: PathArgument,
        prune: bool = False,
        scan: ScanSettings | None = None,
        on_progress: OnProgress | None = None,
    ) -> SyncReport:
        """Make the index mirror folders and all folders below them.

        New and changed images are embedded; unchanged ones are not read; moved ones are recognised
        by content and keep their id; vanished ones are hidden from results and kept until they
        return. Stored in small steps: what is done stays done, and the next call goes on there.

        Args:
            folders: any number; folders inside one another are one.
            prune: forget vanished images, in folders that could be read completely.
            scan: what to leave out; None takes the defaults.
            on_progress: called after each step.

        Returns:
            What was found and done; files that failed are in it as data.

        Raises:
            RootUnavailableError: a folder is missing, or empty although it held images; nothing was
                changed.
            IndexLockedError: another process is writing.
            StorageError: the disk is full or failing.
        """
        roots = [resolve_root(folder) for folder in at_least_one(folders)]
        with self._writing() as catalog:
            run = Synchroniser(catalog, self._embedder, on_progress=on_progress)
            return run.sync(roots, scan or ScanSettings(), prune=prune)

    def add(
        self, paths: Sequence[PathArgument], *, on_progress: OnProgress | None = None
    ) -> SyncReport:
        """Add image files, or read them again; failures are data in the report."""
        files = [real_path(path) for path in as_list(paths)]
        with self._writing() as catalog:
            return Synchroniser(catalog, self._embedder, on_progress=on_progress).add(files)

    def remove(self, paths: Sequence[PathArgument]) -> int:
        """Forget files, or everything below folders, and return how many files were known.

        The files themselves are not touched; a later ``sync`` of their folder finds them again.

        Raises:
            IndexLockedError, StorageError: as for ``sync``.
        """
        with self._writing() as catalog:
            return catalog.remove_files([real_path(path) for path in as_list(paths)])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[CatalogWriter]:
        """Hold the writer lock, and bring the FAISS files up to date afterwards."""
        self._catalog.check_open()
        with self._layout.writer_lock():
            catalog = open_writer(self._layout.catalog_path)
            try:
                yield catalog
                self._vectors.refresh(catalog)
            finally:
                self._catalog.release()
                catalog.close()

    def search(self, query: ImageSource, k: int = 10) -> Matches:
        """Find the images most like an image, best first, ties by id.

        Args:
            query: a path, bytes, a Pillow image or a uint8 array (h, w, 3); it need not be in the
                index.
            k: how many, at least 1. An index with fewer images gives them all.

        Raises:
            ImageError: the query cannot be used.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = checked_count(k)
        embeddings = self._embedder.embed([query])  # (1, d)
        with self._catalog.snapshot():
            found = self._vectors.search(embeddings, k)
            return self._catalog.matches(found[0], k, query=name_of(query))

    def search_many(self, queries: Sequence[ImageSource], k: int = 10) -> list[Matches]:
        """Find the images most like each of several images, one list of matches for each.

        A query that cannot be used gives an empty list whose ``error`` says why. Raises
        InvalidResultCountError if ``k`` is below 1.
        """
        k = checked_count(k)
        sources = as_list(queries)
        embeddings, errors = self._embedder.embed_each(sources)  # (m, d) of the m usable ones
        with self._catalog.snapshot():
            found = iter(self._vectors.search(embeddings, k))
            return [
                self._catalog.matches(next(found), k, query=name_of(query))
                if error is None
                else Matches(query=name_of(query), error=error)
                for query, error in zip(sources, errors, strict=True)
            ]

    def search_by_id(self, image_id: int, k: int = 10) -> Matches:
        """Find the images most like one in the index; that image itself is left out.

        Raises:
            UnknownImageIdError: no image has this id.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = checked_count(k)
        with self._catalog.snapshot():
            record, embedding = self._stored(image_id)
            found = self._vectors.search(embedding[None], k + 1)
            matches = self._catalog.matches(found[0], k + 1, query=record.path)
        others = [match for match in matches if match.image.id != image_id]
        return Matches(others[:k], query=record.path)

    def search_by_vector(self, vector: ArrayLike, k: int = 10) -> Matches:
        """Find the images most like an embedding.

        Args:
            vector: shape (d,), of the index's model; any length but zero, it is made a unit vector.

        Raises:
            InvalidVectorError: the shape is wrong, or it holds NaN, infinity or only zeros.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = checked_count(k)
        with self._catalog.snapshot():
            found = self._vectors.search(unit_row(vector, self._model.dim), k)
            return self._catalog.matches(found[0], k)

    def image(self, image_id: int) -> ImageRecord:
        """Return one image by id, or raise UnknownImageIdError."""
        return self._stored(image_id)[0]

    def duplicates(self) -> list[object]:
        """Find groups of copies. Not built yet."""
        raise NotYetError("finding duplicates is not built yet; search an image to see its copies")

    def _stored(self, image_id: int) -> tuple[ImageRecord, Embeddings]:
        stored = self._catalog.image(image_id)
        if stored is None:
            raise UnknownImageIdError(image_id)
        return stored

    def status(self) -> IndexStatus:
        """Return the index at a glance. Reads no embedding and loads no network."""
        return read_status(self._layout, self._catalog, self._model)

    def errors(self) -> list[FileFailure]:
        """Return every file that could not be indexed, with the reason, ordered by path."""
        return self._catalog.failures()

    def verify(self) -> VerifyReport:
        """Check the whole catalog and every cache file, and change nothing.

        Reads every embedding; about a second for 100,000 images.
        """
        return check_index(self._layout, self._catalog, self._model)
