"""The network and its weights; files that are no weights are refused and never executed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
import torchvision

from mobisearch.errors import WeightsMismatchError
from mobisearch.models import DEFAULT_MODEL, MODELS, ModelSpec, find_model
from mobisearch.models.mobilenet import build_network


def with_weights(path: Path) -> ModelSpec:
    """Return the default model with this file, trusted by its hash, as its weights."""
    spec = find_model(DEFAULT_MODEL)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    weights = dataclasses.replace(spec.weights, file_name=str(path), sha256=sha256)
    return dataclasses.replace(spec, weights=weights)


BUNDLED = [spec for spec in MODELS.values() if spec.weights.place == "bundled"]


@pytest.mark.parametrize("spec", BUNDLED, ids=lambda spec: spec.name)
def test_the_network_gives_as_many_values_as_its_record_says(spec: ModelSpec) -> None:
    network = build_network(spec)
    size = spec.preprocessing.crop_px
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, size, size)).shape == (2, spec.dim)


def test_the_network_is_in_evaluation_mode_on_the_cpu() -> None:
    network = build_network(find_model(DEFAULT_MODEL))
    assert not any(module.training for module in network.modules())
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return os.system, (f'echo executed > "{self.marker}"',)


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_in_place_of_weights_is_refused_and_not_executed(
    writer: str, tmp_path: Path
) -> None:
    marker, path = tmp_path / "marker", tmp_path / "weights.safetensors"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(Malicious(marker)))
    else:
        torch.save({"0.weight": Malicious(marker)}, path)
    with pytest.raises(WeightsMismatchError, match="not safetensors"):
        build_network(with_weights(path))
    assert not marker.exists()
    pickle.loads(pickle.dumps(Malicious(marker)))
    assert marker.exists()  # the trap was armed


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    other = torchvision.models.mobilenet_v3_small(weights=None).features.state_dict()
    safetensors.torch.save_file(other, tmp_path / "other.safetensors")
    with pytest.raises(WeightsMismatchError, match="weights of another network"):
        build_network(with_weights(tmp_path / "other.safetensors"))


def test_weights_of_other_shapes_or_with_a_tensor_missing_are_refused(tmp_path: Path) -> None:
    right = build_network(find_model(DEFAULT_MODEL))[0].state_dict()
    name = "0.0.weight"
    for broken in (
        {key: value for key, value in right.items() if key != name},
        {**right, name: right[name][:, :1].contiguous()},
        {**right, "extra": torch.zeros(1)},
        {},
    ):
        safetensors.torch.save_file(broken, tmp_path / "broken.safetensors")
        with pytest.raises(WeightsMismatchError, match="weights of another network"):
            build_network(with_weights(tmp_path / "broken.safetensors"))
