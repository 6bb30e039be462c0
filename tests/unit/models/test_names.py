"""Variants of a model: another width, weights of one's own, another resolution."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torchvision

from mobisearch.errors import ModelVariantError, UnknownModelError, UntrainedModelError
from mobisearch.models import DEFAULT_MODEL, MODELS, find_model, read_weights
from mobisearch.models.mobilenet import build_network, make_backbone
from mobisearch.models.names import RESOLUTIONS_PX, WIDTHS

SHA256 = "0123456789abcdef" * 4
ARCHITECTURES = ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")


@pytest.mark.parametrize("base", MODELS)
@pytest.mark.parametrize(
    "variant", ["@96", "@160", "@288", "x0.5", "x0.5@160", f"+{SHA256}", f"x0.75+{SHA256}@128"]
)
def test_a_variant_is_found_again_by_its_own_name(base: str, variant: str) -> None:
    spec = find_model(base + variant)
    assert spec.name == base + variant
    assert find_model(spec.name) == spec


def test_no_two_variants_share_a_fingerprint_or_a_label() -> None:
    names = [
        base + width + weights + resolution
        for base in MODELS
        for width in ("", "x0.5")
        for weights in ("", f"+{SHA256}")
        for resolution in ("", "@160", "@256")
    ]
    specs = [find_model(name) for name in names]
    # Given weights make those of the name irrelevant, and widths have none: what is left is
    # architecture and preprocessing, which some rows share.
    identities = {
        (
            spec.architecture, spec.width_mult, spec.weights.sha256, spec.preprocessing
        )
        for spec in specs
    }  # fmt: skip
    assert len({spec.fingerprint for spec in specs}) == len(identities)
    assert len({spec.label for spec in specs}) == len(identities)


def test_a_resolution_keeps_the_proportion_of_what_is_cut_out() -> None:
    for name, expected in (
        ("mobilenet_v2@160", (183, 160)),  # 256 * 160 / 224 is 182.9
        ("mobilenet_v2.imagenet1k_v2@160", (166, 160)),  # 232 * 160 / 224 is 165.7
        ("mobilenet_v2@288", (329, 288)),
    ):
        own = find_model(name).preprocessing
        assert (own.resize_px, own.crop_px) == expected


def test_the_resolution_of_the_weights_is_no_variant() -> None:
    assert find_model("mobilenet_v2@224") == find_model("mobilenet_v2")
    base = find_model("mobilenet_v2")
    assert base.at_resolution(96).at_resolution(224).fingerprint == base.fingerprint
    assert base.at_resolution(96).at_resolution(160) == base.at_resolution(160)
    assert find_model("mobilenet_v2x1") == base


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("width", [0.25, 0.35, 0.5, 0.75, 1.3, 1.4])
def test_the_dimension_at_a_width_is_that_of_torchvisions_network(
    architecture: str, width: float
) -> None:
    spec = find_model(architecture).at_width(width)
    network = torchvision.models.get_model(architecture, weights=None, width_mult=width)
    assert spec.dim == network.features[-1][0].out_channels
    made = make_backbone(spec)
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    assert {name: value.shape for name, value in made.state_dict().items()} == shapes


def test_a_width_says_that_it_is_for_training_when_it_is_to_embed() -> None:
    spec = find_model("mobilenet_v2x0.5")
    for use in (read_weights, build_network):
        with pytest.raises(UntrainedModelError, match=r"mobilenet_v2x0\.5: .* for training only"):
            use(spec)


def test_a_width_can_be_trained() -> None:
    backbone = make_backbone(find_model("mobilenet_v3_smallx0.25"))
    backbone(torch.zeros(2, 3, 96, 96)).sum().backward()
    assert all(parameter.grad is not None for parameter in backbone.parameters())


BAD = [
    "@95", "@289", "@1000", "@", "@ten", "@-5", "@1e2", "@160.0", "@٣٢٠", "@160\n",
    "x0.2", "x1.5", "x0", "x9", "x.5", "x0.5.5", "x0.12345", "+", "+abc", f"+{SHA256.upper()}",
    f"+{SHA256}0", "x0.5@", "@160x0.5", f"@160+{SHA256}", f"+{SHA256}+{SHA256}",
]  # fmt: skip


@pytest.mark.parametrize("variant", BAD)
def test_a_name_that_makes_no_sense_is_refused_with_that_name(variant: str) -> None:
    with pytest.raises((ModelVariantError, UnknownModelError)) as caught:
        find_model(f"mobilenet_v2{variant}")
    assert repr(f"mobilenet_v2{variant}") in str(caught.value)


def test_bad_values_are_refused_with_those_that_are_right() -> None:
    spec = find_model(DEFAULT_MODEL)
    for resolution in (0, -1, RESOLUTIONS_PX[0] - 1, RESOLUTIONS_PX[1] + 1):
        with pytest.raises(ModelVariantError, match="96 to 288"):
            spec.at_resolution(resolution)
    for width in (0, -1, WIDTHS[0] - 0.01, WIDTHS[1] + 0.01, float("nan")):
        with pytest.raises(ModelVariantError, match=r"0\.25 to 1\.4"):
            spec.at_width(width)
    with pytest.raises(ModelVariantError, match="64 digits"):
        spec.trusting("abc")


def test_what_comes_in_the_wrong_order_is_refused() -> None:
    spec = find_model(DEFAULT_MODEL)
    for variant in (spec.at_width(0.5), spec.at_resolution(160), spec.trusting(SHA256)):
        with pytest.raises(ModelVariantError, match="a width comes first"):
            variant.at_width(0.75)
    with pytest.raises(ModelVariantError, match="one file of weights"):
        spec.trusting(SHA256).trusting(SHA256)


def test_weights_that_are_trusted_after_the_resolution_give_the_same_model() -> None:
    spec = find_model(DEFAULT_MODEL)
    one, other = spec.trusting(SHA256).at_resolution(160), spec.at_resolution(160).trusting(SHA256)
    assert one.name == other.name == f"mobilenet_v2+{SHA256}@160"
    assert one == other


def test_the_int8_network_is_for_the_resolution_that_it_was_made_for() -> None:
    assert find_model("mobilenet_v2").quantised is not None
    assert find_model("mobilenet_v2@160").quantised is None
    assert find_model(f"mobilenet_v2+{SHA256}").quantised is None


def test_a_record_of_ones_own_can_have_another_resolution_too() -> None:
    own = dataclasses.replace(find_model(DEFAULT_MODEL), name="mine")
    assert own.at_resolution(160).name == "mine@160"
