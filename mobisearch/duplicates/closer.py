"""Reading files once more, for the few pairs that thumbnails cannot settle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

from mobisearch.duplicates.looks import LookEmbedder, Looks
from mobisearch.duplicates.verification import CLOSE_PX, Picture, Prepared, prepare
from mobisearch.errors import ImageError
from mobisearch.imaging import read_file
from mobisearch.store import ContentPicture
from mobisearch.types import Pixels, WholePicture

_MAX_PIXELS = 64_000_000
"""Two pictures of this size in memory at once, whole, are 400 MB."""


class CloserLook:
    """The files of some contents. Its methods may be called from several threads."""

    def __init__(self, looks: Looks, embedder: LookEmbedder, places: Iterable[int]) -> None:
        self._embedder = embedder
        chosen = sorted(set(places))
        self._rows: Mapping[int, ContentPicture] = looks.pictures(chosen) if chosen else {}
        ids = [looks.ids[place] for place in chosen]
        paths = looks.catalog.looks.paths(ids, 0) if ids else {}
        self._paths = {place: paths.get(looks.ids[place], "") for place in chosen}

    def prepared(self, place: int) -> Prepared | None:
        """Return a content as it is compared closely, or None if its file cannot be read now."""
        row = self._rows.get(place)
        pixels = self._pixels(row, place, CLOSE_PX, exact=False)
        if row is None or pixels is None:
            return None
        return prepare(
            Picture(pixels, row.width, row.height, row.format, row.taken_at, row.camera, row.sha256)
        )

    def pixel_hash(self, place: int) -> bytes | None:
        """Return the SHA-256 of shape and pixels at full size, or None if they cannot be read."""
        row = self._rows.get(place)
        if row is None or row.width * row.height > _MAX_PIXELS:
            return None
        pixels = self._pixels(row, place, max(row.width, row.height), exact=True)
        if pixels is None:
            return None
        shape = np.array(pixels.shape, "<u4").tobytes()
        return hashlib.sha256(shape + pixels.tobytes()).digest()

    def _pixels(
        self, row: ContentPicture | None, place: int, longer_px: int, *, exact: bool
    ) -> Pixels | None:
        path = self._paths.get(place)
        if row is None or not path:
            return None
        try:
            content = read_file(path, max_bytes=self._embedder.settings.max_bytes)
            if content.sha256 != row.sha256:
                return None
            framing = WholePicture(longer_px)
            return self._embedder.decode_file(content.data, framing, path=path, exact=exact).pixels
        except ImageError:
            return None
