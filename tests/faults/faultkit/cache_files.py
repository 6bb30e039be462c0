"""Vector files, and how they are laid out."""

from __future__ import annotations

from pathlib import Path

DIM = 64


N_PHOTOS = 80


HEADER_BYTES = 37
"""Of an index in FAISS's format: fourcc, d, ntotal, two spare numbers, is_trained, metric."""


VALUES_AT = 2 * HEADER_BYTES + 8


def segment(index_dir: Path) -> Path:
    [path] = (index_dir / "segments").glob("*.faiss")
    return path
