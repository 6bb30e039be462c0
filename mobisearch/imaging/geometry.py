"""Resizing and cutting, pixel for pixel as torchvision's classification preset does it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mobisearch.types import Pixels, Preprocessing


def cut_centre(image: Image.Image, preprocessing: Preprocessing) -> Pixels:
    """Resize the shorter side and cut the centre square.

    Only the part that is kept gets resampled, which gives the same pixels as resizing everything
    and keeps a 1 x 65535 picture from becoming gigabytes.

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
    box = (
        left * width / resized_width,
        top * height / resized_height,
        min((left + crop) * width / resized_width, width),
        min((top + crop) * height / resized_height, height),
    )
    cut = image.resize((crop, crop), Image.Resampling.BILINEAR, box=box)
    return np.asarray(cut)
