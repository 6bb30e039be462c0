"""Weights files: found, read whole, and compared with their pinned SHA-256 before any use."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mobisearch.errors import WeightsMismatchError, WeightsNotFoundError
from mobisearch.models.spec import ModelSpec

BUNDLED_DIR = Path(__file__).parent / "bundled"
"""Weights that are part of the package; the README there gives source and licence."""


def read_weights(spec: ModelSpec, *, folder: Path = BUNDLED_DIR) -> bytes:
    """Return the bytes of the model's safetensors file.

    Raises:
        WeightsNotFoundError: the file is not there.
        WeightsMismatchError: its SHA-256 is not the pinned one.
    """
    return read_pinned(folder / spec.weights.file_name, spec.weights.sha256)


def read_pinned(path: Path, sha256: str) -> bytes:
    """Return the bytes of a file whose SHA-256 is known beforehand.

    Raises:
        WeightsNotFoundError: the file is not there.
        WeightsMismatchError: its SHA-256 is another one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsNotFoundError(str(path)) from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise WeightsMismatchError(str(path), expected=sha256, actual=actual)
    return data
