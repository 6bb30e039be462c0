"""A backbone as an OpenVINO graph, made straight from its weights; no torch is involved.

Pixels go in as they are decoded. Scaling and normalisation are the first steps of the graph, and
batch norms are folded into the convolutions before them.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from mobisearch.errors import RuntimeUnavailableError, WeightsMismatchError
from mobisearch.models import ModelSpec, read_weights
from mobisearch.models.backbones import BACKBONES, HARDSWISH, RELU, RELU6, BackbonePlan
from mobisearch.models.weights import CLASSIFIER
from mobisearch.types import WeightsSettings

Tensors: TypeAlias = dict[str, NDArray[Any]]
_Node: TypeAlias = Any  # of OpenVINO, which has no types of its own

_LEVELS = 255.0
_DEFAULTS = WeightsSettings()


def build_graph(
    openvino: ModuleType, spec: ModelSpec, settings: WeightsSettings = _DEFAULTS
) -> Any:
    """Return the model's network as an ``openvino.Model``.

    Input: uint8, shape (1, crop_px, crop_px, 3), RGB. Output: float32, shape (1, d), the feature
    map before the classifier, averaged over all places, not of unit length.

    Raises:
        RuntimeUnavailableError: there is no plan for this architecture.
        WeightsNotFoundError, WeightsMismatchError: the weights are missing, or not the pinned ones.
        ModelError: another of what ``read_weights`` raises.
    """
    plan = BACKBONES.get(spec.architecture)
    if plan is None:
        raise RuntimeUnavailableError(
            "openvino", f"it has no plan of {spec.architecture}", "use the runtime torch"
        )
    ops = openvino.opset13
    tensors = _read_tensors(spec, settings)
    size = spec.preprocessing.crop_px
    pixels = ops.parameter([1, size, size, 3], np.uint8, name="pixels")
    try:
        pooled = _Builder(ops, tensors, plan).pooled(_normalised(ops, pixels, spec))
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        raise WeightsMismatchError(
            spec.weights.file_name,
            expected=spec.weights.sha256,
            actual=f"weights of another network ({error})",
        ) from error
    return openvino.Model([pooled], [pixels], spec.name)


def _read_tensors(spec: ModelSpec, settings: WeightsSettings) -> Tensors:
    """Return the weights by torchvision's names, without the ``features.`` in front."""
    data = read_weights(spec, settings=settings)
    try:
        tensors: Tensors = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise WeightsMismatchError(
            spec.weights.file_name,
            expected=spec.weights.sha256,
            actual=f"a file that is not safetensors ({error})",
        ) from error
    return {
        name.removeprefix("features."): tensor
        for name, tensor in tensors.items()
        if not name.startswith(CLASSIFIER)
    }


def _normalised(ops: Any, pixels: _Node, spec: ModelSpec) -> _Node:
    """Return (1, 3, h, w): scaled to 0..1, less the mean, divided by the deviation."""
    shape = (1, 3, 1, 1)
    mean = np.float32(_LEVELS) * np.array(spec.preprocessing.mean, np.float32).reshape(shape)
    std = np.float32(_LEVELS) * np.array(spec.preprocessing.std, np.float32).reshape(shape)
    planes = ops.transpose(ops.convert(pixels, "f32"), np.array([0, 3, 1, 2]))
    return ops.multiply(ops.subtract(planes, mean), np.float32(1) / std)


class _Builder:
    """Walks the weights in their order and lays out the graph."""

    def __init__(self, ops: Any, tensors: Tensors, plan: BackbonePlan) -> None:
        self._ops = ops
        self._tensors = tensors
        self._plan = plan

    def pooled(self, node: _Node) -> _Node:
        """Return the graph from normalised planes to the averaged feature map."""
        plan = self._plan
        node = self._convolve(node, ("0.0", "0.1"), stride=2, activation=plan.outer_activation)
        for number, block in enumerate(plan.blocks, 1):
            layers = self._layers(f"{number}.{plan.block_name}.")
            node = self._block(node, layers, stride=block.stride, activation=block.activation)
        last = len(plan.blocks) + 1
        names = (f"{last}.0", f"{last}.1")
        node = self._convolve(node, names, stride=1, activation=plan.outer_activation)
        return self._ops.reduce_mean(node, np.array([2, 3]), keep_dims=False)

    def _layers(self, prefix: str) -> list[str]:
        """Return the names of the layers below a prefix, in the order in which they are applied."""
        found = {
            name.rpartition(".")[0] for name in self._tensors if name.startswith(prefix)
        }  # fmt: skip
        return sorted(found, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])

    def _block(self, node: _Node, layers: list[str], *, stride: int, activation: str) -> _Node:
        came_in = node
        squeezes = [name for name in layers if ".fc" in name]
        pairs = [name for name in layers if name not in squeezes]
        convolutions = list(zip(pairs[::2], pairs[1::2], strict=True))
        for names in convolutions[:-1]:
            is_spread = self._tensors[f"{names[0]}.weight"].shape[1] == 1  # one filter a channel
            step = stride if is_spread else 1
            node = self._convolve(node, names, stride=step, activation=activation)
        if squeezes:
            node = self._squeeze_and_excite(node, squeezes)
        node = self._convolve(node, convolutions[-1], stride=1, activation=None)
        if stride == 1 and came_in.output(0).shape == node.output(0).shape:
            node = self._ops.add(came_in, node)
        return node

    def _convolve(
        self, node: _Node, names: tuple[str, str], *, stride: int, activation: str | None
    ) -> _Node:
        """Return a convolution with the batch norm behind it folded in, and an activation."""
        weights, bias = self._folded(*names)
        side = weights.shape[-1]
        steps, pads = [stride, stride], [side // 2, side // 2]
        if weights.shape[1] == 1 and weights.shape[0] > 1:  # each channel by itself
            grouped = weights[:, None]  # (groups, 1, 1, k, k)
            node = self._ops.group_convolution(node, grouped, steps, pads, pads, [1, 1])
        else:
            node = self._ops.convolution(node, weights, steps, pads, pads, [1, 1])
        return self._activated(self._ops.add(node, bias), activation)

    def _folded(self, convolution: str, norm: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return weights (o, i, k, k) and bias (1, o, 1, 1), both float32."""
        values = self._tensors
        weights = values[f"{convolution}.weight"].astype(np.float64)
        variance = values[f"{norm}.running_var"].astype(np.float64)
        scale = values[f"{norm}.weight"].astype(np.float64)
        scale = scale / np.sqrt(variance + self._plan.epsilon)
        bias = values[f"{norm}.bias"] - values[f"{norm}.running_mean"].astype(np.float64) * scale
        folded = (weights * scale.reshape(-1, 1, 1, 1)).astype(np.float32)
        return folded, bias.reshape(1, -1, 1, 1).astype(np.float32)

    def _squeeze_and_excite(self, node: _Node, names: list[str]) -> _Node:
        """Weigh the channels by what is in the whole picture."""
        ops = self._ops
        weight = ops.reduce_mean(node, np.array([2, 3]), keep_dims=True)
        for name in names:
            plain = self._tensors[f"{name}.weight"].astype(np.float32)
            bias = self._tensors[f"{name}.bias"].astype(np.float32).reshape(1, -1, 1, 1)
            weight = ops.add(ops.convolution(weight, plain, [1, 1], [0, 0], [0, 0], [1, 1]), bias)
            weight = ops.relu(weight) if name == names[0] else ops.hsigmoid(weight)
        return ops.multiply(node, weight)

    def _activated(self, node: _Node, activation: str | None) -> _Node:
        if activation == RELU6:
            return self._ops.clamp(node, 0.0, 6.0)
        if activation == RELU:
            return self._ops.relu(node)
        if activation == HARDSWISH:
            return self._ops.hswish(node)
        return node
