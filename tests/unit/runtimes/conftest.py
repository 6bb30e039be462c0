"""Networks of every architecture that the runtimes know, and pictures for them."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision

from mobisearch.models import DEFAULT_MODEL, ModelSpec, find_model
from mobisearch.types import Pixels

DIMS = {"mobilenet_v2": 1280, "mobilenet_v3_small": 576, "mobilenet_v3_large": 960}


@pytest.fixture(scope="session")
def noise() -> Pixels:
    """Four smooth pictures and one flat one, (5, 224, 224, 3)."""
    generator = np.random.default_rng(0)
    small = generator.integers(0, 256, (4, 7, 7, 3), dtype=np.uint8)
    made = np.repeat(np.repeat(small, 32, axis=1), 32, axis=2)
    return np.concatenate([made, np.full((1, 224, 224, 3), 90, np.uint8)])


@pytest.fixture(scope="session", params=DIMS)
def random_spec(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ModelSpec:
    """A model with weights and batch norms drawn at random, as no real network would hide them."""
    architecture = str(request.param)
    torch.manual_seed(0)
    network = torchvision.models.get_model(architecture, weights=None)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    path: Path = tmp_path_factory.mktemp("weights") / f"{architecture}.safetensors"
    tensors = {f"features.{name}": value for name, value in network.features.state_dict().items()}
    safetensors.torch.save_file(tensors, path)
    base = find_model(DEFAULT_MODEL)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return dataclasses.replace(
        base,
        name=architecture,
        architecture=architecture,
        dim=DIMS[architecture],
        weights=dataclasses.replace(base.weights, file_name=str(path), sha256=sha256),
        quantised=None,
    )
