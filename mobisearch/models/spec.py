"""The record that says everything about a model, and its fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Literal, Self

from mobisearch.errors import ModelVariantError
from mobisearch.models.names import check_resolution, check_sha256, check_width, split_name
from mobisearch.types import Preprocessing

_FINGERPRINT_VERSION = 1

_DIVISOR = 8
"""Source: torchvision ``models/_utils.py``, ``_make_divisible``."""


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """One weights file.

    Attributes:
        tag: which training, the second half of ``architecture.tag``.
        file_name: of a safetensors file in ``mobisearch/models/bundled``, or of the file that is
            fetched.
        sha256: of the whole file, hexadecimal; checked at every load. Of what is fetched it is that
            of the file as it comes.
        bundled_sha256: of the file in the package, where that was made of the one whose SHA-256 is
            ``sha256``: the same values in another form, so that the identity stays.
        licence: SPDX identifier.
        source: where the weights come from.
        place: ``"bundled"`` in the package; ``"address"`` fetched when they are first used;
            ``"given"`` a file of the user's own; ``"none"`` there are none.
        url: where they are fetched from, unless a mirror is set; or where the file in the package
            comes from.
        n_bytes: of the file; where only torchvision's rounded figure is known, within 1 kB.
        n_categories: outputs of the classifier that is in the file; 0 where there is none.
        top1: accuracy on ImageNet's validation pictures, percent, and ``top1_source`` who says so;
            None where nobody does.
    """

    tag: str
    file_name: str
    sha256: str
    licence: str
    source: str
    place: Literal["bundled", "address", "given", "none"] = "bundled"
    url: str = ""
    n_bytes: int = 0
    n_categories: int = 0
    top1: float | None = None
    top1_source: str = ""
    bundled_sha256: str = ""


@dataclass(frozen=True, slots=True)
class QuantisedSpec:
    """What the same network needs in 8-bit integers, made from the weights beforehand.

    Attributes:
        file_name: beside the weights. Of OpenVINO: ZIP of ``network.xml`` and ``network.bin``. Of
            torch: JSON, scale and zero point of what each part of the network gives.
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
        ranges: what torch's own int8 form needs, likewise.
        width_mult: channels in proportion to those of the paper.
        native: the preprocessing that the weights were trained for, where it is another one.
    """

    name: str
    architecture: str
    dim: int
    weights: WeightsSpec
    preprocessing: Preprocessing
    pooling: str = "avg"
    quantised: QuantisedSpec | None = None
    ranges: QuantisedSpec | None = None
    width_mult: float = 1.0
    native: Preprocessing | None = None

    def at_resolution(self, resolution_px: int) -> Self:
        """Return the same network and weights for pictures of another size: another model.

        What is resized keeps its proportion to what is cut out. The name says it, as in
        ``mobilenet_v2@160``.

        Args:
            resolution_px: side of the square that the network sees, 96 to 288.

        Raises:
            ModelVariantError: it is anything else.
        """
        base = split_name(self.name).without_resolution
        check_resolution(f"{base}@{resolution_px}", resolution_px)
        native = self.native or self.preprocessing
        if resolution_px == native.crop_px:
            own, name, is_native = native, base, True
        else:
            resize_px = round(resolution_px * native.resize_px / native.crop_px)
            own = dataclasses.replace(native, resize_px=resize_px, crop_px=resolution_px)
            name, is_native = f"{base}@{resolution_px}", False
        return dataclasses.replace(
            self,
            name=name,
            preprocessing=own,
            native=None if is_native else native,
            quantised=self.quantised if own == self.preprocessing else None,
            ranges=self.ranges if own == self.preprocessing else None,
        )

    def at_width(self, width_mult: float) -> Self:
        """Return the network with more or fewer channels. There are no weights of it.

        It is for training, and raises UntrainedModelError when it is used to embed, until weights
        are given: ``trusting``.

        Args:
            width_mult: 0.25 to 1.4; 1 is this very model.

        Raises:
            ModelVariantError: it is anything else, or this model is a variant already.
        """
        name = f"{self.name}x{width_mult:g}"
        check_width(name, width_mult)
        if split_name(self.name).is_variant:
            raise ModelVariantError(name, "a width comes first, before weights and resolution")
        if width_mult == 1:
            return self
        blank = WeightsSpec(tag="untrained", file_name="", sha256="", licence="", source="")
        return dataclasses.replace(
            self,
            name=name,
            dim=_wide(self.architecture, self.dim, width_mult),
            weights=dataclasses.replace(blank, place="none"),
            quantised=None,
            width_mult=width_mult,
        )

    def trusting(self, sha256: str) -> Self:
        """Return the model with a weights file of one's own, which is known by its hash.

        Say where it is with ``WeightsSettings(path=...)``; once read it is kept in the user's cache
        folder. The file is safetensors, or what torch saves of a state dict, by torchvision's
        names.

        Raises:
            ModelVariantError: that is no SHA-256, or the model has a file of one's own already.
        """
        parts = split_name(self.name)
        name = f"{parts.without_resolution}+{sha256}"
        check_sha256(name, sha256)
        if parts.sha256 is not None:
            raise ModelVariantError(name, "one file of weights is enough")
        if parts.resolution is not None:
            name += f"@{parts.resolution}"
        weights = WeightsSpec(
            tag=sha256[:12],
            file_name=f"{sha256}.weights",
            sha256=sha256,
            licence="",
            source="",
            place="given",
        )
        return dataclasses.replace(self, name=name, weights=weights, quantised=None)

    @property
    def label(self) -> str:
        """Name, weights, input and fingerprint in one line, for messages."""
        size = self.preprocessing
        width = "" if self.width_mult == 1 else f"x{self.width_mult:g}"
        return (
            f"{self.architecture}{width}.{self.weights.tag} "
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
        if self.width_mult != 1:  # absent otherwise, as from records of before there were widths
            identity["width_mult"] = self.width_mult
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _wide(architecture: str, dim: int, width_mult: float) -> int:
    """Return d at another width.

    MobileNetV2 never has fewer than at width 1. V3 expands what its last block gives by six.

    Source: torchvision ``models/mobilenetv2.py`` and ``models/mobilenetv3.py``.
    """
    if architecture == "mobilenet_v2":
        return _divisible(dim * max(1.0, width_mult))
    return 6 * _divisible(dim / 6 * width_mult)


def _divisible(channels: float) -> int:
    """Return the nearest number of channels that 8 divides, no less than nine tenths."""
    found = max(_DIVISOR, int(channels + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return found + _DIVISOR if found < 0.9 * channels else found
