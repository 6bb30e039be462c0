"""The networks themselves, as torch modules: pixels in, pooled pre-classifier features out."""

from __future__ import annotations

import safetensors.torch
import torchvision
from torch import nn

from mobisearch.errors import WeightsMismatchError
from mobisearch.models.spec import ModelSpec
from mobisearch.models.weights import read_weights


def build_network(spec: ModelSpec) -> nn.Module:
    """Return the model's network with its weights, in evaluation mode, on the CPU.

    Input: float32 (n, 3, h, w), normalised. Output: float32 (n, d), the feature map before the
    classifier, averaged over all places, not of unit length.

    Raises:
        WeightsNotFoundError, WeightsMismatchError: the weights are missing, or not the pinned ones.
    """
    backbone = torchvision.models.get_model(spec.architecture, weights=None)
    tensors = safetensors.torch.load(read_weights(spec))
    features = {name.removeprefix("features."): tensor for name, tensor in tensors.items()}
    try:
        backbone.features.load_state_dict(features, strict=True)
    except RuntimeError as error:
        reason = f"weights of another network ({str(error).splitlines()[0]})"
        raise WeightsMismatchError(
            spec.weights.file_name, expected=spec.weights.sha256, actual=reason
        ) from error
    return nn.Sequential(backbone.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(1)).eval()
