"""An index that is open: its files, its catalog, its model and its vectors, and who may write."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Self

from mobisearch.arguments import PathArgument
from mobisearch.embedding import Embedder
from mobisearch.errors import (
    ModelChangedError,
    ModelIncompleteError,
    ModelMismatchError,
    ModelNotInUseError,
    UnknownImageIdError,
)
from mobisearch.models import DEFAULT_MODEL
from mobisearch.store import (
    BesideVectors,
    CatalogReader,
    CatalogWriter,
    IndexLayout,
    LiveVectors,
    ModelRow,
    copy_index,
    create_index,
    find_strangers,
    is_network,
    journal_mode,
    make_ready,
    open_reader,
    open_writer,
)
from mobisearch.types import (
    DecodeSettings,
    Embeddings,
    FileFailure,
    ImageRecord,
    RuntimeSettings,
)


class OpenIndex:
    """What every use of an index needs; what can be done with one is in ``ImageIndex``."""

    def __init__(
        self, layout: IndexLayout, catalog: CatalogReader, model: ModelRow, embedder: Embedder
    ) -> None:
        """Use ``create`` or ``open`` instead."""
        self._layout = layout
        self._catalog = catalog
        self._model = model
        self._embedder = embedder
        self._is_in_use = embedder.spec.fingerprint == model.fingerprint
        self._vectors = self._open_vectors()

    def _open_vectors(self) -> LiveVectors | BesideVectors:
        """Return what is searched: of the model in use, or of one beside it."""
        if self._is_in_use:
            return LiveVectors(self._layout, self._catalog, model=self._model)
        spec = self._embedder.spec
        model_id = self._catalog.models.find(spec.fingerprint)
        if model_id is None:
            raise ModelMismatchError(
                str(self._layout.directory), expected=self._model.label, actual=spec.label
            )
        return BesideVectors(self._catalog, model_id=model_id, dim=spec.dim)

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
    def open(
        cls,
        path: PathArgument,
        model: str | Embedder | None = None,
        *,
        settings: DecodeSettings | None = None,
        runtime: RuntimeSettings | None = None,
    ) -> Self:
        """Open an index that exists. One of an older format is brought to the present one first.

        Args:
            model: what to embed queries and new images with; None takes the model in use. One of
                those beside it, see :class:`mobisearch.IndexModels`, can be searched by, no more.
            settings: limits and exactness of decoding; None takes the defaults.
            runtime: where the network runs, and how precisely; None takes the defaults.

        Raises:
            IndexNotFoundError: there is no index.
            IndexFormatError, IndexDamagedError: the catalog is foreign, newer or corrupt.
            IndexReadOnlyError, IndexLockedError: the format is older, and it cannot be changed now.
            ModelMismatchError: the index has no embeddings by this model, weights and
                preprocessing; or no model was given, and the one in use is no more what it was.
            UnknownModelError: the index's model is none that this version has.
        """
        layout = IndexLayout.at(path)
        layout.require()
        make_ready(layout)
        catalog = open_reader(layout.catalog_path)
        try:
            catalog.check_schema()
            row = catalog.model()
            if isinstance(model, Embedder):
                if settings is not None or runtime is not None:
                    raise TypeError("an embedder has its own settings and runtime")
                embedder = model
            else:
                embedder = Embedder(model or row.name, settings=settings, runtime=runtime)
            if model is None and embedder.spec.fingerprint != row.fingerprint:
                raise ModelMismatchError(
                    str(layout.directory), expected=row.label, actual=embedder.spec.label
                )
            return cls(layout, catalog, row, embedder)
        except BaseException:
            catalog.close()
            raise

    def close(self) -> None:
        """Let go of all files. Closing twice does nothing."""
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ImageIndex({str(self._layout.directory)!r}, {self._embedder.spec.label})"

    def __len__(self) -> int:
        """Count the images that searches can return."""
        return self._catalog.count_states().get("ok", 0)

    @property
    def is_in_use(self) -> bool:
        """Whether the index was opened with its model in use, not with one beside it."""
        return self._is_in_use

    def image(self, image_id: int) -> ImageRecord:
        """Return one image by id, or raise UnknownImageIdError."""
        return self._stored_of_use(image_id)[0]

    def _stored(self, image_id: int) -> tuple[ImageRecord, Embeddings]:
        """Return an image with its embedding by the model that the index was opened with."""
        record, embedding = self._stored_of_use(image_id)
        if isinstance(self._vectors, LiveVectors):
            return record, embedding
        beside = self._vectors.row_of(record.sha256)
        if beside is None:
            raise ModelIncompleteError(str(self._layout.directory), self._embedder.spec.name, 1)
        return record, beside

    def _stored_of_use(self, image_id: int) -> tuple[ImageRecord, Embeddings]:
        stored = self._catalog.image(image_id)
        if stored is None:
            raise UnknownImageIdError(image_id)
        return stored

    def _require_in_use(self) -> None:
        """Refuse what needs the embeddings by the model in use.

        Raises:
            ModelNotInUseError: the index was opened with another one.
        """
        if not self._is_in_use:
            raise ModelNotInUseError(str(self._layout.directory), self._embedder.spec.label)

    def errors(self) -> list[FileFailure]:
        """Return every file that could not be indexed, with the reason, ordered by path."""
        return self._catalog.failures()

    def _warnings(self) -> tuple[str, ...]:
        """Return what users should know about the place where the index is."""
        directory = self._layout.directory
        strangers = find_strangers(directory)
        warnings = () if strangers is None else (f"{directory}: {strangers}",)
        if not is_network(directory):
            return warnings
        return (
            *warnings,
            f"{directory} is on a network file system: slower, and as safe as its locks are; an "
            "index on a disk of this machine is better",
        )

    def backup(self, path: PathArgument) -> str:
        """Copy the index to a new or empty directory, also while a process is writing to it.

        The copy is checked, and is an index like any other.

        Returns:
            The directory of the copy.

        Raises:
            IndexExistsError, IndexReadOnlyError, StorageError: it cannot be made there.
            IndexDamagedError: the catalog is damaged, and so would be its copy.
        """
        target = IndexLayout.at(path)
        copy_index(self._layout, target, uuid=str(uuid.uuid4()))
        return str(target.directory)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[CatalogWriter]:
        """Hold the writer lock and the connection that may write.

        Raises:
            ModelNotInUseError, ModelChangedError: what would be written is of another model than
                the one in use.
        """
        self._catalog.check_open()
        self._require_in_use()
        with self._layout.writer_lock():
            journal = journal_mode(self._layout.directory)
            if journal != "WAL":  # which cannot be left while a reader is connected
                self._catalog.release()
            catalog = open_writer(self._layout.catalog_path, journal=journal)
            try:
                if catalog.model().fingerprint != self._model.fingerprint:
                    raise ModelChangedError(str(self._layout.directory), self._model.label)
                yield catalog
            finally:
                self._catalog.release()
                catalog.close()
