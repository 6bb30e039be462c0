"""Which files are taken for pictures, and which formats are read."""

from __future__ import annotations

import functools
import os

from PIL import Image

PILLOW_FORMATS = (
    "JPEG",  # and MPO, which the same decoder opens
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "DIB",
    "TIFF",
    "PPM",
    "JPEG2000",
    "AVIF",
    "HEIF",
)
"""The decoders that are allowed to run. Formats that can run programs or load other files (EPS,
PDF, WMF) are never among them."""

_EVERYDAY_FORMATS = ("JPEG", "PNG", "GIF")
"""Those that Pillow loads by itself, before it opens anything."""

_EVERYDAY_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
"""Source: ITU-T T.81 B.1.1; W3C PNG 5.2; GIF89a 17."""

_ISO_MEDIA = b"ftyp"
"""What HEIC and AVIF have from their fifth byte on. Source: ISO/IEC 14496-12, 4.3."""

READ_EXTENSIONS = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif"),
        *(".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
        *(".jp2", ".j2k", ".jpf", ".jpx", ".avif", ".avifs", ".heic", ".heif", ".hif"),
    )
)
"""File name endings that are indexed, compared in lower case. The content decides the format."""

RAW_EXTENSIONS = frozenset(
    (
        *(".3fr", ".ari", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dcs", ".dng"),
        *(".drf", ".eip", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kdc", ".mdc", ".mef", ".mos"),
        *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".ptx", ".pxn", ".r3d", ".raf", ".raw", ".rw2"),
        *(".rwl", ".rwz", ".sr2", ".srf", ".srw", ".x3f"),
    )
)
"""Endings of camera raw files, in lower case. Source: what exiftool, LibRaw and darktable read."""

UNSUPPORTED_EXTENSIONS = frozenset(
    (
        *RAW_EXTENSIONS,
        # editors, graphics, others
        *(".dds", ".eps", ".exr", ".fits", ".hdr", ".ico", ".icns", ".jxl", ".pcx", ".psb", ".psd"),
        *(".qoi", ".sgi", ".svg", ".tga", ".xcf"),
    )
)
"""Endings of pictures that are not read. They are recorded, so that nobody believes that they are
in the index."""


def extension_of(path: str) -> str:
    """Return the ending of a path in lower case, with its dot, or an empty string."""
    return os.path.splitext(path)[1].lower()


def is_read(path: str) -> bool:
    """Say whether a file is not known to be of a format that is not read, by its name."""
    return extension_of(path) not in UNSUPPORTED_EXTENSIONS


def unread_reason(path: str) -> str:
    """Say of a file whose name is of a format that is not read that it is not, and what helps."""
    return f"{extension_of(path)} files are not read; export the picture as JPEG, PNG or TIFF"


@functools.cache
def readable_formats() -> tuple[str, ...]:
    """Return the formats of :data:`PILLOW_FORMATS` that this Pillow can read, HEIC included.

    The first call in a process loads all decoders, which takes longer than decoding a photo.
    """
    import pillow_heif  # a large library, and most processes see no HEIC

    pillow_heif.register_heif_opener(thumbnails=False)
    Image.init()
    return tuple(name for name in PILLOW_FORMATS if name in Image.OPEN)


def formats_of(data: bytes) -> tuple[str, ...]:
    """Return the formats to try for a file, by its first bytes, and load no more than these need.

    Decoders look at the first bytes too, and no two of the everyday ones take the same: leaving the
    others out changes no answer, only how long the first picture of a process takes.
    """
    if data.startswith(_EVERYDAY_SIGNATURES):
        return _EVERYDAY_FORMATS
    if data[4:8] == _ISO_MEDIA:
        return readable_formats()
    Image.init()
    return tuple(name for name in PILLOW_FORMATS if name in Image.OPEN)
