"""Maps on disk: in the user's cache folder, checked when they are read; they may be deleted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mobisearch.models.cache_folder import cache_folder, read_own_file, write_own_file

_MAGIC = b"mobisearch map 1\n"
_MAX_BYTES = 1 << 30
_DIGEST_BYTES = hashlib.sha256().digest_size
_HEADER_BYTES = 512


@dataclass(frozen=True, eq=False, slots=True)
class ImageMap:
    """Where each image of an index lies.

    Attributes:
        generation: of the index when the map was made.
        model: fingerprint of what made the embeddings.
        ids: of images, int64, shape (n,), ascending.
        places: float32, shape (n, 2), x and y from 0 to 1.
    """

    generation: int
    model: str
    ids: NDArray[np.int64]
    places: NDArray[np.float32]


def map_path(index_uuid: str) -> Path:
    """Return the file for the map of an index."""
    return cache_folder("maps") / f"{hashlib.sha256(index_uuid.encode()).hexdigest()[:32]}.map"


def write_map(path: Path, made: ImageMap) -> bool:
    """Write a map, whole or not at all, and say whether that was possible."""
    facts = {"generation": made.generation, "model": made.model, "n": len(made.ids)}
    header = json.dumps(facts).encode().ljust(_HEADER_BYTES)
    body = header + made.ids.astype("<i8").tobytes() + made.places.astype("<f4").tobytes()
    return write_own_file(path, _MAGIC, hashlib.sha256(body).digest(), body)


def read_map(index_uuid: str, *, model: str) -> ImageMap | None:
    """Return the map of an index, or None if there is none that is sound and of this model."""
    data = read_own_file(map_path(index_uuid), max_bytes=_MAX_BYTES)
    start = len(_MAGIC) + _DIGEST_BYTES
    if data is None or not data.startswith(_MAGIC):
        return None
    body = data[start:]
    if hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        return None
    facts = json.loads(body[:_HEADER_BYTES])
    n = int(facts["n"])
    if facts["model"] != model or len(body) != _HEADER_BYTES + 16 * n:
        return None
    ids = np.frombuffer(body, "<i8", n, _HEADER_BYTES)
    places = np.frombuffer(body, "<f4", 2 * n, _HEADER_BYTES + 8 * n).reshape(n, 2)
    return ImageMap(int(facts["generation"]), str(facts["model"]), ids, places)
