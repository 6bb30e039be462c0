"""Scaling down, and resizing and cutting as torchvision's preset does it, and a quicker way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from mobisearch.types import Pixels, Preprocessing

_KERNELS = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BICUBIC,
    Image.Resampling.BILINEAR,
    Image.Resampling.BOX,
)
_MAX_RATIO = 64
"""Up to this ratio of the sides the whole picture can be resized: 16 MB at 256 pixels."""


def scale_down(image: Image.Image, longer_px: int) -> Pixels:
    """Return all of an RGB picture, its longer side at most ``longer_px``: uint8, (h, w, 3)."""
    scale = longer_px / max(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)


def cut_centre(image: Image.Image, preprocessing: Preprocessing, *, is_exact: bool) -> Pixels:
    """Resize the shorter side and cut the centre square.

    Args:
        image: RGB, upright.
        is_exact: resize everything, then cut. These are torchvision's very pixels, except where one
            side is more than 64 times the other: resizing everything would take gigabytes for a
            1 x 65535 picture. Otherwise only what is kept gets resampled, which is
            quicker. Pillow holds the edges of that part in single precision and may
            resample the axes in the other order, so that values differ by one level at most.

    Returns:
        uint8, shape (crop_px, crop_px, 3).

    Source: torchvision ``transforms.functional`` ``resize`` and ``center_crop`` (rounding rules).
    """
    # Pillow's reducing_gap, which shrinks by whole blocks first, helps only large pictures that
    # are no JPEGs, little beside the time of decoding them, and moves embeddings much further.
    width, height = image.size
    short = min(width, height)
    crop = preprocessing.crop_px
    resized_width = int(preprocessing.resize_px * width / short)
    resized_height = int(preprocessing.resize_px * height / short)
    left = round((resized_width - crop) / 2.0)
    top = round((resized_height - crop) / 2.0)
    is_margin_needed = preprocessing.resize_px < crop  # black, as torchvision's
    if is_margin_needed or (is_exact and max(width, height) <= _MAX_RATIO * short):
        resized = image.resize((resized_width, resized_height), Image.Resampling.BILINEAR)
        return np.asarray(resized.crop((left, top, left + crop, top + crop)))
    box = (
        left * width / resized_width,
        top * height / resized_height,
        min((left + crop) * width / resized_width, width),
        min((top + crop) * height / resized_height, height),
    )
    return np.asarray(image.resize((crop, crop), Image.Resampling.BILINEAR, box=box))


def iter_resized(pixels: Pixels, width: int, height: int) -> Iterator[Pixels]:
    """Give uint8 RGB pixels, shape (h, w, 3), resized in each way in which programs do it."""
    image = Image.fromarray(pixels)
    for kernel in _KERNELS:
        yield np.asarray(image.resize((width, height), kernel))
