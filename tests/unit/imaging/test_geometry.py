"""Resizing and cutting against torchvision: pixel for pixel, or within a level where quick."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.models import MobileNet_V2_Weights
from torchvision.transforms import functional

from mobisearch.imaging.geometry import cut_centre
from mobisearch.models.registry import IMAGENET_224
from mobisearch.types import Pixels, Preprocessing

EXACT_RATIO = 64
"""Up to this ratio of the sides an exact cut promises torchvision's very pixels."""

QUICK_LEVELS = 1
"""Beyond it, and for a quick cut, the largest difference that the docstring promises."""

MOST_PIXELS = 20_000_000
"""What the reference may resize to in a test: it makes 256 x 51200 of a ratio of 200."""

EXTREME_MEGABYTES = 64
"""Peak growth allowed for a 1 x 65535 picture; resizing all of it would take 17 GB."""


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def reference(image: Image.Image) -> Pixels:
    preset = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    resized = functional.resize(
        image, preset.resize_size, interpolation=preset.interpolation, antialias=preset.antialias
    )
    return np.asarray(functional.center_crop(resized, preset.crop_size))


def test_the_models_preprocessing_is_that_of_the_weights_preset() -> None:
    preset = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    assert preset.resize_size == [IMAGENET_224.resize_px]
    assert preset.crop_size == [IMAGENET_224.crop_px]
    assert tuple(preset.mean) == IMAGENET_224.mean
    assert tuple(preset.std) == IMAGENET_224.std
    assert preset.interpolation.value == "bilinear"


@settings(max_examples=120, deadline=None)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 9))
@example(1, 1, 0)
@example(2, 1, 0)
@example(1, 64, 0)
@example(64, 1, 0)
@example(224, 224, 0)
@example(255, 257, 0)
@example(256, 256, 0)
@example(256, 341, 0)
@example(500, 375, 0)
@example(375, 500, 0)
@example(220, 353, 0)
@example(1023, 767, 0)
@example(4001, 63, 0)
def test_an_exact_cut_has_torchvisions_pixels_and_a_quick_one_nearly(
    width: int, height: int, seed: int
) -> None:
    if max(width, height) > EXACT_RATIO * min(width, height):
        width = height = min(width, height)
    image = noise(width, height, seed)
    expected = reference(image)
    assert np.array_equal(cut_centre(image, IMAGENET_224, is_exact=True), expected)
    difference = cut_centre(image, IMAGENET_224, is_exact=False).astype(int) - expected
    assert np.abs(difference).max() <= QUICK_LEVELS


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(EXACT_RATIO + 1, 200), st.integers(0, 11), st.booleans())
def test_of_a_very_long_picture_each_value_is_within_one_of_torchvisions(
    short: int, ratio: int, extra: int, is_upright: bool
) -> None:
    sides = (short, short * ratio + min(extra, short - 1))
    image = noise(*(sides if is_upright else sides[::-1]))
    assert max(sides) * 256 / min(sides) * 256 < MOST_PIXELS
    for is_exact in (False, True):
        cut = cut_centre(image, IMAGENET_224, is_exact=is_exact)
        assert np.abs(cut.astype(int) - reference(image)).max() <= QUICK_LEVELS


@pytest.mark.parametrize("size", [(1, 65535), (65535, 1), (3, 65535), (65535, 2)])
def test_an_extreme_picture_keeps_the_middle_of_its_long_side(size: tuple[int, int]) -> None:
    ramp = np.linspace(0, 255, max(size)).astype(np.uint8)
    plane = np.broadcast_to(ramp[:, None] if size[1] > size[0] else ramp, size[::-1])
    image = Image.fromarray(np.repeat(plane[:, :, None], 3, axis=2))
    for is_exact in (False, True):
        pixels = cut_centre(image, IMAGENET_224, is_exact=is_exact)
        assert pixels.shape == (224, 224, 3)
        assert (np.abs(pixels.astype(int) - 127) <= 1).all()


def test_an_extreme_picture_takes_little_memory() -> None:
    program = f"""
import resource, sys
from PIL import Image
from mobisearch.imaging.geometry import cut_centre
from mobisearch.types import Preprocessing
spec = Preprocessing(256, 224, (0, 0, 0), (1, 1, 1))
cut_centre(Image.new("RGB", (300, 200)), spec, is_exact=True)
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
for size in ((1, 65535), (65535, 1), (100, 65535)):
    cut_centre(Image.new("RGB", size), spec, is_exact=True)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
assert grown < {EXTREME_MEGABYTES} << 20, grown
"""
    if sys.platform == "win32":
        pytest.skip("the peak memory of a process is not told by this system")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("is_exact", [False, True])
@pytest.mark.parametrize("size", [(60, 40), (30, 30), (400, 100)])
def test_a_cut_larger_than_the_resized_picture_has_a_black_margin(
    size: tuple[int, int], is_exact: bool
) -> None:
    network = Preprocessing(resize_px=20, crop_px=32, mean=(0, 0, 0), std=(1, 1, 1))
    image = noise(*size)
    resized = functional.resize(image, [20], functional.InterpolationMode.BILINEAR, antialias=True)
    expected = np.asarray(functional.center_crop(resized, [32]))
    assert np.array_equal(cut_centre(image, network, is_exact=is_exact), expected)


@pytest.mark.parametrize("is_exact", [False, True])
def test_the_picture_itself_is_not_changed(is_exact: bool) -> None:
    image = noise(300, 200)
    before = image.tobytes()
    cut_centre(image, IMAGENET_224, is_exact=is_exact)
    assert image.size == (300, 200)
    assert image.tobytes() == before
