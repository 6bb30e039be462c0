"""What classifiers say of stored embeddings equals what torchvision's whole network says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torchvision.models import MobileNet_V2_Weights, get_model

from mobisearch import Embedder, ImageClassifier, ImageIndex
from mobisearch.errors import InvalidResultCountError
from mobisearch.models import find_model, read_classifier, read_weights
from mobisearch.types import DecodeSettings, RuntimeSettings, UnitRows, WeightsSettings

TOLERANCE = 1e-5
"""Of probabilities, and of logits by the largest of them: the contract of the reference runtime."""

N_PHOTOS = 6


def whole_network(network: nn.Module, paths: list[Path]) -> NDArray[np.float32]:
    transforms = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    batch = torch.stack([transforms(Image.open(path).convert("RGB")) for path in paths])
    with torch.inference_mode():
        logits: NDArray[np.float32] = network.eval()(batch).numpy()
    return logits


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def random_v3(folder: Path) -> tuple[str, WeightsSettings, nn.Module]:
    """A whole MobileNetV3-Small with random weights, as a file of one's own."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = get_model("mobilenet_v3_small", weights=None)
        for layer in network.modules():  # or hardly anything comes through
            if isinstance(layer, nn.BatchNorm2d):
                nn.init.uniform_(layer.weight, 0.9, 1.6)
                nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.1)
                nn.init.normal_(layer.bias)
    data = safetensors.torch.save(
        {name: t.contiguous() for name, t in network.state_dict().items()}
    )
    path = folder / "v3.safetensors"
    path.write_bytes(data)
    name = f"mobilenet_v3_small+{hashlib.sha256(data).hexdigest()}"
    return name, WeightsSettings(path=str(path)), network


@pytest.mark.parametrize("architecture", ["mobilenet_v2", "mobilenet_v3_small"])
def test_stored_embeddings_give_the_probabilities_of_the_whole_network(
    architecture: str, tmp_path: Path, shipped_photos: Path
) -> None:
    paths = sorted(shipped_photos.glob("*.jpg"))[:N_PHOTOS]
    if architecture == "mobilenet_v2":
        name, weights = "mobilenet_v2.imagenet1k_v1", WeightsSettings()
        network = get_model("mobilenet_v2", weights=None)
        network.load_state_dict(safetensors.torch.load(read_weights(find_model(name))))
    else:
        name, weights, network = random_v3(tmp_path)
    runtime = RuntimeSettings("torch", "f32", device="cpu", weights=weights)
    spec = find_model(name)
    embedder = Embedder(spec, settings=DecodeSettings(exact=True), runtime=runtime)
    expected = whole_network(network, paths)

    classifier = read_classifier(spec, weights)
    embedded, errors = embedder.pool_each(paths)
    assert errors == [None] * N_PHOTOS
    logits = classifier.logits(embedded)
    assert np.abs(logits - expected).max() <= TOLERANCE * np.abs(expected).max()
    assert np.abs(classifier.probabilities(embedded) - softmax(expected)).max() <= TOLERANCE
    assert softmax(expected).max() > 0.02, "the network tells nothing apart"

    with ImageIndex.create(tmp_path / "index", embedder) as index:
        index.add(paths)
        index.label(k=3)
        for number, path in enumerate(paths):
            (match,) = index.search(path, k=1)
            best = np.argsort(-softmax(expected)[number])[:3]
            stored = [label.probability for label in match.image.labels]
            assert stored == pytest.approx(softmax(expected)[number][best], abs=TOLERANCE)


def test_a_unit_row_alone_does_not_give_what_the_network_says(shipped_photos: Path) -> None:
    classifier = read_classifier(find_model("mobilenet_v2.imagenet1k_v1"))
    embedder = Embedder("mobilenet_v2.imagenet1k_v1")
    embedded, _ = embedder.pool_each([shipped_photos / "cat.jpg"])
    right = classifier.probabilities(embedded).max()
    flat = classifier.probabilities(UnitRows(embedded.rows, np.ones(1))).max()
    assert flat < right / 3


def test_the_categories_are_torchvisions_and_photos_get_what_is_in_them(
    shipped_photos: Path,
) -> None:
    classifier = ImageClassifier()
    assert list(classifier.categories) == MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"]
    wanted = {"cat": "cat", "coffee": "espresso", "alps": "alp", "brushes": "paintbrush"}
    with pytest.raises(InvalidResultCountError):
        classifier.classify(shipped_photos / "cat.jpg", k=0)
    found = classifier.classify([shipped_photos / f"{name}.jpg" for name in wanted], k=5)
    for result, word in zip(found, wanted.values(), strict=True):
        assert word in result.labels[0].category, result
