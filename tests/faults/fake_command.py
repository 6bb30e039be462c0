"""The command line as a program of its own, with a network that takes microseconds.

Run by the tests where an exit code, an environment or the death of a process matters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import mobisearch.embedding
from mobisearch.models import ModelSpec
from mobisearch.types import Pixels


class CoarseRuntime:
    """Projects pictures of 14 x 14 pixels; has the shape of the default model."""

    def __init__(self, spec: ModelSpec, settings: object = None) -> None:
        directions = np.random.default_rng(0).standard_normal((14 * 14 * 3, spec.dim))
        self._directions = directions.astype(np.float32)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """See :meth:`mobisearch.runtimes.Runtime.extract`."""
        small = pixels[:, 8::16, 8::16].reshape(len(pixels), -1).astype(np.float32) / 255 - 0.5
        return np.stack([row @ self._directions for row in small])


if __name__ == "__main__":
    mobisearch.embedding.load_runtime = CoarseRuntime  # type: ignore[assignment]
    from mobisearch.cli import main

    main()
