"""The runtime that needs no weights behaves like one that does."""

from __future__ import annotations

import numpy as np
import pytest

from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import Pixels


@pytest.fixture
def pixels() -> Pixels:
    size = FAKE_MODEL.preprocessing.crop_px
    return np.random.default_rng(0).integers(0, 256, (9, size, size, 3), dtype=np.uint8)


def test_rows_are_float32_of_the_models_dimension(pixels: Pixels) -> None:
    rows = FakeRuntime().extract(pixels)
    assert rows.shape == (9, FAKE_MODEL.dim)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_an_image_gets_the_same_row_alone_and_in_any_batch(pixels: Pixels) -> None:
    runtime = FakeRuntime()
    alone = np.concatenate([runtime.extract(one[None]) for one in pixels])
    assert np.array_equal(runtime.extract(pixels), alone)
    assert np.array_equal(runtime.extract(pixels[::-1]), alone[::-1])


def test_every_instance_projects_alike(pixels: Pixels) -> None:
    assert np.array_equal(FakeRuntime().extract(pixels), FakeRuntime().extract(pixels))


def test_similar_pictures_get_more_similar_rows_than_different_ones(pixels: Pixels) -> None:
    near = np.clip(pixels[0].astype(int) + 5, 0, 255).astype(np.uint8)
    first, close, far = FakeRuntime().extract(np.stack([pixels[0], near, pixels[1]]))
    first, close, far = (row / np.linalg.norm(row) for row in (first, close, far))
    assert first @ close > first @ far
