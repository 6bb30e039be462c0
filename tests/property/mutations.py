"""Good pictures in every format that is read, and what is done to them before they are decoded."""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from mobisearch.imaging import prepare
from mobisearch.types import DecodeSettings, Preprocessing

NETWORK = Preprocessing(resize_px=36, crop_px=32, mean=(0, 0, 0), std=(1, 1, 1))

SETTINGS = DecodeSettings(max_pixels=4_000_000, max_pixels_other=4_000_000)
"""A changed byte of a header may announce any size; these limits keep the test quick."""

KINDS = {
    "JPEG": {"quality": 85},
    "progressive JPEG": {"quality": 85, "progressive": True},
    "PNG": {},
    "WEBP": {"quality": 80},
    "lossless WEBP": {"lossless": True},
    "GIF": {},
    "TIFF": {},
    "compressed TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
    "AVIF": {},
    "HEIF": {},
    "JPEG2000": {},
}

PHOTO = Path(__file__).resolve().parent.parent / "photos" / "cat.jpg"

# The same examples on every run: a decoder that fails on one must fail for everybody.
quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@functools.cache
def good(kind: str) -> bytes:
    """Return a small photograph with EXIF in this format."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    tags[ExifTags.Base.Make] = "Acme"
    buffer = io.BytesIO()
    with Image.open(PHOTO) as image:
        small = image.convert("RGB").resize((160, 120))
    options = dict(KINDS[kind])
    if kind.split()[-1] in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        options["exif"] = tags.tobytes()
    prepare(b"P6 1 1 255\nabc", name="first", preprocessing=NETWORK, settings=SETTINGS)
    small.save(buffer, kind.split()[-1], **options)
    return buffer.getvalue()


def place(data: bytes, fraction: float) -> int:
    return min(int(fraction * len(data)), len(data) - 1)


fractions = st.floats(0, 1, allow_nan=False)
each_kind = pytest.mark.parametrize("kind", KINDS)


def truncated(data: bytes) -> Iterator[bytes]:
    for share in (0, 0.01, 0.1, 0.5, 0.99):
        cut = int(share * len(data))
        for n_bytes in {max(cut - 1, 0), cut, cut + 1}:
            yield data[:n_bytes]


def flipped(data: bytes) -> Iterator[bytes]:
    """One bit each, at places from the first byte to the last."""
    for number in range(200):
        changed = bytearray(data)
        changed[number * (len(data) - 1) // 199] ^= 1 << number % 8
        yield bytes(changed)


def zero_filled(data: bytes) -> Iterator[bytes]:
    for share in (0.01, 0.1, 0.5, 0.99):
        kept = data[: int(share * len(data))]
        yield kept.ljust(len(data), b"\0")
    yield data + bytes(100_000)


def run_together(data: bytes) -> Iterator[bytes]:
    for other in KINDS:
        yield data + good(other)


def with_guests(data: bytes) -> Iterator[bytes]:
    """Polyglots: a picture before, or behind, what another program would take it for."""
    for guest in NO_PICTURES.values():
        yield data + guest
        yield guest + data


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("picture.jpg"), good("JPEG"))
    return buffer.getvalue()


NO_PICTURES = {
    "HTML": b"<!DOCTYPE html><html><body><img src='cat.jpg'><script>1</script></body></html>\n",
    "ZIP": zipped(),
    "PDF": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n%%EOF\n",
    "MP4": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"
    + b"\0\0\0\x08free\0\0\4\0mdat"
    + bytes(1016),
}
MUTATIONS = (truncated, flipped, zero_filled, run_together, with_guests)
