"""What a model is: architecture, weights, preprocessing and pooling as one record, and its network.

Where a network runs, and how fast, is in ``mobisearch.runtimes``.
"""

from mobisearch.models.registry import DEFAULT_MODEL, MODELS, find_model
from mobisearch.models.spec import ModelSpec, QuantisedSpec, WeightsSpec
from mobisearch.models.weights import read_weights

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "ModelSpec",
    "QuantisedSpec",
    "WeightsSpec",
    "find_model",
    "read_weights",
]
