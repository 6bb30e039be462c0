"""Bytes to upright RGB pixels, with limits, and with every failure as an :class:`ImageError`.

The one place where Pillow's exceptions become ours.
"""

from __future__ import annotations

import contextlib
import io
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image, UnidentifiedImageError

from mobisearch.errors import (
    CorruptImageError,
    DecodeMemoryError,
    ImageError,
    ImageTooLargeError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from mobisearch.imaging import exif
from mobisearch.imaging.formats import formats_of
from mobisearch.imaging.geometry import cut_centre, scale_down
from mobisearch.imaging.modes import to_rgb
from mobisearch.types import DecodeSettings, Framing, ImageFacts, Pixels, WholePicture

_MAX_PNG_CHUNK_BYTES = 16_000_000
_WHOLE_OVERSAMPLING = 1.5
"""The shorter side of a JPEG decoded at reduced size, over the longer side that is wanted: for
photos of 3 to 2 more than twice as many pixels as are kept, each way."""

_NO_PIXELS = "the picture has no pixels"


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A picture ready for a network, or to be looked at.

    Attributes:
        pixels: uint8, RGB, upright; shape (crop_px, crop_px, 3), or (h, w, 3) of a whole picture.
        facts: what the file said of itself.
        thumbnail: the whole picture as a small JPEG, where that was wanted.
    """

    pixels: Pixels
    facts: ImageFacts
    thumbnail: bytes = b""


def prepare(
    data: bytes, *, name: str, preprocessing: Framing, settings: DecodeSettings
) -> PreparedImage:
    """Decode a picture and cut out what the network looks at, or scale all of it down.

    Args:
        data: the whole file.
        name: what to call the picture in errors, usually its path.

    Raises:
        ImageError: the bytes are not a picture that can be used; see ``decode``.
    """
    if isinstance(preprocessing, WholePicture):
        need_px = None if settings.exact else preprocessing.longer_px * _WHOLE_OVERSAMPLING
        image, facts = decode(data, name=name, settings=settings, need_px=need_px)
        return PreparedImage(scale_down(image, preprocessing.longer_px), facts)
    need_px = None if settings.exact else preprocessing.resize_px * settings.reduced_oversampling
    image, facts = decode(data, name=name, settings=settings, need_px=need_px)
    pixels = cut_centre(image, preprocessing, is_exact=settings.exact)
    return PreparedImage(pixels, facts)


def decode(
    data: bytes, *, name: str, settings: DecodeSettings, need_px: float | None = None
) -> tuple[Image.Image, ImageFacts]:
    """Decode the first frame of a picture into upright RGB.

    Args:
        data: the whole file.
        name: what to call the picture in errors.
        settings: limits; checked against the header before any pixel is decoded.
        need_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 as long as its shorter side stays at least
            this long. None decodes at full size. The facts always give the full size.

    Raises:
        UnsupportedFormatError: not an image, or a format that is not read.
        CorruptImageError: damaged, cut short or empty.
        ImageTooLargeError: over ``settings.max_pixels``.
        DecodeMemoryError: there is not enough memory.
    """
    with open_picture(data, name=name, settings=settings) as image:
        return _decode_opened(image, need_px)


@contextlib.contextmanager
def open_picture(data: bytes, *, name: str, settings: DecodeSettings) -> Iterator[Image.Image]:
    """Open a picture, with no pixel decoded yet; what fails in the block is an ImageError too.

    Raises:
        ImageError: as for ``decode``.
    """
    if not data:
        raise CorruptImageError(name, "the file is empty")
    formats = formats_of(data)
    with (
        _image_errors(name),
        _own_limits,
        Image.open(io.BytesIO(data), formats=formats) as image,
    ):
        limit = settings.max_pixels if kind_of(image) == "JPEG" else settings.max_pixels_other
        n_pixels = image.width * image.height
        if n_pixels > limit:
            raise ImageTooLargeError(name, actual=n_pixels, limit=limit, unit="pixels")
        if n_pixels == 0:
            raise CorruptImageError(name, _NO_PIXELS)
        yield image


def kind_of(image: Image.Image) -> str:
    """Return the format of an opened picture; what holds several JPEGs counts as one."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def make_upright(image: Image.Image, *, name: str) -> Image.Image:
    """Return a Pillow image, opened or made by the caller, as upright RGB.

    Raises:
        CorruptImageError: its file is damaged or cut short, or it has no pixels.
    """
    with _image_errors(name):
        if 0 in image.size:
            raise CorruptImageError(name, _NO_PIXELS)
        image.load()  # before the tags are read: loading turns a TIFF and takes the tag away
        turn = exif.read_turn(exif.read_tags(image))
        return to_rgb(image if turn is None else image.transpose(turn))


@contextlib.contextmanager
def _image_errors(name: str) -> Iterator[None]:
    """Turn everything that Pillow raises into an :class:`ImageError`."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise UnsupportedFormatError(name, "not an image in a format that can be read") from None
    except MemoryError:
        raise DecodeMemoryError(name, "decoding it needs more memory than it may take") from None
    except Exception as error:
        # Decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error, EOFError,
        # KeyError, IndexError, RecursionError and more on damaged input, so everything counts.
        if isinstance(error, EOFError) or "truncated" in str(error).lower():
            raise TruncatedImageError(name, f"cut short: {_first_line(error)}") from error
        raise CorruptImageError(name, f"damaged or cut short: {_first_line(error)}") from error


def _decode_opened(image: Image.Image, need_px: float | None) -> tuple[Image.Image, ImageFacts]:
    stored_size = image.size
    kind = kind_of(image)
    is_reduced = kind == "JPEG" and need_px is not None and _reduce(image, need_px)
    image.load()
    tags = exif.read_tags(image)
    turn = exif.read_turn(tags)
    width, height = stored_size if is_reduced else image.size
    if turn in exif.SWAPPING_TURNS:
        width, height = height, width
    found = exif.read_facts(tags)
    facts = ImageFacts(
        format=kind,
        width=width,
        height=height,
        taken_at=found.taken_at,
        camera=found.camera,
        latitude=found.latitude,
        longitude=found.longitude,
    )
    return to_rgb(image if turn is None else image.transpose(turn)), facts


def _reduce(image: Image.Image, need_px: float) -> bool:
    """Ask the JPEG decoder for the smallest picture whose shorter side is at least ``need_px``."""
    scale = min(min(image.size) // math.ceil(need_px), 8)  # 8 is as far as the decoder goes
    if scale < 2:
        return False
    return image.draft(None, (image.size[0] // scale, image.size[1] // scale)) is not None


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:200]


class _OwnLimits(contextlib.AbstractContextManager[None]):
    """Lifts Pillow's process-wide limits while a decode runs, and puts them back afterwards.

    Pillow refuses at 179 million pixels, less than phones deliver; ours are checked instead, from
    the same header. It also refuses PNGs with a colour profile above a megabyte, which some
    printers have. Counted, because several threads decode at once.
    """

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _depth: ClassVar[int] = 0
    _saved: ClassVar[tuple[int | None, int]] = (None, 0)

    def __enter__(self) -> None:
        from PIL import PngImagePlugin  # here, because importing this module is to stay quick

        cls = type(self)
        with cls._lock:
            if cls._depth == 0:
                cls._saved = (Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK)
                Image.MAX_IMAGE_PIXELS = None
                PngImagePlugin.MAX_TEXT_CHUNK = _MAX_PNG_CHUNK_BYTES
            cls._depth += 1

    def __exit__(self, *_: object) -> None:
        from PIL import PngImagePlugin

        cls = type(self)
        with cls._lock:
            cls._depth -= 1
            if cls._depth == 0:
                Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = cls._saved


_own_limits = _OwnLimits()
