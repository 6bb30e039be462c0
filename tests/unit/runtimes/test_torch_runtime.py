"""The reference runtime against the plain network."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from mobisearch.errors import RuntimeUnavailableError
from mobisearch.models import DEFAULT_MODEL, find_model
from mobisearch.models.mobilenet import build_network
from mobisearch.runtimes.torch_runtime import TorchRuntime
from mobisearch.types import Pixels

UNIT_TOLERANCE = 1e-5
"""What the reference promises for unit rows."""

SPEC = find_model(DEFAULT_MODEL)


@pytest.fixture(scope="module")
def runtime() -> TorchRuntime:
    return TorchRuntime(SPEC, device="cpu")


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """Four smooth pictures and one flat one, (5, 224, 224, 3)."""
    generator = np.random.default_rng(0)
    small = generator.integers(0, 256, (4, 7, 7, 3), dtype=np.uint8)
    made = np.repeat(np.repeat(small, 32, axis=1), 32, axis=2)
    return np.concatenate([made, np.full((1, 224, 224, 3), 90, np.uint8)])


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_rows_equal_those_of_the_plain_network(runtime: TorchRuntime, pixels: Pixels) -> None:
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in (SPEC.preprocessing.mean, SPEC.preprocessing.std)
    )
    batch = (torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()).float() / 255 - mean) / std
    with torch.inference_mode():
        plain = build_network(SPEC)(batch).numpy()
    rows = runtime.extract(pixels)
    assert rows.shape == (5, 1280)
    assert rows.dtype == np.float32
    assert np.abs(unit(rows) - unit(plain)).max() < UNIT_TOLERANCE


def test_an_image_gets_the_same_row_alone_and_in_any_batch(
    runtime: TorchRuntime, pixels: Pixels
) -> None:
    alone = np.concatenate([runtime.extract(one[None]) for one in pixels])
    assert np.abs(unit(runtime.extract(pixels)) - unit(alone)).max() < UNIT_TOLERANCE
    assert np.abs(unit(runtime.extract(pixels[::-1])) - unit(alone[::-1])).max() < UNIT_TOLERANCE


def test_read_only_and_strided_pixels_are_taken_and_left_unchanged(
    runtime: TorchRuntime, pixels: Pixels
) -> None:
    strided = np.ascontiguousarray(pixels[:, :, ::-1])[:, :, ::-1]
    strided.flags.writeable = False
    before = strided.copy()
    assert np.array_equal(runtime.extract(strided), runtime.extract(pixels))
    assert np.array_equal(strided, before)


def test_several_threads_get_the_same_rows(runtime: TorchRuntime, pixels: Pixels) -> None:
    expected = runtime.extract(pixels[:2])
    results: list[NDArray[np.float32]] = []
    threads = [
        threading.Thread(target=lambda: results.append(runtime.extract(pixels[:2])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4
    assert all(np.abs(unit(rows) - unit(expected)).max() < UNIT_TOLERANCE for rows in results)


def test_no_batch_norm_is_left_and_nothing_is_trained(runtime: TorchRuntime) -> None:
    modules = list(runtime._network.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)
    assert not any(module.training for module in modules if not isinstance(module, nn.Identity))
    assert not any(parameter.requires_grad for parameter in runtime._network.parameters())


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(RuntimeUnavailableError, match="no device 'nowhere'"):
        TorchRuntime(SPEC, device="nowhere")
