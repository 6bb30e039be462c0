"""MobileNetV2 as torch itself computes it in 8-bit integers, from ranges that were measured before.

Each convolution is fused with its batch norm and activation. The activation is ReLU6, which is
nothing of its own in integers: the range of what follows it ends at 6, and what is larger than a
range becomes its end.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

import torch
import torch.ao.quantization
from torch import nn
from torch.ao.nn.intrinsic import ConvReLU2d
from torchvision.models.quantization.mobilenetv2 import (
    QuantizableInvertedResidual,
    QuantizableMobileNetV2,
)
from torchvision.models.quantization.utils import _replace_relu

from mobisearch.models.mobilenet import build_network
from mobisearch.models.spec import ModelSpec
from mobisearch.types import WeightsSettings

Ranges: TypeAlias = Mapping[str, tuple[float, int]]
"""Scale and zero point of what each module gives, by its name: a value is (integer - zero) * scale.
"""

ARCHITECTURE = "mobilenet_v2"
_CAP = 6.0
_LAST = 255
_LAST_OF_7_BITS = 127
"""Processors without VNNI add up pairs of products in 16 bits, which activations of 8 bits
overflow: they get 7."""

_DEFAULTS = WeightsSettings()
quantization: Any = torch.ao.quantization
"""Of no types."""


class QuantisableNetwork(nn.Module):
    """Normalised pixels, float32 (n, 3, h, w), to pooled values, float32 (n, d)."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.quant = quantization.QuantStub()
        self.layers = layers
        self.dequant = quantization.DeQuantStub()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Run the network; the average over all places is taken in float32."""
        found: torch.Tensor = self.dequant(self.layers(self.quant(pictures)))
        return found.mean(dim=(2, 3))


def build_quantisable(
    spec: ModelSpec, settings: WeightsSettings = _DEFAULTS, *, cap: float | None = _CAP
) -> QuantisableNetwork:
    """Return the model's network, still in float32, ready for :func:`calibrate` and the rest.

    Args:
        spec: of the architecture ``ARCHITECTURE``.
        cap: where activations end; None: nowhere, which is another network.

    Raises:
        ModelError: what ``build_network`` raises.
    """
    plain = cast("nn.Sequential", build_network(spec, settings))
    with _quiet():
        whole = QuantizableMobileNetV2(
            block=QuantizableInvertedResidual, width_mult=spec.width_mult
        )
        _replace_relu(whole)  # only that is fused
        layers = cast("nn.Module", whole.features)
        layers.load_state_dict(plain[0].state_dict(), strict=True)
        whole.eval().fuse_model(is_qat=False)
    for module in layers.modules():
        if isinstance(module, ConvReLU2d):
            module[1] = nn.ReLU() if cap is None else nn.Hardtanh(0.0, cap)
    return QuantisableNetwork(layers).eval().requires_grad_(False)


def calibrate(
    network: QuantisableNetwork, batches: Iterable[torch.Tensor], *, whole: bool = False
) -> Ranges:
    """Return the ranges of a network's values over some pictures; the network is used up.

    Args:
        whole: from the least to the largest value; else what is best for most values, where rare
            ones may lie beyond.
    """
    observer = quantization.MinMaxObserver if whole else quantization.HistogramObserver
    with _quiet():
        cast("Any", network).qconfig = quantization.QConfig(
            activation=observer.with_args(quant_min=0, quant_max=_LAST),
            weight=quantization.default_per_channel_weight_observer,
        )
        quantization.prepare(network, inplace=True)
        with torch.inference_mode():
            for batch in batches:
                network(batch)
        ranges: dict[str, tuple[float, int]] = {}
        for name, module in network.named_modules():
            seen = getattr(module, "activation_post_process", None)
            if seen is None or not bool(seen.min_val.isfinite().all()):
                continue
            scale, zero_point = seen.calculate_qparams()
            ranges[name] = float(scale), int(zero_point)
    return ranges


def quantise(network: QuantisableNetwork, ranges: Ranges) -> nn.Module:
    """Turn a network into one of 8-bit weights and activations; it is used up.

    Args:
        ranges: as :func:`calibrate` gives them.

    Raises:
        AttributeError: they are of another network.
    """
    last = _LAST if torch.cpu._is_vnni_supported() else _LAST_OF_7_BITS
    weight = quantization.default_per_channel_weight_observer
    with _quiet():
        for name, (scale, zero_point) in ranges.items():
            activation = functools.partial(
                quantization.FixedQParamsObserver,
                scale=scale * _LAST / last,
                zero_point=round(zero_point * last / _LAST),
                quant_max=last,
            )
            module: Any = network.get_submodule(name)
            module.qconfig = quantization.QConfig(activation, weight)
        network.dequant.qconfig = quantization.default_qconfig  # or it is passed over
        quantization.prepare(network, inplace=True)
        return cast("nn.Module", quantization.convert(network, inplace=True))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what torch says of the age of this way to quantise from users, who cannot help it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
