"""The networks themselves, as torch modules: pixels in, pooled pre-classifier values out."""

from __future__ import annotations

import safetensors
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
    data = read_weights(spec)
    try:
        tensors = safetensors.torch.load(data)
        renamed = {name.removeprefix("features."): tensor for name, tensor in tensors.items()}
        backbone.features.load_state_dict(renamed, strict=True)
    except safetensors.SafetensorError as error:
        raise _mismatch(spec, f"a file that is not safetensors ({error})") from error
    except RuntimeError as error:
        reason = f"weights of another network ({str(error).splitlines()[0]})"
        raise _mismatch(spec, reason) from error
    return nn.Sequential(backbone.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(1)).eval()


def _mismatch(spec: ModelSpec, actual: str) -> WeightsMismatchError:
    weights = spec.weights
    return WeightsMismatchError(weights.file_name, expected=weights.sha256, actual=actual)
