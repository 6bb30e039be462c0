"""Array aliases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""Upright RGB pixels, uint8, shape (h, w, 3); a batch has shape (n, h, w, 3)."""


Embeddings: TypeAlias = NDArray[np.float32]
"""float32, shape (n, d), rows of unit length; a single one has shape (d,)."""


_MIN_NORM = 1e-6
"""Below this a row of values has no direction worth the name; real ones have norms above 1."""


@dataclass(frozen=True, slots=True)
class UnitRows:
    """What a network gives, as directions and lengths: nothing of it is lost.

    Attributes:
        rows: float32, shape (n, d), unit rows. One without a direction is NaN throughout.
        norms: float64, shape (n,), how long they were; NaN where a row is.
    """

    rows: Embeddings
    norms: NDArray[np.float64]

    @classmethod
    def of(cls, pooled: NDArray[np.float32]) -> Self:
        """Split pooled values, shape (n, d), into directions and lengths."""
        wide = pooled.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            norms = np.sqrt((wide * wide).sum(axis=1))  # (n,)
            is_good = np.isfinite(norms) & (norms > _MIN_NORM)
            unit = np.where(is_good[:, None], wide / norms[:, None], np.nan)
        return cls(unit.astype(np.float32), np.where(is_good, norms, np.nan))

    @classmethod
    def joined(cls, parts: list[Self], *, dim: int) -> Self:
        """Return several as one; (0, d) of none."""
        rows = [np.empty((0, dim), np.float32), *(part.rows for part in parts)]
        norms = [np.empty(0, np.float64), *(part.norms for part in parts)]
        return cls(np.concatenate(rows), np.concatenate(norms))

    def __len__(self) -> int:
        return len(self.rows)
