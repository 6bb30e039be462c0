"""Images to embeddings, without an index."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Sequence

import numpy as np

from mobisearch.errors import ImageError, NoEmbeddingError, RuntimeMismatchError
from mobisearch.imaging import (
    Halt,
    ImageSource,
    PreparedImage,
    as_sources,
    name_of,
    prepare,
    prepare_source,
    shared_workers,
)
from mobisearch.models import DEFAULT_MODEL, ModelSpec, find_model
from mobisearch.models.probe import probe_picture
from mobisearch.runtimes import Runtime, check_settings, load_runtime
from mobisearch.runtimes.selection import LEAST_COSINES
from mobisearch.types import (
    DecodeSettings,
    Embeddings,
    Framing,
    Pixels,
    RuntimeSettings,
    UnitRows,
    WeightsSettings,
)

_REFERENCE_PRECISION = "f32"


class Embedder:
    """Turns images into unit vectors.

    >>> from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
    >>> import numpy as np
    >>> grey = np.full((40, 60, 3), 90, dtype=np.uint8)
    >>> Embedder(FAKE_MODEL, runtime=FakeRuntime()).embed([grey, grey]).shape
    (2, 64)

    The network is loaded at the first embedding, not before. Safe to use from several threads.
    """

    def __init__(
        self,
        model: str | ModelSpec = DEFAULT_MODEL,
        *,
        runtime: Runtime | RuntimeSettings | None = None,
        settings: DecodeSettings | None = None,
        batch_size: int = 32,
        isolated: bool = True,
    ) -> None:
        """Choose a model.

        Args:
            model: a name, or a record of one's own.
            runtime: what runs the network: settings, by which one is chosen at the first embedding,
                or a runtime of one's own; None takes the default settings.
            settings: limits and exactness of decoding; None takes the defaults. With ``exact``, and
                unless ``runtime`` says otherwise, the network runs in f32: the reference path.
            batch_size: how many images go through the network at once.
            isolated: decode the files of an index in processes of their own, which may crash, hang
                or run out of memory without harm to this one. Otherwise here, without the limits on
                time and memory.

        Raises:
            UnknownModelError: there is no model of that name.
            UnknownRuntimeError: the settings name a runtime or precision that there is not.
            ValueError: ``batch_size`` is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.spec = find_model(model) if isinstance(model, str) else model
        self.settings = settings or DecodeSettings()
        self.batch_size = batch_size
        self.isolated = isolated
        chosen = runtime if isinstance(runtime, RuntimeSettings) else RuntimeSettings()
        if self.settings.exact and chosen.precision == "auto":
            chosen = dataclasses.replace(chosen, precision=_REFERENCE_PRECISION)
        check_settings(chosen)
        self._runtime_settings = chosen
        self._given_runtime = None if isinstance(runtime, RuntimeSettings) else runtime
        self._load_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Embedder({self.spec.label})"

    @property
    def dim(self) -> int:
        """Values in an embedding, d."""
        return self.spec.dim

    @property
    def weights(self) -> WeightsSettings:
        """Where weights come from that are not part of the package."""
        return self._runtime_settings.weights

    def embed(self, images: ImageSource | Sequence[ImageSource]) -> Embeddings:
        """Embed images.

        Args:
            images: a sequence of paths, bytes, Pillow images or uint8 arrays (h, w, 3), or a single
                one, which counts as a sequence of one.

        Returns:
            float32, shape (n, d), rows of unit length in the order given; (0, d) for none.

        Raises:
            ImageError: an image cannot be used; its ``path`` says which. Nothing is returned then:
                use ``embed_each`` where failures should be data.
            ModelError: the weights cannot be used.
        """
        rows, errors = self.embed_each(as_sources(images))
        for error in errors:
            if error is not None:
                raise error
        return rows

    def embed_each(
        self, images: Sequence[ImageSource]
    ) -> tuple[Embeddings, list[ImageError | None]]:
        """Embed those of several images that can be used; the others are data.

        Returns:
            float32, shape (m, d), unit rows of the m usable images in order; and for each of the n
            images None, or why it could not be used.

        Raises:
            ModelError: the weights cannot be used.
        """
        found, errors = self.pool_each(images)
        return found.rows, errors

    def pool_each(self, images: Sequence[ImageSource]) -> tuple[UnitRows, list[ImageError | None]]:
        """Embed as :meth:`embed_each` does, and keep the norms that the rows had."""
        parts: list[UnitRows] = []
        errors: list[ImageError | None] = []
        for start in range(0, len(images), self.batch_size):
            prepared: list[Pixels] = []
            names: list[str] = []
            places: list[int] = []
            for image in images[start : start + self.batch_size]:
                try:
                    prepared.append(self.prepare(image).pixels)
                except ImageError as error:
                    errors.append(error)
                    continue
                names.append(name_of(image))
                places.append(len(errors))
                errors.append(None)
            if not prepared:
                continue
            batch = self.pool_pixels(np.stack(prepared))
            is_bad = np.isnan(batch.norms)
            parts.append(UnitRows(batch.rows[~is_bad], batch.norms[~is_bad]))
            for bad in np.flatnonzero(is_bad):
                errors[places[bad]] = NoEmbeddingError(names[bad])
        return UnitRows.joined(parts, dim=self.dim), errors

    def prepare(self, source: ImageSource) -> PreparedImage:
        """Decode one image and cut out what the network looks at. Needs no network.

        Raises:
            ImageError: it cannot be used.
        """
        return prepare_source(source, preprocessing=self.spec.preprocessing, settings=self.settings)

    def prepare_file(
        self,
        data: bytes,
        *,
        path: str,
        halt: Halt | None = None,
        framing: Framing | None = None,
        exact: bool = False,
    ) -> PreparedImage:
        """Decode the bytes of a file, in a worker process if ``isolated``.

        Args:
            halt: ends the decoding when it is set, if that is in a worker process.
            framing: what is wanted of the picture; None: what the network looks at.
            exact: decode exactly, whatever the settings of this embedder.

        Raises:
            ImageError: it cannot be used.
            HaltedError: ``halt`` is set.
            WorkerStartError: no worker can be started.
        """
        wanted = framing or self.spec.preprocessing
        settings = dataclasses.replace(self.settings, exact=exact or self.settings.exact)
        if not self.isolated:
            return prepare(data, name=path, preprocessing=wanted, settings=settings)
        workers = shared_workers()
        return workers.prepare(data, name=path, preprocessing=wanted, settings=settings, halt=halt)

    def embed_prepared(self, images: Sequence[PreparedImage]) -> UnitRows:
        """Embed prepared images, at least one; see :meth:`pool_pixels`."""
        return self.pool_pixels(np.stack([image.pixels for image in images]))

    def resized(self, side_px: int) -> Embedder:
        """Return an embedder that has the same network look at squares of another size.

        A runtime of one's own may know one size only: then it is this very embedder. Weights in 8
        bits are made for one size: the network runs in the precision that ``auto`` means instead.
        """
        if self._given_runtime is not None:
            return self
        chosen = self._runtime_settings
        if chosen.precision == "int8":
            chosen = dataclasses.replace(chosen, precision="auto")
        return Embedder(
            self.spec.resized(side_px),
            runtime=chosen,
            settings=self.settings,
            batch_size=self.batch_size,
            isolated=self.isolated,
        )

    def embed_pixels(self, pixels: Pixels) -> Embeddings:
        """Embed prepared pixels: the rows of :meth:`pool_pixels`, float32, shape (n, d)."""
        return self.pool_pixels(pixels).rows

    def pool_pixels(self, pixels: Pixels) -> UnitRows:
        """Embed prepared pixels, in batches of ``batch_size``, and keep the norms.

        Args:
            pixels: uint8, shape (n, crop_px, crop_px, 3).

        Returns:
            n rows. One that the network left without a direction (NaN, infinite, all zeros) is NaN
            throughout; the others are not affected.
        """
        parts: list[UnitRows] = []
        for start in range(0, len(pixels), self.batch_size):
            batch = pixels[start : start + self.batch_size]
            pooled = np.asarray(self._runtime.extract(batch))
            expected = (len(batch), self.dim)
            if pooled.shape != expected:
                actual = pooled.shape
                raise RuntimeMismatchError(self.spec.label, expected=expected, actual=actual)
            parts.append(UnitRows.of(pooled))
        return UnitRows.joined(parts, dim=self.dim)

    def load(self) -> None:
        """Load the network now, instead of at the first embedding, or raise a ModelError."""
        _ = self._runtime

    @property
    def precision(self) -> str:
        """What the network computes in: ``"f32"``, ``"bf16"`` or ``"int8"``. Loads the network."""
        return str(getattr(self._runtime, "precision", _REFERENCE_PRECISION))

    def probe(self) -> Embeddings:
        """Return the embedding of a fixed synthetic picture, float32, shape (d,).

        An index keeps it, to notice when an upgraded library changes embeddings silently. It is
        taken on the reference path, whatever the precision of this embedder.
        """
        if self.precision == _REFERENCE_PRECISION:
            return self._probe_of(self._runtime)
        chosen = dataclasses.replace(self._runtime_settings, precision=_REFERENCE_PRECISION)
        return self._probe_of(load_runtime(self.spec, chosen))

    def find_drift(self, reference: Embeddings) -> float | None:
        """Return the cosine to a reference probe, if it is less than the precision accounts for.

        A sound network gives None: its precision costs some of the cosine, and no more.
        """
        cosine = float(self._probe_of(self._runtime) @ reference)
        return None if cosine >= LEAST_COSINES[self.precision] else cosine

    def _probe_of(self, runtime: Runtime) -> Embeddings:
        exact = dataclasses.replace(self.settings, exact=True)
        prepared = prepare_source(
            probe_picture(), preprocessing=self.spec.preprocessing, settings=exact
        )
        pooled = np.asarray(runtime.extract(prepared.pixels[None]))
        return np.asarray(UnitRows.of(pooled).rows[0])

    @functools.cached_property
    def _loaded_runtime(self) -> Runtime:
        return load_runtime(self.spec, self._runtime_settings)

    @property
    def _runtime(self) -> Runtime:
        if self._given_runtime is not None:
            return self._given_runtime
        with self._load_lock:
            return self._loaded_runtime
