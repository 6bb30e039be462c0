"""Every pixel layout that Pillow knows, to RGB with 8 bits a channel."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_WHITE = (255, 255, 255, 255)


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
    values = np.asarray(image).astype(np.float64)  # (h, w)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and 255 < high <= 65535):
        scaled = values / 257
    elif low >= 0 and high <= 1 and image.mode == "F":
        scaled = values * 255
    elif low >= 0 and high <= 255:
        scaled = values
    else:
        scaled = (values - low) * (255 / (high - low) if high > low else 0)
    clean = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
    return Image.fromarray(np.rint(clean).astype(np.uint8)).convert("RGB")


def _rgb_from_lab(image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, _lab_transform())
    assert converted is not None  # None only for in-place use
    return converted


@functools.cache
def _lab_transform() -> Any:
    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
