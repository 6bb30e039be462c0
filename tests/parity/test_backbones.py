"""Every architecture and every row of the registry against plain lines of torch and torchvision.

Real weights where they are at hand: the bundled ones, and those of ``MOBISEARCH_TEST_WEIGHTS``, a
folder of files as torchvision names them. For the rest random ones in the same form, pinned to
their own hash, which go the whole way: fetched from a server, checked, converted, embedded.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from mobisearch import DecodeSettings, Embedder, ImageIndex, RuntimeSettings
from mobisearch.models import MODELS, ModelSpec, find_model
from mobisearch.types import WeightsSettings

TOLERANCE = 1e-5
"""Largest difference of any value of a unit row: the contract of f32, in torch and in OpenVINO."""

ROWS = [name for name, spec in MODELS.items() if spec.weights.place == "address"]
RUNTIMES = ("torch", "openvino")
RESOLUTIONS = (96, 288)
N_PHOTOS = 4


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> RuntimeSettings:
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO has no wheel for this system")
        return RuntimeSettings("openvino", "f32")
    return RuntimeSettings("torch", "f32", device="cpu")


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> list[Path]:
    paths = sorted(shipped_photos.glob("*.jpg"))[:N_PHOTOS]
    assert len(paths) == N_PHOTOS
    return paths


def embed_plainly(
    network: nn.Module, enum: Any, paths: list[Path], **sizes: int
) -> NDArray[np.float32]:
    """Return unit rows by the lines that everybody writes: features, average pooling, flatten."""
    transforms = enum.transforms(**sizes)
    cut = nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(1)).eval()
    with torch.inference_mode():
        batch = torch.stack([transforms(Image.open(path).convert("RGB")) for path in paths])
        rows = cut(batch).numpy()
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def enum_of(name: str) -> Any:
    architecture, _, tag = name.partition(".")
    return torchvision.models.get_model_weights(architecture)[tag.upper()]


def embed(spec: ModelSpec, runtime: RuntimeSettings, paths: list[Path]) -> NDArray[np.float32]:
    return Embedder(spec, runtime=runtime, settings=DecodeSettings(exact=True)).embed(paths)


def make_random(architecture: str, **options: float) -> nn.Module:
    """Return a network with batch norms drawn at random too, as no real one would hide them."""
    network: nn.Module = torchvision.models.get_model(architecture, weights=None, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of random weights, as torchvision names them."""
    made = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(ROWS):
        torch.manual_seed(seed)
        network = make_random(name.partition(".")[0])
        torch.save(network.state_dict(), made / MODELS[name].weights.file_name)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A server of that folder: Python's own, which knows nothing of ranges."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay silent."""

    handler = functools.partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(60)


@pytest.fixture
def served(address: str, monkeypatch: pytest.MonkeyPatch) -> WeightsSettings:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return WeightsSettings(offline=False, address=address)


def random_spec(name: str, folder: Path) -> tuple[ModelSpec, nn.Module]:
    """Return a row pinned to its random weights, and torchvision's network with them."""
    spec = MODELS[name]
    path = folder / spec.weights.file_name
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    network = torchvision.models.get_model(spec.architecture, weights=None)
    network.load_state_dict(torch.load(path, weights_only=True))
    weights = dataclasses.replace(spec.weights, sha256=sha256)
    return dataclasses.replace(spec, weights=weights), network


@pytest.mark.parametrize("name", ROWS)
def test_a_row_gives_what_plain_lines_give_from_the_server_to_the_embedding(
    name: str,
    folder: Path,
    served: WeightsSettings,
    runtime: RuntimeSettings,
    photos: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "cache"))
    spec, network = random_spec(name, folder)
    rows = embed(spec, dataclasses.replace(runtime, weights=served), photos)
    assert rows.shape == (N_PHOTOS, spec.dim)
    assert np.abs(rows - embed_plainly(network, enum_of(name), photos)).max() < TOLERANCE
    again = embed(spec, runtime, photos)  # from the cache: nothing can be fetched now
    assert np.array_equal(rows, again)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("name", [name for name in ROWS if name.endswith("_v1")])
def test_a_row_at_another_resolution_gives_what_plain_lines_give(
    name: str,
    resolution: int,
    folder: Path,
    served: WeightsSettings,
    runtime: RuntimeSettings,
    photos: list[Path],
) -> None:
    spec, network = random_spec(name, folder)
    spec = spec.at_resolution(resolution)
    rows = embed(spec, dataclasses.replace(runtime, weights=served), photos)
    own = spec.preprocessing
    sizes = {"crop_size": own.crop_px, "resize_size": own.resize_px}
    assert own.crop_px == resolution
    plain = embed_plainly(network, enum_of(name), photos, **sizes)
    assert np.abs(rows - plain).max() < TOLERANCE


@pytest.mark.parametrize("resolution", [224, *RESOLUTIONS])
def test_both_runtimes_agree_on_the_bundled_weights(resolution: int, photos: list[Path]) -> None:
    pytest.importorskip("openvino", reason="OpenVINO has no wheel for this system")
    spec = find_model("mobilenet_v2").at_resolution(resolution)
    reference = embed(spec, RuntimeSettings("torch", "f32", device="cpu"), photos)
    rows = embed(spec, RuntimeSettings("openvino", "f32"), photos)
    assert np.abs(rows - reference).max() < TOLERANCE


@pytest.mark.parametrize("architecture", ["mobilenet_v2", "mobilenet_v3_small"])
def test_weights_of_another_width_give_what_plain_lines_give(
    architecture: str,
    runtime: RuntimeSettings,
    photos: list[Path],
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    network = make_random(architecture, width_mult=0.5)
    torch.save(network.state_dict(), tmp_path / "half.pth")
    sha256 = hashlib.sha256((tmp_path / "half.pth").read_bytes()).hexdigest()
    spec = find_model(f"{architecture}x0.5+{sha256}")
    given = WeightsSettings(path=str(tmp_path / "half.pth"))
    rows = embed(spec, dataclasses.replace(runtime, weights=given), photos)
    enum = torchvision.models.get_model_weights(architecture)["IMAGENET1K_V1"]
    assert np.abs(rows - embed_plainly(network, enum, photos)).max() < TOLERANCE


@pytest.mark.parametrize("name", ROWS)
def test_real_weights_give_what_plain_lines_give(
    name: str, runtime: RuntimeSettings, photos: list[Path]
) -> None:
    folder = Path(os.environ.get("MOBISEARCH_TEST_WEIGHTS", ""))
    path = folder / MODELS[name].weights.file_name
    if not os.environ.get("MOBISEARCH_TEST_WEIGHTS") or not path.is_file():
        pytest.skip(f"{path.name} is not here; set MOBISEARCH_TEST_WEIGHTS to a folder that has it")
    spec = MODELS[name]
    network = torchvision.models.get_model(spec.architecture, weights=None)
    network.load_state_dict(torch.load(path, weights_only=True))
    given = dataclasses.replace(runtime, weights=WeightsSettings(path=str(path)))
    rows = embed(spec, given, photos)
    assert np.abs(rows - embed_plainly(network, enum_of(name), photos)).max() < TOLERANCE


def test_an_index_of_a_variant_is_opened_again_by_its_name(
    tmp_path: Path, shipped_photos: Path
) -> None:
    runtime = RuntimeSettings("auto", "f32")
    with ImageIndex.create(
        tmp_path / "index", Embedder("mobilenet_v2@128", runtime=runtime)
    ) as index:
        index.add([shipped_photos / "cat.jpg", shipped_photos / "dogs.jpg"])
    with ImageIndex.open(tmp_path / "index", runtime=runtime) as index:
        assert index.status().model == "mobilenet_v2@128"
        found = index.search(shipped_photos / "cat.jpg", k=1)
    assert found[0].score == pytest.approx(1, abs=TOLERANCE)
