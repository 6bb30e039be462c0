"""What a model is: architecture, weights, preprocessing and pooling as one record, and its network.

Where a network runs, and how fast, is in ``mobisearch.runtimes``. What needs torch is loaded when
it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mobisearch.models.classifier import Classifier, LinearLayer
from mobisearch.models.registry import DEFAULT_MODEL, MODELS, find_model
from mobisearch.models.spec import ModelSpec, QuantisedSpec, WeightsSpec
from mobisearch.models.weights import find_weights, read_weights

if TYPE_CHECKING:
    from mobisearch.models.blocks import DepthwiseSeparable, full_convolution
    from mobisearch.models.classifier_files import read_classifier, read_classifier_file
    from mobisearch.models.costs import Cost, count_cost
    from mobisearch.models.mobilenet import build_network, make_backbone

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "Classifier",
    "Cost",
    "DepthwiseSeparable",
    "LinearLayer",
    "ModelSpec",
    "QuantisedSpec",
    "WeightsSpec",
    "build_network",
    "count_cost",
    "find_model",
    "find_weights",
    "full_convolution",
    "make_backbone",
    "read_classifier",
    "read_classifier_file",
    "read_weights",
]

_HOMES = {
    "Cost": "mobisearch.models.costs",
    "DepthwiseSeparable": "mobisearch.models.blocks",
    "build_network": "mobisearch.models.mobilenet",
    "count_cost": "mobisearch.models.costs",
    "full_convolution": "mobisearch.models.blocks",
    "make_backbone": "mobisearch.models.mobilenet",
    "read_classifier": "mobisearch.models.classifier_files",
    "read_classifier_file": "mobisearch.models.classifier_files",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
