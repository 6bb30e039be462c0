"""The kinds of image that callers may pass: a path, bytes, a Pillow image, an array."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mobisearch.errors import UnsupportedFormatError
from mobisearch.imaging.decoding import PreparedImage, decode, make_upright, prepare
from mobisearch.imaging.geometry import cut_centre
from mobisearch.imaging.reading import read_file
from mobisearch.types import DecodeSettings, ImageFacts, Preprocessing

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, the bytes of a file, a Pillow image, or a uint8 array of shape (h, w, 3) in RGB."""


def as_sources(images: ImageSource | Sequence[ImageSource]) -> list[ImageSource]:
    """Return a list of images; a single image counts as a list of one."""
    if isinstance(images, str | bytes | os.PathLike | Image.Image):
        return [images]
    if isinstance(images, np.ndarray):
        return [images] if images.ndim in (2, 3) else list(images)
    return list(images)


def name_of(source: ImageSource) -> str:
    """Return what to call a source in messages: its path, or the kind of thing it is."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, bytes):
        return "<bytes>"
    return getattr(source, "filename", "") or f"<{type(source).__name__}>"


def prepare_source(
    source: ImageSource, *, preprocessing: Preprocessing, settings: DecodeSettings
) -> PreparedImage:
    """Read, decode and cut an image, whatever it comes as.

    Raises:
        ImageError: it cannot be read or is not an image.
        TypeError: it is none of the kinds of :data:`ImageSource`.
    """
    name = name_of(source)
    if isinstance(source, str | os.PathLike):
        path = os.path.expanduser(os.fspath(source))
        source = read_file(path, max_bytes=settings.max_bytes).data
    if isinstance(source, bytes):
        return prepare(source, name=name, preprocessing=preprocessing, settings=settings)
    image = open_source(source, settings=settings)
    facts = ImageFacts(
        format=getattr(image, "format", None) or "", width=image.width, height=image.height
    )
    pixels = cut_centre(image, preprocessing, is_exact=settings.exact)
    return PreparedImage(pixels, facts)


def open_source(
    source: ImageSource, *, settings: DecodeSettings, need_px: float | None = None
) -> Image.Image:
    """Return any kind of source as an upright RGB Pillow image.

    Args:
        need_px: as in :func:`mobisearch.imaging.decoding.decode`.

    Raises:
        ImageError: it cannot be read or is not an image.
        TypeError: it is none of the kinds of :data:`ImageSource`.
    """
    if isinstance(source, str | os.PathLike):
        path = os.path.expanduser(os.fspath(source))
        data = read_file(path, max_bytes=settings.max_bytes).data
        return decode(data, name=path, settings=settings, need_px=need_px)[0]
    if isinstance(source, bytes):
        return decode(source, name="<bytes>", settings=settings, need_px=need_px)[0]
    if isinstance(source, Image.Image):
        return make_upright(source, name=name_of(source))
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
            raise UnsupportedFormatError(
                "<ndarray>",
                f"expected a uint8 array of shape (h, w, 3), got {source.dtype} {source.shape}",
            )
        return Image.fromarray(np.ascontiguousarray(source))
    raise TypeError(
        "expected a path, bytes, a Pillow image or a uint8 array of shape (h, w, 3), "
        f"got {type(source).__name__}"
    )
