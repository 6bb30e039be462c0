"""Resizing and cutting, pixel for pixel as torchvision's classification preset does it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mobisearch.types import Pixels, Preprocessing

_MAX_RATIO = 64
"""Up to this ratio of the sides the whole picture is resized: 16 MB at 256 pixels. A box passed to
Pillow's resize is held in single precision and changes the order in which the axes are resampled,
so that up to a quarter of the values differ by one from those of a whole resize."""


def cut_centre(image: Image.Image, preprocessing: Preprocessing) -> Pixels:
    """Resize the shorter side and cut the centre square.

    The same pixels as torchvision's, except where one side is more than 64 times the other. There,
    resizing everything would take gigabytes for a 1 x 65535 picture, so only the part that is kept
    gets resampled, which rounds differently: by one level at most.

    Args:
        image: RGB, upright.

    Returns:
        uint8, shape (crop_px, crop_px, 3).

    Source: torchvision ``transforms.functional`` ``resize`` and ``center_crop`` (rounding rules).
    """
    width, height = image.size
    short = min(width, height)
    crop = preprocessing.crop_px
    resized_width = int(preprocessing.resize_px * width / short)
    resized_height = int(preprocessing.resize_px * height / short)
    left = round((resized_width - crop) / 2.0)
    top = round((resized_height - crop) / 2.0)
    if max(width, height) <= _MAX_RATIO * short:
        resized = image.resize((resized_width, resized_height), Image.Resampling.BILINEAR)
        return np.asarray(resized.crop((left, top, left + crop, top + crop)))
    box = (
        left * width / resized_width,
        top * height / resized_height,
        min((left + crop) * width / resized_width, width),
        min((top + crop) * height / resized_height, height),
    )
    return np.asarray(image.resize((crop, crop), Image.Resampling.BILINEAR, box=box))
