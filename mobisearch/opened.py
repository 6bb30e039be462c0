"""An index that is open: its files, its catalog, its model and its vectors, and who may write."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Self

from mobisearch.arguments import PathArgument
from mobisearch.embedding import Embedder
from mobisearch.errors import ModelMismatchError, UnknownImageIdError
from mobisearch.models import DEFAULT_MODEL
from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    IndexLayout,
    LiveVectors,
    ModelRow,
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
            model: what to embed queries and new images with; None takes the index's own model.
            settings: limits and exactness of decoding; None takes the defaults.
            runtime: where the network runs, and how precisely; None takes the defaults.

        Raises:
            IndexNotFoundError: there is no index.
            IndexFormatError, IndexDamagedError: the catalog is foreign, newer or corrupt.
            IndexReadOnlyError, IndexLockedError: the format is older, and it cannot be changed now.
            ModelMismatchError: the index was built with another model, weights or preprocessing.
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

    def image(self, image_id: int) -> ImageRecord:
        """Return one image by id, or raise UnknownImageIdError."""
        return self._stored(image_id)[0]

    def _stored(self, image_id: int) -> tuple[ImageRecord, Embeddings]:
        stored = self._catalog.image(image_id)
        if stored is None:
            raise UnknownImageIdError(image_id)
        return stored

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

    @contextlib.contextmanager
    def _writing(self) -> Iterator[CatalogWriter]:
        """Hold the writer lock and the connection that may write."""
        self._catalog.check_open()
        with self._layout.writer_lock():
            journal = journal_mode(self._layout.directory)
            if journal != "WAL":  # which cannot be left while a reader is connected
                self._catalog.release()
            catalog = open_writer(self._layout.catalog_path, journal=journal)
            try:
                yield catalog
            finally:
                self._catalog.release()
                catalog.close()
