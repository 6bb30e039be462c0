"""What every runtime can do."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Pixels


class Runtime(Protocol):
    """Runs one network. Safe to call from several threads.

    The row of a picture does not depend on the pictures beside it, to 1e-5 in a unit row.
    """

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return the pooled pre-classifier values of a batch.

        Args:
            pixels: uint8, shape (n, crop_px, crop_px, 3), RGB, n at least 1. Scaling to 0..1 and
                normalisation happen inside.

        Returns:
            float32, shape (n, d), not of unit length, rows in the order of the input.
        """
