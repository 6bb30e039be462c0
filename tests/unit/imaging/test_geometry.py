"""Resizing and cutting against torchvision, pixel for pixel."""

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
from mobisearch.types import Pixels

EXACT_RATIO = 64
"""Up to this ratio of the sides ``cut_centre`` promises torchvision's very pixels."""

EXTREME_LEVELS = 1
"""Beyond it, the largest difference that the docstring promises."""

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
def test_the_cut_has_torchvisions_pixels(width: int, height: int, seed: int) -> None:
    if max(width, height) > EXACT_RATIO * min(width, height):
        width = height = min(width, height)
    image = noise(width, height, seed)
    assert np.array_equal(cut_centre(image, IMAGENET_224), reference(image))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(EXACT_RATIO + 1, 200), st.integers(0, 11), st.booleans())
def test_of_a_very_long_picture_each_value_is_within_one_of_torchvisions(
    short: int, ratio: int, extra: int, is_upright: bool
) -> None:
    sides = (short, short * ratio + min(extra, short - 1))
    image = noise(*(sides if is_upright else sides[::-1]))
    assert max(sides) * 256 / min(sides) * 256 < MOST_PIXELS
    difference = cut_centre(image, IMAGENET_224).astype(int) - reference(image)
    assert np.abs(difference).max() <= EXTREME_LEVELS


@pytest.mark.parametrize("size", [(1, 65535), (65535, 1), (3, 65535), (65535, 2)])
def test_an_extreme_picture_keeps_the_middle_of_its_long_side(size: tuple[int, int]) -> None:
    ramp = np.linspace(0, 255, max(size)).astype(np.uint8)
    plane = np.broadcast_to(ramp[:, None] if size[1] > size[0] else ramp, size[::-1])
    pixels = cut_centre(Image.fromarray(np.repeat(plane[:, :, None], 3, axis=2)), IMAGENET_224)
    assert pixels.shape == (224, 224, 3)
    assert (np.abs(pixels.astype(int) - 127) <= 1).all()


def test_an_extreme_picture_takes_little_memory() -> None:
    program = f"""
import resource, sys
from PIL import Image
from mobisearch.imaging.geometry import cut_centre
from mobisearch.types import Preprocessing
spec = Preprocessing(256, 224, (0, 0, 0), (1, 1, 1))
cut_centre(Image.new("RGB", (300, 200)), spec)
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
for size in ((1, 65535), (65535, 1), (100, 65535)):
    cut_centre(Image.new("RGB", size), spec)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
assert grown < {EXTREME_MEGABYTES} << 20, grown
"""
    if sys.platform == "win32":
        pytest.skip("the peak memory of a process is not told by this system")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_picture_itself_is_not_changed() -> None:
    image = noise(300, 200)
    before = image.tobytes()
    cut_centre(image, IMAGENET_224)
    assert image.size == (300, 200)
    assert image.tobytes() == before
