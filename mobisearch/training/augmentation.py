"""Whole pictures to what a network learns from: a part of each, chosen by chance."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mobisearch.types import Pixels

_SCALES = (0.4, 1.0)
_RATIOS = (3 / 4, 4 / 3)
_LIGHT = 0.25
"""Up to which share brightness and contrast change."""

_ATTEMPTS = 10


def augment(pixels: Pixels, side_px: int, generator: np.random.Generator) -> Tensor:
    """Return a part of a picture as a square, perhaps mirrored, lighter or darker.

    The part has 0.4 to 1 of the area and a ratio of sides of 3:4 to 4:3.

    Source: the crop is that of torchvision's ``RandomResizedCrop``, from arXiv:1409.4842.

    Args:
        pixels: uint8, shape (h, w, 3).
        generator: the same state gives the same part.

    Returns:
        uint8, shape (3, side_px, side_px).
    """
    top, left, height, width = _choose_part(pixels.shape[0], pixels.shape[1], generator)
    part = pixels[top : top + height, left : left + width]
    values = torch.from_numpy(np.array(part)).permute(2, 0, 1)[None].float()  # (1, 3, h, w)
    size = (side_px, side_px)
    values = functional.interpolate(values, size, mode="bilinear", antialias=True)[0]
    if generator.random() < 0.5:
        values = values.flip(2)
    brightness, contrast = 1 + _LIGHT * (2 * generator.random(2) - 1)
    grey = values.mean()
    values = (values - grey) * float(contrast) + grey * float(brightness)
    return values.round_().clamp_(0, 255).to(torch.uint8)


def _choose_part(h: int, w: int, generator: np.random.Generator) -> tuple[int, int, int, int]:
    """Return top, left, height and width; all of the picture where no part fits."""
    for _ in range(_ATTEMPTS):
        area = h * w * generator.uniform(*_SCALES)
        ratio = math.exp(generator.uniform(math.log(_RATIOS[0]), math.log(_RATIOS[1])))
        height, width = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < height <= h and 0 < width <= w:
            top = int(generator.integers(0, h - height + 1))
            left = int(generator.integers(0, w - width + 1))
            return top, left, height, width
    return 0, 0, h, w
