"""Images, embeddings, files, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""Upright RGB pixels, uint8, shape (h, w, 3); a batch has shape (n, h, w, 3)."""

Embeddings: TypeAlias = NDArray[np.float32]
"""float32, shape (n, d), rows of unit length; a single one has shape (d,)."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an upright RGB image becomes the network's input.

    Resize so that the shorter side is ``resize_px`` (bilinear with antialiasing), cut the centre
    square of ``crop_px``, scale to 0..1, subtract ``mean`` and divide by ``std`` per channel.

    Source: torchvision ``transforms._presets.ImageClassification``.
    """

    resize_px: int
    crop_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Limits and choices for turning bytes into pixels.

    Attributes:
        max_bytes: larger files are refused unread.
        max_pixels: larger pictures are refused from their header, before any pixel is decoded.
            The default admits a 200-megapixel phone photo.
        max_pixels_other: the limit for every format but JPEG, which alone can be decoded at
            reduced size and so needs far less memory than its pixels suggest.
        exact: decode JPEGs at full size. Otherwise large ones are decoded at 1/2, 1/4 or 1/8, never
            below ``reduced_oversampling`` times what the network looks at.
        reduced_oversampling: how many times larger than ``Preprocessing.resize_px`` the shorter
            side of a reduced JPEG stays at least. The README states the deviation measured at 2.
        deadline_seconds: decoding one picture may take this long. Held where files are decoded in
            worker processes, as indexing does.
        max_memory_bytes: decoding one picture may take this much memory. Held by the system, in
            workers, where it can (Linux). The default admits what ``max_pixels_other`` does.
        tolerant: take the part that is there of a picture that is cut short, and note that.
    """

    max_bytes: int = 500_000_000
    max_pixels: int = 256_000_000
    max_pixels_other: int = 128_000_000
    exact: bool = False
    reduced_oversampling: float = 2.0
    deadline_seconds: float = 60.0
    max_memory_bytes: int = 3 << 30
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the bytes of a picture say about it.

    Attributes:
        format: such as ``"JPEG"``.
        width, height: pixels of the upright picture.
        taken_at: EXIF date and time as written by the camera, ISO 8601 without a zone, or with
            one where EXIF has it.
        camera: maker and model.
        latitude, longitude: degrees, north and east positive.
        is_truncated: the file ends before the picture does, and what there is was taken.
    """

    format: str
    width: int
    height: int
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What the file system says about a file: enough to see, without reading, that it changed."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: str = ""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image in an index.

    Attributes:
        id: stable for the life of the index, kept across moves, never reused.
        path: absolute. Bytes that are not UTF-8 are surrogate-escaped, as ``os.fsdecode`` does, so
            that the path always opens.
        width, height: pixels of the upright picture.
        sha256: of the file's bytes, hexadecimal. Copies share it.
        is_truncated: only a part of the picture was there to be embedded.
    """

    id: int
    path: str
    width: int
    height: int
    size_bytes: int
    mtime_ns: int
    sha256: str
    format: str
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class FileFailure:
    """A file that could not be indexed, and why."""

    path: str
    code: str
    reason: str
