"""A runtime without a network, for tests and for trying things out without weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mobisearch.models import ModelSpec, WeightsSpec
from mobisearch.types import Pixels, Preprocessing

FAKE_MODEL = ModelSpec(
    name="fake",
    architecture="random_projection",
    dim=64,
    weights=WeightsSpec(tag="seed0", file_name="", sha256="0" * 64, licence="", source=""),
    preprocessing=Preprocessing(
        resize_px=36, crop_px=32, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    ),
)
"""What :class:`FakeRuntime` claims to be: 64 values from 32 x 32 pixels."""


class FakeRuntime:
    """Projects pixels onto fixed random directions. Similar pictures get similar rows.

    Needs no weights and no torch, and takes microseconds::

        Embedder(FAKE_MODEL, runtime=FakeRuntime())
    """

    def __init__(self, spec: ModelSpec = FAKE_MODEL) -> None:
        n_values = spec.preprocessing.crop_px**2 * 3
        generator = np.random.default_rng(0)
        self._projection = generator.standard_normal((n_values, spec.dim), dtype=np.float32)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """See :meth:`mobisearch.runtimes.Runtime.extract`."""
        flat = pixels.reshape(len(pixels), -1).astype(np.float32) / 255 - 0.5  # (n, h * w * 3)
        # Row by row, so that an image gets the same values alone and in any batch.
        rows = [row @ self._projection for row in flat]
        return np.asarray(np.stack(rows) / np.sqrt(flat.shape[1]), dtype=np.float32)
