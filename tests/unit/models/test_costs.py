"""Blocks and costs: the shapes of the chapter, and the figures that were published."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from mobisearch.models import DepthwiseSeparable, count_cost, full_convolution

PUBLISHED = {
    "mobilenet_v2": (300e6, 3.5e6),  # arXiv:1801.04381, table 4: 300 M, 3.4 M; torchvision: 3.50 M
    "mobilenet_v3_small": (56e6, 2.5e6),  # arXiv:1905.02244, table 3
    "mobilenet_v3_large": (217e6, 5.5e6),  # arXiv:1905.02244, table 3: 219 M, 5.4 M
}
ROUNDING = 0.01
"""Of the figures above, given in two or three digits; the exact counts are within 1 %."""


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_the_costs_of_mobilenets_are_those_that_were_published(architecture: str) -> None:
    cost = count_cost(torchvision.models.get_model(architecture, weights=None), 224)
    multiply_adds, parameters = PUBLISHED[architecture]
    assert cost.multiply_adds == pytest.approx(multiply_adds, rel=ROUNDING)
    assert cost.parameters == pytest.approx(parameters, rel=2 * ROUNDING)


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_parameters_are_all_that_torch_counts(architecture: str) -> None:
    network = torchvision.models.get_model(architecture, weights=None)
    assert count_cost(network, 64).parameters == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(8, 8), (7, 12), (1, 1)])
def test_a_separable_block_has_the_shape_of_a_full_convolution(
    stride: int, size: tuple[int, int]
) -> None:
    values = torch.zeros(2, 6, *size)
    block = DepthwiseSeparable(6, 10, stride).eval()
    assert block(values).shape == full_convolution(6, 10, stride).eval()(values).shape


def test_a_separable_block_takes_the_share_of_the_formula() -> None:
    block = count_cost(DepthwiseSeparable(64, 128), 56, in_ch=64).multiply_adds
    full = count_cost(full_convolution(64, 128), 56, in_ch=64).multiply_adds
    assert block / full == pytest.approx(1 / 128 + 1 / 9)


def test_the_output_of_a_block_is_clamped_to_six() -> None:
    torch.manual_seed(0)
    output = DepthwiseSeparable(3, 4)(100 * torch.randn(2, 3, 9, 9))
    assert output.min() == 0
    assert output.max() <= 6


def test_a_block_is_the_composition_of_its_two_steps() -> None:
    torch.manual_seed(0)
    block = DepthwiseSeparable(3, 5).eval()
    values = torch.randn(1, 3, 6, 6)
    # One full convolution whose weights are the products of both steps.
    weights = block.pointwise.weight * block.depthwise.weight.transpose(0, 1)
    full = nn.functional.conv2d(values, weights, padding=1)
    assert torch.allclose(block(values), block.activation(block.norm(full)), atol=1e-5)


def test_counting_changes_nothing() -> None:
    network = DepthwiseSeparable(3, 4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count_cost(network, 32)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_linear_layers_and_strides_count() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 5),
    )  # fmt: skip
    assert count_cost(network, 10).multiply_adds == 5 * 5 * 8 * 27 + 40


@pytest.mark.parametrize(
    ("in_ch", "out_ch", "stride"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)]
)
def test_a_block_without_channels_is_refused(in_ch: int, out_ch: int, stride: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DepthwiseSeparable(in_ch, out_ch, stride)


def test_a_picture_that_the_network_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 pixel"):
        count_cost(DepthwiseSeparable(3, 4), 0)
    with pytest.raises(ValueError, match="5 channels and 8 pixels"):
        count_cost(DepthwiseSeparable(3, 4), 8, in_ch=5)
