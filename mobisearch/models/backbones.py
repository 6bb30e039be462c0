"""What the weights of a backbone do not tell: strides, activations, epsilons. Plain data, no torch.

Kernel sizes, channels, groups and squeeze-and-excitation follow from the weights themselves, so one
plan serves every width.

Source: torchvision ``models/mobilenetv2.py`` and ``models/mobilenetv3.py``; the tables are those of
arXiv:1801.04381 (table 2) and arXiv:1905.02244 (tables 1 and 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

RELU6, RELU, HARDSWISH = "relu6", "relu", "hardswish"


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """One inverted residual: expand, convolve each channel, squeeze and excite, project."""

    stride: int
    activation: str


@dataclass(frozen=True, slots=True)
class BackbonePlan:
    """A stem of stride 2, blocks, and a last pointwise convolution.

    Attributes:
        block_name: what torchvision calls the layers of a block.
        outer_activation: of the stem and of the last convolution.
        epsilon: of every batch norm.
    """

    blocks: tuple[BlockPlan, ...]
    block_name: str
    outer_activation: str
    epsilon: float


def _inverted_residuals(*rows: tuple[int, int]) -> tuple[BlockPlan, ...]:
    """Return the blocks of rows (repeats, stride of the first)."""
    return tuple(
        BlockPlan(stride if first else 1, RELU6)
        for repeats, stride in rows
        for first in (True, *[False] * (repeats - 1))
    )


def _bottlenecks(text: str) -> tuple[BlockPlan, ...]:
    """Return the blocks of words such as ``RE2``: ReLU or h-swish, and the stride."""
    kinds = {"RE": RELU, "HS": HARDSWISH}
    return tuple(BlockPlan(int(word[2]), kinds[word[:2]]) for word in text.split())


BACKBONES = MappingProxyType(
    {
        "mobilenet_v2": BackbonePlan(
            _inverted_residuals((1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1)),
            block_name="conv",
            outer_activation=RELU6,
            epsilon=1e-5,
        ),
        "mobilenet_v3_small": BackbonePlan(
            _bottlenecks("RE2 RE2 RE1 HS2 HS1 HS1 HS1 HS1 HS2 HS1 HS1"),
            block_name="block",
            outer_activation=HARDSWISH,
            epsilon=1e-3,
        ),
        "mobilenet_v3_large": BackbonePlan(
            _bottlenecks("RE1 RE2 RE1 RE2 RE1 RE1 HS2 HS1 HS1 HS1 HS1 HS1 HS2 HS1 HS1"),
            block_name="block",
            outer_activation=HARDSWISH,
            epsilon=1e-3,
        ),
    }
)
"""By torchvision's name of the architecture."""
