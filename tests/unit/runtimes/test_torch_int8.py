"""torch's own 8-bit integers against its 32-bit floats."""

from __future__ import annotations

import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mobisearch import Embedder, RuntimeSettings
from mobisearch.errors import (
    PrecisionUnavailableError,
    RuntimeUnavailableError,
    WeightsMismatchError,
)
from mobisearch.models import DEFAULT_MODEL, find_model
from mobisearch.models.mobilenet import build_network
from mobisearch.models.quantisable import build_quantisable, calibrate, quantise
from mobisearch.runtimes import torch_int8
from mobisearch.runtimes.torch_int8 import TorchInt8Runtime
from mobisearch.types import Embeddings

SPEC = find_model(DEFAULT_MODEL)
INT8 = RuntimeSettings("torch", "int8")
F32 = RuntimeSettings("torch", "f32", device="cpu")


@pytest.fixture(scope="module")
def photos(shipped_photos: Path) -> list[Path]:
    return sorted(shipped_photos.glob("*.jpg"))


@pytest.fixture(scope="module")
def reference(photos: list[Path]) -> Embeddings:
    return Embedder(runtime=F32).embed(photos)


def cosines(rows: Embeddings, others: Embeddings) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (rows * others).sum(axis=1)
    return found


def test_embeddings_are_nearly_those_of_the_reference(
    photos: list[Path], reference: Embeddings
) -> None:
    embedder = Embedder(runtime=INT8)
    rows = embedder.embed(photos)
    assert embedder.precision == "int8"
    found = cosines(rows, reference)
    assert np.median(found) > 0.95
    assert found.min() > 0.9
    assert (rows @ reference.T).argmax(axis=1).tolist() == list(range(len(photos)))


def test_a_processor_without_vnni_computes_in_seven_bits(
    photos: list[Path], reference: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: True)
    fine = np.median(cosines(Embedder(runtime=INT8).embed(photos), reference))
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False)
    coarse = np.median(cosines(Embedder(runtime=INT8).embed(photos), reference))
    assert coarse > 0.9
    assert coarse != fine, "seven bits gave what eight bits give"


def test_the_fused_network_is_the_plain_one_before_it_is_quantised() -> None:
    batch = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 4 - 2
    with torch.inference_mode():
        fused, plain = build_quantisable(SPEC)(batch), build_network(SPEC)(batch)
    assert torch.nn.functional.cosine_similarity(fused, plain).min() > 1 - 1e-5


def test_no_activation_goes_beyond_six_and_without_the_cap_some_do() -> None:
    batch = [torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 4 - 2]
    ends = {}
    for cap in (6.0, None):
        ranges = calibrate(build_quantisable(SPEC, cap=cap), batch, whole=True)
        ends[cap] = max(255 * scale for scale, zero_point in ranges.values() if not zero_point)
    assert ends[6.0] == pytest.approx(6, abs=0.01)
    assert ends[None] > 6.5


def test_ranges_of_the_photos_in_question_quantise_it_too() -> None:
    batch = torch.rand(4, 3, 224, 224, generator=torch.Generator().manual_seed(2)) * 4 - 2
    network = build_quantisable(SPEC)
    with torch.inference_mode():
        plain = network(batch)
    made = quantise(build_quantisable(SPEC), calibrate(network, [batch]))
    with torch.inference_mode():
        assert torch.nn.functional.cosine_similarity(made(batch), plain).min() > 0.95


def test_threads_get_the_same_rows() -> None:
    runtime = TorchInt8Runtime(SPEC)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    expected = runtime.extract(pixels)
    found: list[NDArray[np.float32]] = []
    threads = [
        threading.Thread(target=lambda: found.append(runtime.extract(pixels))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(rows, expected) for rows in found)
    assert len(found) == 4


def test_users_are_not_told_of_the_age_of_what_it_uses() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TorchInt8Runtime(SPEC)


@pytest.mark.parametrize("name", ["mobilenet_v2@128", "mobilenet_v3_small", "mobilenet_v2@224"])
def test_models_without_ranges_are_refused(name: str) -> None:
    spec = find_model(name)
    if spec.fingerprint == SPEC.fingerprint:
        assert spec.ranges is not None
        return
    with pytest.raises(PrecisionUnavailableError, match="choose one of: f32"):
        TorchInt8Runtime(spec)


def test_a_gpu_an_old_build_and_a_torch_without_it_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RuntimeUnavailableError, match="on a CPU only"):
        TorchInt8Runtime(SPEC, device="cuda")
    with monkeypatch.context() as patch:
        patch.setattr(torch_int8, "_ENGINE", "none")
        with pytest.raises(RuntimeUnavailableError, match="does not compute in int8"):
            TorchInt8Runtime(SPEC)
    monkeypatch.setitem(sys.modules, "mobisearch.models.quantisable", None)
    with pytest.raises(RuntimeUnavailableError, match="use the precision f32"):
        TorchInt8Runtime(SPEC)


def test_ranges_that_are_not_the_pinned_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert SPEC.ranges is not None
    (tmp_path / SPEC.ranges.file_name).write_text("{}")
    monkeypatch.setattr(torch_int8, "BUNDLED_DIR", tmp_path)
    with pytest.raises(WeightsMismatchError):
        TorchInt8Runtime(SPEC)
