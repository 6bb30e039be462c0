"""What a network costs: parameters, and multiply-adds for one picture."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, batch norms included; multiply-adds of convolutions and linear layers."""

    parameters: int
    multiply_adds: int


def count_cost(module: nn.Module, resolution: int, *, in_ch: int = 3) -> Cost:
    """Count what a network costs for one picture. Nothing is computed, and no values are needed.

    Multiply-adds are counted as papers on MobileNets do: one for each weight that a value is
    multiplied with, in convolutions and linear layers; biases, norms, activations and pooling are
    left out.

    Args:
        module: takes (n, in_ch, h, w). It is not changed.
        resolution: side of the square picture, pixels, at least 1.

    Raises:
        ValueError: ``resolution`` is below 1, or the network cannot take such a picture.
    """
    if resolution < 1:
        raise ValueError(f"resolution must be at least 1 pixel, got {resolution}")
    shadow = copy.deepcopy(module).to("meta").eval()
    total = 0

    def add(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            per_value = math.prod(layer.kernel_size) * layer.in_channels // layer.groups
        elif isinstance(layer, nn.Linear):
            per_value = layer.in_features
        else:
            return
        total += output.numel() * per_value

    for layer in shadow.modules():
        layer.register_forward_hook(add)
    try:
        with torch.inference_mode():
            shadow(torch.empty(1, in_ch, resolution, resolution, device="meta"))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"the network does not take a picture of {in_ch} channels and {resolution} pixels: "
            f"{reason}"
        ) from error
    return Cost(sum(parameter.numel() for parameter in module.parameters()), total)
