"""Array aliases."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""Upright RGB pixels, uint8, shape (h, w, 3); a batch has shape (n, h, w, 3)."""


Embeddings: TypeAlias = NDArray[np.float32]
"""float32, shape (n, d), rows of unit length; a single one has shape (d,)."""
