"""An open index whose images can be listed, looked at, and searched among a part of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mobisearch.arguments import checked_count
from mobisearch.errors import (
    ImageNotFoundError,
    IndexNotFoundError,
    NoEmbeddingError,
)
from mobisearch.imaging import encode_jpeg, read_file
from mobisearch.opened import OpenIndex
from mobisearch.results import Match, Matches
from mobisearch.store import FoundVector
from mobisearch.types import (
    DEFAULT_LEAST_PROBABILITY,
    CollectionFacts,
    Embeddings,
    ImageFilter,
    ImagePage,
    Label,
    Pixels,
    WholePicture,
)

_MAX_AMONG_SHARE = 0.25
_LEAST_AMONG = 4096
"""Where fewer vectors than these meet the conditions, all of them are compared; where more do, the
best of all are taken until enough of them meet the conditions."""

_GROWTH = 4
_MORE = 1.3
_MAX_FILE_BYTES = 1 << 30
_JPEG_QUALITY = 82
_ROWS_PER_BLOCK = 4096


class BrowsingIndex(OpenIndex):
    """An open index that can be gone through."""

    def images(
        self,
        filters: ImageFilter | None = None,
        *,
        sort: str = "newest",
        offset: int = 0,
        count: int = 200,
    ) -> ImagePage:
        """List images that searches can return.

        Args:
            sort: ``"newest"``, ``"oldest"``, ``"largest"`` or ``"name"``.
            offset: where to begin.
            count: how many at most.

        Raises:
            NotLabelledError, UnknownLabelError: there is no such label.
        """
        wanted = filters or ImageFilter()
        with self._catalog.snapshot():
            return self._catalog.listing.page(
                wanted,
                sorting=sort,
                offset=max(0, offset),
                count=checked_count(count),
                labelled=self._with_label(wanted),
            )

    def _with_label(self, filters: ImageFilter) -> NDArray[np.int64] | None:
        if not filters.label:
            return None
        return self._catalog.labels.vectors_of(
            filters.label, least=DEFAULT_LEAST_PROBABILITY, location=self.directory
        )

    def labels_of(self, image_ids: Sequence[int]) -> dict[int, tuple[Label, ...]]:
        """Return the labels of images, by id; one without any is not in it."""
        return self._catalog.labels.of_images(image_ids)

    def facts(self) -> CollectionFacts:
        """Return what the collection is made of: formats, cameras, folders, dates."""
        return self._catalog.listing.facts()

    def generation(self) -> int:
        """Return a number that grows with every change of the index."""
        return self._catalog.generation()

    @property
    def model_name(self) -> str:
        """What users call the model of the index."""
        return self._model.name

    @property
    def fingerprint(self) -> str:
        """What embeddings of the index's model are told from others by."""
        return self._model.fingerprint

    @property
    def uuid(self) -> str:
        """What tells this index from every other one, wherever it is."""
        return self._catalog.meta()["uuid"]

    @property
    def directory(self) -> str:
        """Where the index is, absolute."""
        return str(self._layout.directory)

    def vectors_and_images(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return what is searched through.

        Returns:
            ids of vectors, (n,), ascending; ids of images, (m,); and for each image the place of
            its vector among the first, (m,). Images with the same content share one.
        """
        image_ids, vector_ids = self._catalog.listing.images_with_vectors()
        unique, owners = np.unique(vector_ids, return_inverse=True)
        return unique, image_ids, owners

    def rows_of(self, vector_ids: NDArray[np.int64]) -> Iterator[Embeddings]:
        """Give the embeddings of vectors, ascending ids, block by block: float32, (b, d).

        Raises:
            ModelNotInUseError: the index was opened with a model beside the one in use.
        """
        self._require_in_use()
        for start in range(0, len(vector_ids), _ROWS_PER_BLOCK):
            some = vector_ids[start : start + _ROWS_PER_BLOCK].tolist()
            ids, rows = self._catalog.some_vectors(some, dim=self._model.dim)
            yield rows[np.argsort(ids)]

    def identity(self) -> tuple[int, int]:
        """Return what tells the catalog's file from another one at the same place.

        Raises:
            IndexNotFoundError: it is gone.
        """
        try:
            status = os.stat(self._layout.catalog_path)
        except OSError:
            raise IndexNotFoundError(self.directory) from None
        return status.st_dev, status.st_ino

    @property
    def is_writable(self) -> bool:
        """Whether this process may write where the index is."""
        return os.access(self._layout.directory, os.W_OK)

    def embedding(self, image_id: int) -> Embeddings:
        """Return the embedding of an image: float32, shape (d,), a unit row.

        Raises:
            UnknownImageIdError: no image that searches can return has this id.
        """
        return self._stored(image_id)[1]

    def search_row(self, row: Embeddings, k: int, filters: ImageFilter | None = None) -> Matches:
        """Find the images most like an embedding among those that meet conditions.

        Args:
            row: float32, shape (d,), a unit row.
        """
        query = row[None]  # (1, d)
        with self._catalog.snapshot():
            if filters is None or filters == ImageFilter():
                return self._catalog.matches(self._vectors.search(query, k)[0], k)
            among = self._catalog.listing.vector_ids(filters)
            labelled = self._with_label(filters)
            if labelled is not None:
                among = np.intersect1d(among, labelled, assume_unique=True)
            if len(among) <= max(_LEAST_AMONG, _MAX_AMONG_SHARE * len(self)):
                found = self._vectors.search_among(query, k, among)[0]
                return self._accepted(found, k, filters)
            return self._grown(query, k, filters, among)

    def _grown(
        self, query: Embeddings, k: int, filters: ImageFilter, among: NDArray[np.int64]
    ) -> Matches:
        """Take more and more of the best of all, until k of them meet the conditions."""
        n_images = len(self)
        asked = math.ceil(_MORE * k * n_images / len(among))
        while True:
            found = self._vectors.search(query, min(asked, n_images))[0]
            chosen = [each for each in found if _is_in(among, each.vector_id)]
            if len(chosen) >= k or asked >= n_images:
                return self._accepted(chosen, k, filters)
            asked *= _GROWTH

    def _accepted(self, found: Sequence[FoundVector], k: int, filters: ImageFilter) -> Matches:
        """Return matches; of images with one content, only those that meet the conditions."""
        images = self._catalog.images([each.vector_id for each in found])
        matches = [
            Match(each.score, image)
            for each in found
            for image in images.get(each.vector_id, ())
            if filters.accepts(image)
        ]
        matches.sort(key=lambda match: (-match.score, match.image.id))
        return Matches(matches[:k])

    def embed_bytes(self, data: bytes, name: str) -> Embeddings:
        """Return the embedding of the bytes of a picture, decoded in a worker process.

        Raises:
            ImageError: it cannot be used.
        """
        return self._one_row(self._embedder.prepare_file(data, path=name).pixels, name)

    def embed_part(self, pixels: Pixels, name: str) -> Embeddings:
        """Return the embedding of decoded pixels, uint8, shape (h, w, 3)."""
        return self._one_row(self._embedder.prepare(pixels).pixels, name)

    def _one_row(self, pixels: Pixels, name: str) -> Embeddings:
        row: Embeddings = self._embedder.embed_pixels(pixels[None])[0]
        if np.isnan(row).any():
            raise NoEmbeddingError(name)
        return row

    def decode(self, data: bytes, name: str, *, max_px: int) -> Pixels:
        """Return a whole picture, upright: uint8, shape (h, w, 3), at most ``max_px`` a side.

        It is decoded in a worker process.

        Raises:
            ImageError: it cannot be used.
        """
        framing = WholePicture(max_px)
        return self._embedder.prepare_file(data, path=name, framing=framing).pixels

    def picture(self, image_id: int, *, max_px: int) -> Pixels:
        """Return an image of the index as :meth:`decode` does, if its file is still the same.

        Raises:
            UnknownImageIdError: no image that searches can return has this id.
            ImageNotFoundError: its file is gone, or holds something else by now.
            ImageError: it cannot be read.
        """
        image = self.image(image_id)
        limit = min(self._embedder.settings.max_bytes, _MAX_FILE_BYTES)
        content = read_file(image.path, max_bytes=limit)
        if content.sha256 != image.sha256:
            raise ImageNotFoundError(image.path)
        return self.decode(content.data, os.path.basename(image.path), max_px=max_px)

    def picture_jpeg(self, image_id: int, *, max_px: int) -> bytes:
        """Return the same as JPEG bytes, without any metadata of the original."""
        return encode_jpeg(self.picture(image_id, max_px=max_px), quality=_JPEG_QUALITY)


def _is_in(ids: NDArray[np.int64], vector_id: int) -> bool:
    place = int(np.searchsorted(ids, vector_id))
    return place < len(ids) and bool(ids[place] == vector_id)
