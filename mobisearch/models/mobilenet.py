"""The networks themselves, as torch modules: pixels in, pooled pre-classifier values out."""

from __future__ import annotations

from typing import cast

import safetensors
import safetensors.torch
import torchvision
from torch import nn

from mobisearch.errors import WeightsMismatchError
from mobisearch.models.costs import count_cost
from mobisearch.models.spec import ModelSpec
from mobisearch.models.weights import CLASSIFIER, read_weights
from mobisearch.types import WeightsSettings

_DEFAULTS = WeightsSettings()


def make_backbone(spec: ModelSpec) -> nn.Module:
    """Return torchvision's whole network of this architecture and width, with random weights.

    For training; ``build_network`` is for embedding.
    """
    return cast(
        "nn.Module",
        torchvision.models.get_model(spec.architecture, weights=None, width_mult=spec.width_mult),
    )


def build_network(spec: ModelSpec, settings: WeightsSettings = _DEFAULTS) -> nn.Module:
    """Return the model's network with its weights, in evaluation mode, on the CPU.

    Input: float32 (n, 3, h, w), normalised. Output: float32 (n, d), the feature map before the
    classifier, averaged over all places, not of unit length.

    Args:
        settings: where weights come from that are not part of the package.

    Raises:
        WeightsNotFoundError, WeightsMismatchError: the weights are missing, or not the pinned ones.
        ModelError: another of what ``read_weights`` raises.
    """
    data = read_weights(spec, settings=settings)
    backbone = make_backbone(spec)
    layers = cast("nn.Module", backbone.features)
    try:
        tensors = safetensors.torch.load(data)
        renamed = {
            name.removeprefix("features."): tensor
            for name, tensor in tensors.items()
            if not name.startswith(CLASSIFIER)
        }
        layers.load_state_dict(renamed, strict=True)
    except safetensors.SafetensorError as error:
        raise _mismatch(spec, f"a file that is not safetensors ({error})") from error
    except RuntimeError as error:
        reason = f"weights of another network ({str(error).splitlines()[0]})"
        raise _mismatch(spec, reason) from error
    return _pooled(layers).eval()


def count_costs(spec: ModelSpec) -> tuple[int, int, int, int]:
    """Return parameters and multiply-adds with the classifier, then both without it."""
    backbone, size = make_backbone(spec), spec.preprocessing.crop_px
    whole = count_cost(backbone, size)
    part = count_cost(_pooled(cast("nn.Module", backbone.features)), size)
    return whole.parameters, whole.multiply_adds, part.parameters, part.multiply_adds


def _pooled(layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(1))


def _mismatch(spec: ModelSpec, actual: str) -> WeightsMismatchError:
    weights = spec.weights
    return WeightsMismatchError(weights.file_name, expected=weights.sha256, actual=actual)
