"""Every pixel layout that Pillow knows, to RGB with 8 bits a channel."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WHITE = (255, 255, 255, 255)

_BAND_PIXELS = 1 << 20
"""How many values are converted at once: a 16-bit file of one megabyte can hold 128 million, which
would take 5 GB as float64."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, 8 bits a channel.

    Transparent parts become white. 16-bit grey is divided by 257. Wider integers and floats keep
    their range where it is recognisable (0..1, 0..255, 0..65535) and are stretched from least to
    greatest where it is not. Everything else is Pillow's own conversion, embedded colour profiles
    left aside, as torchvision's transforms do.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _grey_from_wide(image)
    if image.mode == "LAB":
        return _rgb_from_lab(image)
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return _on_white(image)
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in (
        "La",
        "RGBa",
    ):  # premultiplied: Pillow converts these only to their straight form
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    rgba = image.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, _WHITE)
    return Image.alpha_composite(ground, rgba).convert("RGB")


def _grey_from_wide(image: Image.Image) -> Image.Image:
    offset, factor = _offset_and_factor(image)
    grey = Image.new("L", image.size)
    for top, values in _bands(image):
        with np.errstate(invalid="ignore"):  # infinity times a factor of zero
            scaled = (values - offset) * factor
        clean = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
        grey.paste(Image.fromarray(np.rint(clean).astype(np.uint8)), (0, top))
    return grey.convert("RGB")


def _offset_and_factor(image: Image.Image) -> tuple[float, float]:
    """Return what turns the values of a picture into levels: subtract, then multiply."""
    if image.mode.startswith("I;16"):
        return 0, 1 / 257
    ranges = [
        (float(finite.min()), float(finite.max()))
        for _, values in _bands(image)
        if (finite := values[np.isfinite(values)]).size
    ]
    low = min((least for least, _ in ranges), default=0)
    high = max((greatest for _, greatest in ranges), default=0)
    if image.mode == "I" and low >= 0 and 255 < high <= 65535:
        return 0, 1 / 257
    if image.mode == "F" and low >= 0 and high <= 1:
        return 0, 255
    if low >= 0 and high <= 255:
        return 0, 1
    return low, 255 / (high - low) if high > low else 0


def _bands(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the values of a few rows at a time, each with the number of its first row."""
    n_rows = max(_BAND_PIXELS // image.width, 1)
    for top in range(0, image.height, n_rows):
        band = image.crop((0, top, image.width, min(top + n_rows, image.height)))
        yield top, np.asarray(band).astype(np.float64)  # (rows, w)


def _rgb_from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms  # as below: rarely needed

    converted = ImageCms.applyTransform(image, _lab_transform())
    assert converted is not None  # None only for in-place use
    return converted


@functools.cache
def _lab_transform() -> Any:
    from PIL import ImageCms

    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
