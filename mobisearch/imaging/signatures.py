"""What the first bytes of a file say that it is, whatever its name: for files with strange names.

Decoders look at the first bytes by themselves; this is for saying of a file that is not decoded
whether it may be a picture.
"""

from __future__ import annotations

import re

START_BYTES = 256
"""As many of the first bytes of a file as are looked at."""

APPLE_DOUBLE = b"\x00\x05\x16\x07"
"""What macOS keeps beside a file ``x`` as ``._x``, on drives of other systems. Source: RFC 1740,
appendix A."""

CAMERA_RAW = "camera raw"

_BEGINNINGS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51\x00", "JPEG2000"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"FUJIFILMCCD-RAW", CAMERA_RAW),
    (b"IIRO", CAMERA_RAW),
    (b"IIRS", CAMERA_RAW),
    (b"MMOR", CAMERA_RAW),
    (b"IIU\x00", CAMERA_RAW),
    (b"II\x1a\x00\x00\x00HEAPCCDR", CAMERA_RAW),
    (b"\x00MRM", CAMERA_RAW),
    (b"FOVb", CAMERA_RAW),
    (b"8BPS\x00", "Photoshop"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
)
"""Sources: those of ``mobisearch.imaging.formats``; ISO/IEC 15444-1, annexes A and I; TIFF 6.0,
section 2, and BigTIFF; ISO/IEC 18181-2; https://exiftool.org/TagNames for cameras."""

_BRANDS: dict[str, tuple[bytes, ...]] = {
    "AVIF": (b"avif", b"avis"),
    "HEIF": (
        *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"msf1", b"mif2"),
    ),
    CAMERA_RAW: (b"crx ",),
}
"""Of ISO media files, by kind. A film has none of them. Source:
ISO/IEC 23008-12, annex B; the AVIF specification, section 6."""

_PORTABLE = re.compile(rb"P[1-6f]\s(?:\s|#[^\n]*\n)*-?[0-9]+\s")
"""Source: the manual pages of Netpbm."""

_BMP_HEADER_BYTES = (12, 16, 40, 52, 56, 64, 108, 124)
_BMP_BITS = (1, 2, 4, 8, 16, 24, 32)
"""Source: https://learn.microsoft.com/windows/win32/gdi/bitmap-header-types."""


def sniff_format(start: bytes) -> str | None:
    """Return the format of a picture by its first bytes, or None if they are of no picture.

    Args:
        start: the first :data:`START_BYTES` of a file, or all if it has fewer.

    Returns:
        A name of ``PILLOW_FORMATS``, or of one that is not read, such as ``"camera raw"``. Much
        camera raw is TIFF by its first bytes.
    """
    for beginning, name in _BEGINNINGS:
        if start.startswith(beginning):
            return name
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        return _kind_of_media(start)
    if _PORTABLE.match(start):
        return "PPM"
    if start[:2] == b"BM" and _is_bitmap(start[14:]):
        return "BMP"
    return "DIB" if _is_bitmap(start) else None


def _kind_of_media(start: bytes) -> str | None:
    """Return the kind of an ISO media file by its brands: the major one, then compatible ones."""
    end = min(int.from_bytes(start[:4], "big"), len(start))
    brands = [start[8:12], *(start[place : place + 4] for place in range(16, end - 3, 4))]
    for brand in brands:
        for kind, known in _BRANDS.items():
            if brand in known:
                return kind
    return None


def _is_bitmap(header: bytes) -> bool:
    """Say whether a header is one of a bitmap: one plane, of a number of bits that there is."""
    n_bytes = int.from_bytes(header[:4], "little")
    if n_bytes not in _BMP_HEADER_BYTES:
        return False
    place = 8 if n_bytes == _BMP_HEADER_BYTES[0] else 12
    planes, bits = header[place : place + 2], header[place + 2 : place + 4]
    return planes == b"\x01\x00" and int.from_bytes(bits, "little") in _BMP_BITS
