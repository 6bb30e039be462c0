"""Training a whole network, a small and quick one, and going on after an interruption."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import ReportError
from mobisearch.models import find_model, read_classifier, read_weights
from mobisearch.training import FineTuned, FineTuneSettings, fine_tune
from mobisearch.training.augmentation import augment
from mobisearch.training.checkpoints import checkpoint_path, read_checkpoint
from mobisearch.types import Progress, RuntimeSettings, WeightsSettings

BASE = "mobilenet_v2@96"
SETTINGS = FineTuneSettings(epochs=2, batch_size=4, device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Upright and lying stripes: nothing that a network was trained for."""
    made = tmp_path_factory.mktemp("classes")
    for name in ("lying", "upright"):
        (made / name).mkdir()
        for number in range(8):
            generator = np.random.default_rng(number)
            stripes = (np.arange(120) // generator.integers(4, 9) % 2 * 150)[:, None, None]
            picture = stripes + generator.integers(0, 100, (120, 120, 3))
            pixels = picture.astype(np.uint8)
            turned = pixels if name == "lying" else np.rot90(pixels)
            Image.fromarray(np.ascontiguousarray(turned)).save(made / name / f"{number}.png")
    return made


def tuned(folder: Path, output: Path, **named: object) -> FineTuned:
    # OpenVINO takes images one by one: torch gives other last digits in batches of another size.
    embedder = Embedder(BASE, runtime=RuntimeSettings("openvino", "f32"))
    return fine_tune(folder, embedder, output, SETTINGS, **named)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[FineTuned, Path]:
    """A training from beginning to end, and its file."""
    output = tmp_path_factory.mktemp("output") / "own.safetensors"
    return tuned(folder, output), output


def test_the_weights_of_a_training_are_a_model_with_a_classifier_of_its_own(
    whole: tuple[FineTuned, Path], folder: Path, tmp_path: Path
) -> None:
    trained, path = whole
    data = path.read_bytes()
    assert data == trained.data
    assert trained.model == f"mobilenet_v2+{hashlib.sha256(data).hexdigest()}@96"
    assert not checkpoint_path(path).exists()
    assert trained.scores.accuracy == 1
    spec, weights = find_model(trained.model), WeightsSettings(path=str(path))
    assert spec.fingerprint != find_model(BASE).fingerprint
    classifier = read_classifier(spec, weights)
    assert classifier.categories == ("lying", "upright")
    embedder = Embedder(spec, runtime=RuntimeSettings(weights=weights))
    with ImageIndex.create(tmp_path / "index", embedder) as index:
        index.sync(folder)
        report = index.label()
        assert (report.labelled, report.categories) == (16, 2)
        firsts = [
            (Path(match.image.path).parent.name, match.image.labels[0].category)
            for match in index.search(folder / "lying" / "0.png", k=16)
        ]
        assert sum(name == category for name, category in firsts) >= 15


def test_what_was_trained_is_not_what_it_began_with(whole: tuple[FineTuned, Path]) -> None:
    trained, _ = whole
    assert trained.epochs >= 1, "no epoch did better than the head alone"
    tensors = safetensors.torch.load(trained.data)
    before = safetensors.torch.load(read_weights(find_model(BASE)))
    for name, tensor in before.items():
        is_statistic = "running" in name or "num_batches" in name
        assert torch.equal(tensors[name], tensor) == is_statistic, name


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(
    whole: tuple[FineTuned, Path], folder: Path, tmp_path: Path
) -> None:
    stop, output = threading.Event(), tmp_path / "own.safetensors"
    seen: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress)
        if progress.stage == "learning" and progress.done > progress.total // 2:
            stop.set()  # in the second epoch

    with pytest.raises(KeyboardInterrupt):
        tuned(folder, output, on_progress=interrupt, stop=stop)
    assert not output.exists()
    assert checkpoint_path(output).is_file()
    assert b"pickle" not in checkpoint_path(output).read_bytes()[:4096]
    trained = tuned(folder, output)
    assert trained.resumed_at == 1
    assert trained.data == whole[0].data


def test_a_checkpoint_of_another_training_or_a_torn_one_is_not_gone_on_from(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "own.safetensors.checkpoint"
    metadata = {"mobisearch_checkpoint": json.dumps({"identity": "another", "epoch": 1})}
    data = safetensors.torch.save({"network.a": torch.zeros(2)}, metadata)
    path.write_bytes(data)
    assert read_checkpoint(path, "mine") is None
    path.write_bytes(data[:-3])
    assert read_checkpoint(path, "another") is None
    assert read_checkpoint(tmp_path / "none", "another") is None


def test_a_foreign_file_is_not_replaced_by_weights(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(b"my own")
    with pytest.raises(ReportError):
        tuned(folder, tmp_path / "mine.safetensors")


def test_altered_parts_depend_on_chance_alone_and_are_of_the_picture() -> None:
    picture = np.zeros((90, 60, 3), np.uint8)
    picture[..., 0] = 200
    first = augment(picture, 32, np.random.default_rng(4))
    assert first.shape == (3, 32, 32)
    assert first.dtype == torch.uint8
    assert torch.equal(first, augment(picture, 32, np.random.default_rng(4)))
    others = [augment(picture, 32, np.random.default_rng(seed)) for seed in range(5)]
    assert len({int(other[0, 0, 0]) for other in others}) > 1
    for other in others:
        assert (other == other[:, :1, :1]).all(), "one colour stays one colour"


@pytest.mark.parametrize("size", [(1, 300), (300, 1), (1, 1), (5, 5)])
def test_pictures_of_odd_shapes_can_be_altered(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 9, np.uint8)
    assert augment(picture, 32, np.random.default_rng(0)).shape == (3, 32, 32)
