"""What a comparison is given of an image: small pixels of all of it, and what its file says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THUMBNAIL_PX = 192
"""Longer side of the pictures that are compared first: enough to prove most copies."""

THUMBNAIL_QUALITY = 88
"""JPEG quality to keep them with, so that most take less than 10 KB."""

CLOSE_PX = 512
"""Longer side for the few pairs that thumbnails cannot settle."""


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """One image as it is compared.

    Attributes:
        pixels: uint8, shape (h, w, 3), RGB, upright, the whole picture scaled down so that the
            longer side has ``THUMBNAIL_PX``, or ``CLOSE_PX`` for a closer look. Smaller images as
            they are.
        width, height: of the upright picture in its file, in pixels.
        format: such as ``"JPEG"``.
        taken_at: date and time from EXIF, ISO 8601; None if unknown.
        camera: maker and model; None if unknown.
        sha256: of the file's bytes, hexadecimal; "" if unknown.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str = ""
    taken_at: str | None = None
    camera: str | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        shape, kind = self.pixels.shape, self.pixels.dtype
        if len(shape) != 3 or shape[2] != 3 or 0 in shape or kind != np.uint8:
            raise ValueError(f"expected uint8 pixels of shape (h, w, 3), got {kind} {shape}")
        if self.width < 1 or self.height < 1:
            raise ValueError(
                f"expected a size of one pixel or more, got {self.width} x {self.height}"
            )
