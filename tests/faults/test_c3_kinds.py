"""Pictures of odd kinds, with odd profiles, frames and sizes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faultkit.pictures import CODES, FORMATS, SAME_COSINE, saved, sync_all
from PIL import Image, ImageCms

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import ImageError

UNIT_TOLERANCE = 1e-5
"""Of the length of a float32 row."""


# ---------------------------------------------------------------- odd kinds


def _grey16(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def _float(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.float32) / 255)


def _integer(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.int32) * 1_000)


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "16-bit grey PNG": lambda i: saved(_grey16(i), format="PNG"),
    "I;16 TIFF": lambda i: saved(_grey16(i), format="TIFF"),
    "I TIFF": lambda i: saved(_integer(i), format="TIFF"),
    "F TIFF": lambda i: saved(_float(i), format="TIFF"),
    "CMYK JPEG": lambda i: saved(i.convert("CMYK"), format="JPEG"),
    "CMYK TIFF": lambda i: saved(i.convert("CMYK"), format="TIFF"),
    "YCbCr TIFF": lambda i: saved(i.convert("YCbCr"), format="TIFF"),
    "P PNG with transparency": lambda i: saved(i.convert("P"), format="PNG", transparency=0),
    "P GIF with transparency": lambda i: saved(i.convert("P"), format="GIF", transparency=0),
    "LA PNG": lambda i: saved(i.convert("LA"), format="PNG"),
    "RGBA PNG": lambda i: saved(i.convert("RGBA"), format="PNG"),
    "RGBA WebP": lambda i: saved(i.convert("RGBA"), format="WEBP"),
    "1-bit PNG": lambda i: saved(i.convert("1"), format="PNG"),
    "1-bit TIFF": lambda i: saved(i.convert("1"), format="TIFF", compression="group4"),
    "LAB TIFF": lambda i: saved(Image.new("LAB", i.size, (100, 130, 120)), format="TIFF"),
    "grey JPEG": lambda i: saved(i.convert("L"), format="JPEG"),
    "NaN TIFF": lambda i: saved(
        Image.fromarray(np.full((9, 9), np.nan, np.float32)), format="TIFF"
    ),
    "1 x 1": lambda i: saved(i.resize((1, 1)), format="PNG"),
    "1 x 65535": lambda i: saved(Image.new("RGB", (1, 65_535), (9, 99, 200)), format="PNG"),
    "65535 x 1": lambda i: saved(Image.new("RGB", (65_535, 1), (9, 99, 200)), format="PNG"),
    "65500 x 1 JPEG": lambda i: saved(Image.new("RGB", (65_500, 1), (9, 99, 200)), format="JPEG"),
    "all black": lambda i: saved(Image.new("RGB", (50, 40)), format="PNG"),
    "wholly transparent": lambda i: saved(Image.new("RGBA", (50, 40)), format="PNG"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_case_43_an_odd_kind_of_picture_gives_a_unit_vector(
    picture: Image.Image, fake_embedder: Embedder, kind: str
) -> None:
    [row] = fake_embedder.embed([KINDS[kind](picture)])
    assert np.isfinite(row).all()
    assert abs(float(np.linalg.norm(row.astype(np.float64))) - 1) < UNIT_TOLERANCE


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    found = b"\x89PNG\r\n\x1a\n"
    for name, data in (*chunks, (b"IEND", b"")):
        found += struct.pack(">I", len(data)) + name + data
        found += struct.pack(">I", zlib.crc32(name + data))
    return found


def _header(width: int, height: int, *, depth: int = 8, colours: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)


NOT_USABLE = {
    "zero bytes.jpg": b"",
    "0 wide.png": _png(_header(0, 5), (b"IDAT", zlib.compress(b""))),
    "0 high.png": _png(_header(5, 0), (b"IDAT", zlib.compress(b""))),
    "0 wide.gif": b"GIF89a\0\0\x05\0\0\0\0,\0\0\0\0\0\0\x05\0\0\x02\0;",
    "0 wide.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 0, 5, 1, 24, *[0] * 6),
    "no data.png": _png(_header(5, 5)),
    "depth of 3.png": _png(_header(5, 5, depth=3), (b"IDAT", zlib.compress(bytes(100)))),
    "colours of 5.png": _png(_header(5, 5, colours=5), (b"IDAT", zlib.compress(bytes(100)))),
}


def test_case_43_pictures_without_pixels_or_sense_are_errors(
    index: ImageIndex, tmp_path: Path
) -> None:
    ended = sync_all(index, tmp_path / "photos", NOT_USABLE)
    assert set(ended.values()) <= CODES, ended
    assert ended["zero bytes.jpg"] == "corrupt"


def test_case_43_a_palette_that_is_missing_gives_pixels_or_an_error(
    fake_embedder: Embedder,
) -> None:
    data = _png(_header(5, 5, colours=3), (b"IDAT", zlib.compress(bytes(30))))
    rows, [error] = fake_embedder.embed_each([data])
    assert len(rows) == (error is None)
    assert error is None or isinstance(error, ImageError)
    assert np.isfinite(rows).all()


# ---------------------------------------------------------------- profiles, frames, plugins


@pytest.mark.parametrize(
    "profile",
    [b"", b"no profile", b"\xff" * 200, bytes(128), b"\0" * 4_000_000],
    ids=["empty", "short", "noise", "zeros", "huge"],
)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
def test_case_48_a_broken_or_huge_colour_profile_costs_no_picture(
    picture: Image.Image, fake_embedder: Embedder, kind: str, profile: bytes
) -> None:
    with_profile = saved(picture, **FORMATS[kind], icc_profile=profile)
    both = fake_embedder.embed([saved(picture, **FORMATS[kind]), with_profile])
    assert both[0] @ both[1] > SAME_COSINE


def test_case_48_a_colour_profile_that_is_cut_short_costs_no_picture(
    picture: Image.Image, fake_embedder: Embedder
) -> None:
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (whole, whole[:200], whole[:-1], whole[:40] + b"\xff" * 400):
        both = fake_embedder.embed(
            [saved(picture, format="PNG"), saved(picture, format="PNG", icc_profile=profile)]
        )
        assert both[0] @ both[1] > SAME_COSINE


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_case_48_of_several_frames_or_pages_the_first_is_taken(
    picture: Image.Image, fake_embedder: Embedder, kind: str
) -> None:
    others = [picture.rotate(180), picture.rotate(90, expand=False)]
    exact = {"lossless": True} if kind == "WEBP" else {}
    several = saved(picture, format=kind, save_all=True, append_images=others, **exact)
    with Image.open(io.BytesIO(several)) as opened:
        assert opened.n_frames == 3
    single = saved(picture, format="JPEG" if kind == "MPO" else kind, **exact)
    rows = fake_embedder.embed([single, several, others[0]])
    assert rows[0] @ rows[1] > SAME_COSINE
    assert rows[2] @ rows[1] < SAME_COSINE


def test_case_48_heic_is_read(picture: Image.Image, fake_embedder: Embedder) -> None:
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, quality=95)
    both = fake_embedder.embed([saved(picture, format="PNG"), stream.getvalue()])
    assert both[0] @ both[1] > 0.99


def test_case_48_without_its_decoder_heic_is_unsupported_and_not_lost(
    index: ImageIndex,
    tmp_path: Path,
    picture: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The decoder is a dependency; an installation may lack it all the same."""
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream)
    with monkeypatch.context() as patch:
        from mobisearch.imaging import decoding
        from mobisearch.imaging.formats import readable_formats

        formats = tuple(name for name in readable_formats() if name != "HEIF")
        patch.setattr(decoding, "formats_of", lambda _: formats)
        files = {"a.heic": stream.getvalue(), "b.png": saved(picture, format="PNG")}
        ended = sync_all(index, tmp_path / "photos", files)
    assert ended == {"a.heic": "unsupported", "b.png": "ok"}
    assert index.add([tmp_path / "photos" / "a.heic"]).updated == 1
