"""An index that fills a small disk, and whether the disk sufficed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import IndexNotFoundError, StorageError
from mobisearch.models import ModelSpec
from mobisearch.runtimes import FAKE_MODEL
from mobisearch.types import Pixels

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


WIDE = dataclasses.replace(FAKE_MODEL, name="wide", architecture="wide", dim=4096)


N_PHOTOS = 300


BATCH = 64
"""Images in a commit."""


MEGABYTE = 1 << 20


class WideRuntime:
    """Rows of 16 kB, so that a few hundred images fill a disk of some megabytes."""

    def __init__(self, spec: ModelSpec = WIDE) -> None:
        directions = np.random.default_rng(0).standard_normal((16 * 16 * 3, spec.dim))
        self._directions = directions.astype(np.float32)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        small = pixels[:, 1::2, 1::2].reshape(len(pixels), -1).astype(np.float32) / 255 - 0.5
        return np.stack([row @ self._directions for row in small])


def try_to_sync(path: Path, embedder: Embedder, photos: Path) -> bool:
    """Make the index if need be and sync it; say whether the disk sufficed."""
    problem = ""
    try:
        try:
            opened = ImageIndex.open(path, embedder)
        except IndexNotFoundError:
            opened = ImageIndex.create(path, embedder)
        with opened as index:
            index.sync(photos)
    except StorageError as error:
        problem = str(error)
    assert not problem or str(path) in problem
    return not problem


def n_sound(path: Path, embedder: Embedder) -> int:
    """Return how many images an index holds, all of them sound and with no file left over."""
    try:
        with ImageIndex.open(path, embedder) as index:
            report = index.verify()
            assert report.ok, report.damage
            assert report.stale == ()
            assert index.errors() == []
            return len(index)
    except IndexNotFoundError:
        return 0
