"""Weights files: found, read whole, and compared with their pinned SHA-256 before any use.

They come, in this order, from a path that the user gives, from the package, from the user's cache
folder, and from the address in the model's record. Only weights that are asked for are fetched.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from mobisearch.errors import UntrainedModelError, WeightsMismatchError, WeightsNotFoundError
from mobisearch.models.spec import ModelSpec
from mobisearch.models.stored_weights import (
    find_weights_file,
    keep_made,
    original_path,
    read_made,
    read_original,
)
from mobisearch.types import WeightsSettings

BUNDLED_DIR = Path(__file__).parent / "bundled"
"""Weights that are part of the package; the README there gives source and licence."""

CLASSIFIER = "classifier."
"""What the names of the tensors begin with that come after the embedding."""

_DEFAULTS = WeightsSettings()
_GIVE_ANOTHER = "give the right one with --weights, or say its hash with --trust-weights"


def read_weights(
    spec: ModelSpec, *, folder: Path = BUNDLED_DIR, settings: WeightsSettings = _DEFAULTS
) -> bytes:
    """Return the model's weights as the bytes of a safetensors file.

    Tensors have torchvision's names, ``features.*`` and, where the file has them, ``classifier.*``.
    What is not bundled is fetched at most once and then kept in the user's cache folder.

    Args:
        folder: of the bundled weights.

    Raises:
        UntrainedModelError: there are no weights of this width.
        WeightsNotFoundError: the file is not there.
        WeightsMismatchError: its SHA-256 is not the pinned one, or it holds something else.
        WeightsAbsentError, WeightsDownloadError, WeightsAddressError: they cannot be fetched.
    """
    weights = spec.weights
    if weights.place == "none":
        raise UntrainedModelError(spec.name)
    if settings.path is not None:
        path, data = Path(settings.path).expanduser(), read_given(spec, settings)
    elif weights.place == "bundled":
        return read_pinned(folder / weights.file_name, weights.bundled_sha256 or weights.sha256)
    else:
        path = original_path(weights)
        made = read_made(weights.sha256)
        if made is not None:
            return made
        original = read_original(weights)
        if original is None:
            from mobisearch.models.downloads import fetch_weights  # only who fetches needs it

            original = fetch_weights(spec, settings)
        data = original
    return _as_safetensors(spec, path, data)


def read_given(spec: ModelSpec, settings: WeightsSettings) -> bytes:
    """Return the bytes of the file that the user gives, as it is.

    Raises:
        UntrainedModelError: the model has no weights to compare it with.
        WeightsNotFoundError: the file is not there, or cannot be read.
        WeightsMismatchError: its SHA-256 is not the one of the model.
    """
    assert settings.path is not None
    if spec.weights.place == "none":
        raise UntrainedModelError(spec.name)
    path = Path(settings.path).expanduser()
    try:
        status = os.stat(path)
    except OSError as error:
        raise WeightsNotFoundError(str(path), _GIVE_ANOTHER) from error
    if not stat.S_ISREG(status.st_mode) or status.st_size > settings.max_bytes:
        actual = "something that is no file, or too large"
        raise WeightsMismatchError(
            str(path), expected=spec.weights.sha256, actual=actual, next_step=_GIVE_ANOTHER
        )
    return read_pinned(path, spec.weights.sha256, next_step=_GIVE_ANOTHER)


def read_pinned(path: Path, sha256: str, *, next_step: str = "reinstall mobisearch") -> bytes:
    """Return the bytes of a file whose SHA-256 is known beforehand.

    Args:
        next_step: what to do where it is not the one.

    Raises:
        WeightsNotFoundError: the file is not there.
        WeightsMismatchError: its SHA-256 is another one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsNotFoundError(str(path), next_step) from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise WeightsMismatchError(str(path), expected=sha256, actual=actual, next_step=next_step)
    return data


def find_weights(spec: ModelSpec, *, folder: Path = BUNDLED_DIR) -> Path | None:
    """Return a file on this machine with the model's weights; nothing of it is read or fetched."""
    if spec.weights.place == "none":
        return None
    if spec.weights.place == "bundled":
        path = folder / spec.weights.file_name
        return path if path.is_file() else None
    return find_weights_file(spec.weights)


def _as_safetensors(spec: ModelSpec, path: Path, data: bytes) -> bytes:
    """Return what is in a checked file as safetensors, and keep it for later starts."""
    weights = spec.weights
    if not is_safetensors(data):
        from mobisearch.models.conversion import convert_state_dict  # torch, for once

        try:
            data = convert_state_dict(data)
        except ValueError as error:
            raise WeightsMismatchError(
                str(path),
                expected=weights.sha256,
                actual=f"a file that is neither safetensors nor a state dict of torch ({error})",
                next_step=_GIVE_ANOTHER,
            ) from error
    if weights.place != "bundled":
        keep_made(weights.sha256, data)
    return data


def is_safetensors(data: bytes) -> bool:
    """Say whether bytes begin as a safetensors file does: a length, and a JSON object."""
    n_header = int.from_bytes(data[:8], "little")
    return data[8:9] == b"{" and n_header <= len(data) - 8
