"""An index of images: a folder on disk that can be filled, searched and checked.

The pipeline and the store meet here and in ``mobisearch.sync``, and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from mobisearch.embedding import Embedder
from mobisearch.errors import (
    ImageError,
    IndexClosedError,
    InvalidResultCountError,
    InvalidVectorError,
    ModelMismatchError,
    NotYetError,
    StoreError,
    UnknownImageIdError,
)
from mobisearch.imaging import ImageSource, ScanSettings, name_of
from mobisearch.models import DEFAULT_MODEL, find_model
from mobisearch.results import Match, Matches
from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    FoundVector,
    IndexLayout,
    LoadedVectors,
    ModelRow,
    Vectors,
    create_index,
    find_bad_rows,
    load_vectors,
    open_reader,
    open_writer,
    refresh_cache,
)
from mobisearch.sync import Synchroniser, resolve_root
from mobisearch.types import (
    Embeddings,
    FileFailure,
    ImageRecord,
    IndexStatus,
    OnProgress,
    SyncReport,
    VerifyReport,
)

_PathArgument = str | os.PathLike[str]
_T = TypeVar("_T")


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
        self._loaded: LoadedVectors | None = None
        self._load_lock = threading.Lock()
        self._is_closed = False

    # ----------------------------------------------------------------- life

    @classmethod
    def create(cls, path: _PathArgument, model: str | Embedder = DEFAULT_MODEL) -> Self:
        """Make an empty index in a new or empty directory.

        Args:
            model: a name, or an embedder of one's own.

        Raises:
            IndexExistsError: the directory holds an index, or other files.
            IndexReadOnlyError, StorageError: it cannot be created there.
            ModelError: the model is unknown or its weights cannot be used.
        """
        embedder = model if isinstance(model, Embedder) else Embedder(model)
        layout = _layout(path)
        layout.check_is_free()
        spec = embedder.spec
        row = ModelRow(spec.name, spec.fingerprint, spec.label, spec.dim, embedder.probe())
        create_index(layout, row, uuid=str(uuid.uuid4()))
        return cls.open(path, embedder)

    @classmethod
    def open(cls, path: _PathArgument, model: str | Embedder | None = None) -> Self:
        """Open an index that exists.

        Args:
            model: what to embed queries and new images with; None takes the index's own model.

        Raises:
            IndexNotFoundError: there is no index.
            IndexFormatError, IndexDamagedError: the catalog is foreign, newer or corrupt.
            ModelMismatchError: the index was built with another model, weights or preprocessing.
            UnknownModelError: the index's model is none that this version has.
        """
        layout = _layout(path)
        layout.require()
        catalog = open_reader(layout.catalog_path)
        try:
            row = catalog.model()
            embedder = (
                model if isinstance(model, Embedder) else Embedder(find_model(model or row.name))
            )
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
        self._is_closed = True
        self._loaded = None
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ImageIndex({str(self._layout.directory)!r}, {self._model.label})"

    def __len__(self) -> int:
        """Count the images that searches can return."""
        self._check_open()
        return self._catalog.count_states().get("ok", 0)

    # ----------------------------------------------------------------- change

    def sync(
        self,
        *folders: _PathArgument,
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
        roots = [resolve_root(folder) for folder in folders]
        with self._writing() as catalog:
            run = Synchroniser(catalog, self._embedder, on_progress=on_progress)
            return run.sync(roots, scan or ScanSettings(), prune=prune)

    def add(
        self, paths: Sequence[_PathArgument], *, on_progress: OnProgress | None = None
    ) -> SyncReport:
        """Add image files, or read them again; failures are data in the report.

        Raises:
            IndexLockedError, StorageError: as for ``sync``.
        """
        files = [_real_path(path) for path in _as_list(paths)]
        with self._writing() as catalog:
            return Synchroniser(catalog, self._embedder, on_progress=on_progress).add(files)

    def remove(self, paths: Sequence[_PathArgument]) -> int:
        """Forget files, or everything below folders, and return how many files were known.

        The files themselves are not touched; a later ``sync`` of their folder finds them again.

        Raises:
            IndexLockedError, StorageError: as for ``sync``.
        """
        with self._writing() as catalog:
            return catalog.remove_files([_real_path(path) for path in _as_list(paths)])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[CatalogWriter]:
        """Hold the writer lock, and bring the FAISS files up to date afterwards."""
        self._check_open()
        with self._layout.writer_lock():
            catalog = open_writer(self._layout.catalog_path)
            try:
                yield catalog
                stale = self._loaded.stale if self._loaded else ()
                refresh_cache(self._layout, catalog, dim=self._model.dim, stale=stale)
            finally:
                catalog.close()

    # ----------------------------------------------------------------- search

    def search(self, query: ImageSource, k: int = 10) -> Matches:
        """Find the images most like an image.

        Args:
            query: a path, bytes, a Pillow image or a uint8 array (h, w, 3); it need not be in the
                index.
            k: how many, at least 1. An index with fewer images gives them all.

        Returns:
            Matches, best first, ties by id.

        Raises:
            ImageError: the query cannot be used.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = _checked_count(k)
        embeddings = self._embedder.embed([query])  # (1, d)
        found = self._vectors().search(embeddings, k)
        return self._matches(found[0], k, query=name_of(query))

    def search_many(self, queries: Sequence[ImageSource], k: int = 10) -> list[Matches]:
        """Find the images most like each of several images.

        Returns:
            One list of matches for each query, in order. A query that cannot be used gives an empty
            one whose ``error`` says why.

        Raises:
            InvalidResultCountError: ``k`` is below 1.
        """
        k = _checked_count(k)
        prepared: list[np.ndarray] = []
        errors: dict[int, ImageError] = {}
        sources = _as_list(queries)
        for place, query in enumerate(sources):
            try:
                prepared.append(self._embedder.prepare(query).pixels)
            except ImageError as error:
                errors[place] = error
        found = iter(self._search_pixels(prepared, k))
        return [
            Matches(query=name_of(query), error=errors[place])
            if place in errors
            else self._matches(next(found), k, query=name_of(query))
            for place, query in enumerate(sources)
        ]

    def search_by_id(self, image_id: int, k: int = 10) -> Matches:
        """Find the images most like one in the index; that image itself is left out.

        Raises:
            UnknownImageIdError: no image has this id.
            InvalidResultCountError: ``k`` is below 1.
        """
        k = _checked_count(k)
        record, embedding = self._stored(image_id)
        found = self._vectors().search(embedding[None], k + 1)
        matches = self._matches(found[0], k + 1, query=record.path)
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
        k = _checked_count(k)
        found = self._vectors().search(_unit_vector(vector, self._model.dim), k)
        return self._matches(found[0], k)

    def image(self, image_id: int) -> ImageRecord:
        """Return one image by id.

        Raises:
            UnknownImageIdError: no image has this id.
        """
        return self._stored(image_id)[0]

    def duplicates(self) -> list[object]:
        """Find groups of copies. Not built yet."""
        raise NotYetError(
            "finding duplicates is not built yet; search for an image to see its copies"
        )

    def _stored(self, image_id: int) -> tuple[ImageRecord, Embeddings]:
        self._check_open()
        stored = self._catalog.image(image_id)
        if stored is None:
            raise UnknownImageIdError(image_id)
        return stored

    def _search_pixels(self, prepared: list[np.ndarray], k: int) -> list[list[FoundVector]]:
        if not prepared:
            return []
        embeddings = self._embedder.embed_pixels(np.stack(prepared))
        return self._vectors().search(embeddings, k)

    def _vectors(self) -> Vectors:
        """Return all vectors as of the newest commit."""
        self._check_open()
        with self._load_lock:
            if self._loaded is None or self._loaded.generation != self._catalog.generation():
                self._loaded = load_vectors(self._layout, self._catalog, dim=self._model.dim)
            return self._loaded.vectors

    def _matches(self, found: list[FoundVector], k: int, *, query: str = "") -> Matches:
        images = self._catalog.images([entry.vector_id for entry in found])
        matches = [
            Match(entry.score, image)
            for entry in found
            for image in images.get(entry.vector_id, ())
        ]
        matches.sort(key=lambda match: (-match.score, match.image.id))
        return Matches(matches[:k], query=query)

    # ----------------------------------------------------------------- check

    def status(self) -> IndexStatus:
        """Return the index at a glance. Reads no embedding and loads no network."""
        self._check_open()
        states = self._catalog.count_states()
        meta = self._catalog.meta()
        roots = self._catalog.roots()
        segments = self._catalog.vector_listing().segments
        return IndexStatus(
            path=str(self._layout.directory),
            model=self._model.name,
            fingerprint=self._model.fingerprint,
            dim=self._model.dim,
            images=states.get("ok", 0),
            contents=self._catalog.count_contents(),
            missing=states.get("missing", 0),
            errors=states.get("error", 0),
            roots=tuple(roots),
            cached=sum(segment.n for segment in segments),
            catalog_bytes=self._layout.catalog_bytes(),
            cache_bytes=sum(segment.size_bytes for segment in segments),
            generation=int(meta["generation"]),
            format_version=self._catalog.format_version(),
            created_at=meta["created_at"],
            last_sync_at=max((at for at in roots.values() if at), default=None),
        )

    def errors(self) -> list[FileFailure]:
        """Return every file that could not be indexed, with the reason, ordered by path."""
        self._check_open()
        return self._catalog.failures()

    def verify(self) -> VerifyReport:
        """Check the whole catalog and every cache file, and change nothing.

        Reads every embedding; about a second for 100,000 images.
        """
        self._check_open()
        damage: list[str] = []
        stale: tuple[str, ...] = ()
        checked = 0
        try:
            damage += self._catalog.find_damage()
            checked, bad = find_bad_rows(self._catalog, dim=self._model.dim)
            damage += bad
            loaded = load_vectors(self._layout, self._catalog, dim=self._model.dim)
            stale = tuple(f"segments/{name}: missing or damaged" for name in loaded.stale)
        except StoreError as error:
            damage.append(error.message)
        return VerifyReport(tuple(damage), stale, checked)

    def _check_open(self) -> None:
        if self._is_closed:
            raise IndexClosedError(self._layout.directory)


def _layout(path: _PathArgument) -> IndexLayout:
    return IndexLayout(Path(os.path.abspath(os.path.expanduser(os.fspath(path)))))


def _real_path(path: _PathArgument) -> str:
    return os.path.realpath(os.path.expanduser(os.fspath(path)))


def _as_list(values: Sequence[_T]) -> list[_T]:
    """Return a list, and refuse a single path, which is a sequence of characters."""
    if isinstance(values, str | bytes | os.PathLike):
        raise TypeError(
            f"expected a list, got a single {type(values).__name__}; put it in brackets"
        )
    return list(values)


def _checked_count(k: object) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidResultCountError(k)
    return int(k)


def _unit_vector(vector: ArrayLike, dim: int) -> Embeddings:
    try:
        values = np.asarray(vector, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidVectorError(f"a query vector must be numbers: {error}") from error
    if values.shape != (dim,):
        raise InvalidVectorError(f"expected a vector of shape ({dim},), got {values.shape}")
    norm = float(np.sqrt((values * values).sum()))
    if not np.isfinite(norm) or norm == 0:
        raise InvalidVectorError("a query vector must be finite and not all zeros")
    return (values / norm).astype(np.float32)[None]
