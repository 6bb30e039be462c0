"""How many bits a colour has in a file, and a hash of what pictures of 8 bits do not show of it.

Pillow gives grey of 16 bits as it is, and of each colour of 16 bits one byte. The other byte is had
by telling its decoder that the bytes come in the other order.
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mobisearch.imaging.decoding import open_picture
from mobisearch.types import DecodeSettings

Values: TypeAlias = NDArray[Any]

_DEEP_MODES = ("I", "F")
_BITS_TAG = 258

_BAND_PIXELS = 1 << 18
"""How many pixels are looked at at once."""

_RAW_MODE = re.compile(r"(RGB|RGBA|RGBX|CMYK);16([BLN])")
"""How Pillow calls colours of 16 bits of which it gives one byte each, and the order of bytes."""

_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_HEIF_COLOURS = (("RGBA", 4), ("RGBa", 4), ("RGB", 3), ("LA", 2))
_CODECS = ("zip", "raw", "libtiff")


def is_deep(data: bytes, image: Image.Image) -> bool:
    """Say whether a file has more than 8 bits a colour; Pillow decodes most such to 8.

    Args:
        data: the whole file.
        image: opened from it.
    """
    if image.mode in _DEEP_MODES or image.mode.startswith("I;"):
        return True
    if image.format == "PNG":
        return data[24:25] > b"\x08"  # W3C PNG, 11.2.1
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS_TAG, 1)  # type: ignore[attr-defined]  # of TIFFs alone
        return any(depth > 8 for depth in (bits if isinstance(bits, tuple) else (bits,)))
    if image.format == "PPM":
        # The greatest value is the second; once the pixels are read there is no tile.
        values = next((tile.args for tile in image.tile), ())  # type: ignore[attr-defined]
        return isinstance(values, tuple) and len(values) > 1 and int(values[1]) > 255
    if image.format == "JPEG2000":
        place = data.find(b"\xff\x4f\xff\x51")  # ISO/IEC 15444-1, A.5.1: the first colour's depth
        return place >= 0 and any(byte & 0x7F > 7 for byte in data[place + 42 : place + 43])
    if image.format == "AVIF":
        place = data.find(b"av1C")  # AV1 in ISOBMFF, 2.3.3: high_bitdepth
        return place >= 0 and any(byte & 0x40 for byte in data[place + 6 : place + 7])
    depth = image.info.get("bit_depth", 8)
    return isinstance(depth, int) and depth > 8


def hash_depth(data: bytes, image: Image.Image, *, name: str, settings: DecodeSettings) -> str:
    """Return a hash of all values of a deep picture, or "" if 8 bits would do for each of them.

    Equal for equal values, whatever the format and how it is packed. Where the values cannot be
    had, as in AVIF and colour JPEG 2000, it is a hash of the file. Decodes the picture twice, and
    holds both in memory.

    Args:
        data: the whole file.
        image: opened from it, at its first frame.
        name: what to call the picture in errors.
        settings: limits.

    Raises:
        ImageError: the pixels are damaged.
    """
    if image.format == "HEIF":
        return _hash_values(_iter_heif(data))
    if image.mode in _DEEP_MODES or image.mode.startswith("I;"):
        image.load()
        return _hash_values(_iter_bands(image))
    is_grey = image.format == "PNG" and data[24:26] == b"\x10\x04"  # with alpha; W3C PNG, 11.2.1
    source = _as_four_colours(data) if is_grey else data
    with open_picture(source, name=name, settings=settings) as other:
        if is_grey:
            other.load()
            halves = _iter_bands(other)
            return _hash_values(each[..., ::2] * 256 + each[..., 1::2] for each in halves)
        if not _change_order(other):
            return hashlib.sha256(data).hexdigest()
        image.load()
        other.load()
        pairs = zip(_iter_bands(image), _iter_bands(other), strict=True)
        return _hash_values(high * 256 + low for high, low in pairs)


def _change_order(image: Image.Image) -> bool:
    """Let the decoder give the lesser bytes of an opened picture; False where it cannot."""
    tiles = []
    for tile in image.tile:  # type: ignore[attr-defined]  # of opened pictures
        is_alone = isinstance(tile.args, str)
        mode, *others = (tile.args,) if is_alone else tile.args
        found = _RAW_MODE.fullmatch(mode) if isinstance(mode, str) else None
        if found is None or tile.codec_name not in _CODECS:
            return False
        mode = f"{found[1]};16{_OTHER_ORDER[found[2]]}"
        tiles.append(tile._replace(args=mode if is_alone else (mode, *others)))
    image.tile = tiles  # type: ignore[attr-defined]
    return bool(tiles)


def _as_four_colours(data: bytes) -> bytes:
    """Return a PNG of grey and alpha as one of four colours, which has as many bytes a pixel."""
    header = b"IHDR" + data[16:24] + b"\x08\x06" + data[26:29]
    return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]


def _iter_bands(image: Image.Image) -> Iterator[Values]:
    n_rows = max(_BAND_PIXELS // image.width, 1)
    for top in range(0, image.height, n_rows):
        band = np.asarray(image.crop((0, top, image.width, min(top + n_rows, image.height))))
        values = band.astype("<f4" if image.mode == "F" else "<i4")  # (rows, w) or (rows, w, n)
        yield values.reshape(*values.shape[:2], -1)


def _iter_heif(data: bytes) -> Iterator[Values]:
    import pillow_heif  # as in ``formats``

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    width, height = file.size
    rows = np.frombuffer(file.data, np.uint8).reshape(height, file.stride)
    n_colours = next((n for mode, n in _HEIF_COLOURS if file.mode.startswith(mode)), 1)
    n_rows = max(_BAND_PIXELS // width, 1)
    for top in range(0, height, n_rows):
        band = np.ascontiguousarray(rows[top : top + n_rows, : width * n_colours * 2])
        yield band.view("<u2").astype("<i4").reshape(len(band), width, n_colours)


def _hash_values(bands: Iterable[Values]) -> str:
    """Hash values of shape (rows, w, n), a few rows at a time; "" if all are ones of 8 bits."""
    digest, is_fine = hashlib.sha256(), False
    for band in bands:
        digest.update(repr(band.shape).encode())  # a picture of a width always has the same rows
        digest.update(band.tobytes())
        is_fine = is_fine or _needs_more_bits(band)
    return digest.hexdigest() if is_fine else ""


def _needs_more_bits(values: Values) -> bool:
    """Say whether any value is more than one of 8 bits, put into 16 as its double or with zeros."""
    if values.dtype.kind == "f":
        return True
    high, low = np.divmod(values, 256)
    return bool(((low != 0) & (low != high) | (high < 0) | (high > 255)).any())
