"""Weights in the user's cache folder: files as they came, and what was made of them for later.

A file as it came is compared with its pinned SHA-256 whenever it is used. What was made of it is
plain safetensors, whose name says the SHA-256 of both: a damaged one is noticed, and made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from mobisearch.models.cache_folder import cache_folder, read_own_file, write_own_file
from mobisearch.models.spec import WeightsSpec

_MAX_BYTES = 1 << 30
_MADE = re.compile(r"[0-9a-f]{64}\.([0-9a-f]{64})\.safetensors")


def weights_dir() -> Path:
    """Return where weights are kept that are not part of the package."""
    return cache_folder("weights")


def original_path(weights: WeightsSpec) -> Path:
    """Return where a weights file as it came is kept, and may be put by hand."""
    return weights_dir() / weights.file_name


def find_weights_file(weights: WeightsSpec) -> Path | None:
    """Return a file in the caches that these weights can be read from; nothing of it is read."""
    candidates = (*_made_of(weights.sha256), *_originals(weights))
    return next((path for path in candidates if path.is_file()), None)


def read_made(sha256: str) -> bytes | None:
    """Return what was made of the file with this SHA-256, if it is there and sound."""
    for path in _made_of(sha256):
        data = read_own_file(path, max_bytes=_MAX_BYTES)
        if data is not None and hashlib.sha256(data).hexdigest() == path.name.split(".")[1]:
            return data
        with contextlib.suppress(OSError):
            path.unlink()
    return None


def keep_made(sha256: str, data: bytes) -> None:
    """Keep what was made of the file with this SHA-256, where that is possible."""
    own = hashlib.sha256(data).hexdigest()
    write_own_file(weights_dir() / f"{sha256}.{own}.safetensors", data)


def read_original(weights: WeightsSpec) -> bytes | None:
    """Return the bytes of the file as it came, if it is in a cache and the pinned one."""
    for path in _originals(weights):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size <= _MAX_BYTES:
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest() == weights.sha256:
                    return data
    return None


def _made_of(sha256: str) -> Iterator[Path]:
    for path in sorted(weights_dir().glob(f"{sha256}.*.safetensors")):
        if _MADE.fullmatch(path.name):
            yield path


def _originals(weights: WeightsSpec) -> Iterator[Path]:
    """Give the places of a file as it came: our cache, and that of torch, which is only read.

    Source: torch ``hub.py``, ``get_dir``; torchvision keeps what it fetches there.
    """
    yield original_path(weights)
    if weights.place == "address":
        base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
        home = Path(os.environ.get("TORCH_HOME", os.path.join(base, "torch"))).expanduser()
        yield home / "hub" / "checkpoints" / weights.file_name
