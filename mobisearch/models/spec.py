"""The record that says everything about a model, and its fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from mobisearch.types import Preprocessing

_FINGERPRINT_VERSION = 1


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """One weights file.

    Attributes:
        tag: which training, the second half of ``architecture.tag``.
        file_name: safetensors file beside ``mobisearch.models``.
        sha256: of the whole file, hexadecimal; checked at every load.
        licence: SPDX identifier.
        source: where the weights come from.
    """

    tag: str
    file_name: str
    sha256: str
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class QuantisedSpec:
    """The same network in 8-bit integers, made from the weights beforehand.

    Attributes:
        file_name: ZIP of ``network.xml`` and ``network.bin``, beside the weights.
        sha256: of the whole file, hexadecimal; checked at every load.
        calibration: the pictures that the ranges of its values were taken from.
    """

    file_name: str
    sha256: str
    calibration: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What an embedding is made with.

    Attributes:
        name: what users call it.
        architecture: torchvision's name of the network.
        dim: values in an embedding, d.
        pooling: how the last feature map (c, h, w) becomes a vector (c,); ``"avg"`` is the mean
            over all places.
        quantised: its int8 form, if there is one. Not part of the identity: like a faster runtime
            it gives the same embeddings with a deviation that the README states.
    """

    name: str
    architecture: str
    dim: int
    weights: WeightsSpec
    preprocessing: Preprocessing
    pooling: str = "avg"
    quantised: QuantisedSpec | None = None

    @property
    def label(self) -> str:
        """Name, weights, input and fingerprint in one line, for messages."""
        size = self.preprocessing
        return (
            f"{self.architecture}.{self.weights.tag} "
            f"({size.resize_px}>{size.crop_px} px, fingerprint {self.fingerprint[:12]})"
        )

    def resized(self, side_px: int) -> ModelSpec:
        """Return the record of the same network looking at squares of another size, in floats."""
        preprocessing = dataclasses.replace(self.preprocessing, resize_px=side_px, crop_px=side_px)
        return dataclasses.replace(self, preprocessing=preprocessing, quantised=None)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that changes an embedding. Equal fingerprints may be mixed."""
        identity = {
            "version": _FINGERPRINT_VERSION,
            "architecture": self.architecture,
            "weights_sha256": self.weights.sha256,
            "pooling": self.pooling,
            "dim": self.dim,
            "normalised": "l2",
            "preprocessing": dataclasses.asdict(self.preprocessing),
            "resize": "bilinear-antialias",
            "orientation": "exif",
            "transparency": "white",
        }
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
