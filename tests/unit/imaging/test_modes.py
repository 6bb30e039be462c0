"""Expected RGB values for every pixel layout."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from mobisearch.imaging import modes
from mobisearch.imaging.decoding import decode
from mobisearch.imaging.formats import readable_formats
from mobisearch.imaging.modes import to_rgb
from mobisearch.types import DecodeSettings

BLEND_LEVELS = 1
"""Alpha blending in integers may round either way."""

LAB_LEVELS = 12
"""One step of eight-bit LAB moves the darkest channel of a saturated colour by up to this much."""

YCC_LEVELS = 3
"""Conversion to another eight-bit colour space and back, rounded twice."""

LOSSY_LEVELS = 6
"""Flat colours through JPEG, HEIC or AVIF at high quality, with their colour transforms."""

WIDE_BYTES = 8
"""Growth allowed for each pixel of a 16-bit picture: one for grey, four for RGB in Pillow, and the
bands. Converted all at once it was 38."""

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    readable_formats()  # lets Pillow write HEIC
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> NDArray[np.uint8]:
    image, _ = decode(data, name="test", settings=DecodeSettings())
    assert image.mode == "RGB"
    return np.asarray(image)


def is_colour(pixels: NDArray[np.uint8], colour: tuple[int, ...], levels: int = 0) -> bool:
    return bool((np.abs(pixels.astype(int) - np.array(colour)) <= levels).all())


def test_plain_rgb_is_returned_as_it_is() -> None:
    image = Image.new("RGB", (2, 2), RED)
    assert to_rgb(image) is image


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_half_transparent_red_is_pink_on_white(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    if kind in ("AVIF", "HEIF"):
        options = {"quality": 100}
    pixels = decoded(saved(Image.new("RGBA", (16, 16), (255, 0, 0, 128)), kind, **options))
    lossy = LOSSY_LEVELS if kind in ("AVIF", "HEIF") else BLEND_LEVELS
    assert is_colour(pixels, (255, 127, 127), lossy)


def test_wholly_transparent_pixels_are_white_whatever_colour_they_hide() -> None:
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    pixels = decoded(saved(image, "PNG"))
    assert pixels.tolist() == [[list(WHITE), [10, 20, 30]]]


def test_grey_with_alpha_is_blended_on_white() -> None:
    image = Image.new("LA", (3, 1))
    for x, value in enumerate([(0, 0), (0, 255), (100, 128)]):
        image.putpixel((x, 0), value)
    pixels = decoded(saved(image, "PNG"))
    assert is_colour(pixels[:, 0], WHITE)
    assert is_colour(pixels[:, 1], (0, 0, 0))
    assert is_colour(pixels[:, 2], (177, 177, 177), BLEND_LEVELS)  # 100 * 128/255 + 255 * 127/255


@pytest.mark.parametrize(("mode", "straight"), [("RGBa", "RGBA"), ("La", "LA")])
def test_premultiplied_alpha_is_blended_like_straight_alpha(mode: str, straight: str) -> None:
    colour = (200, 100, 50, 128) if straight == "RGBA" else (200, 128)
    image = Image.new(straight, (2, 2), colour)
    expected = np.asarray(to_rgb(image)).astype(int)
    assert is_colour(np.asarray(to_rgb(image.convert(mode))), tuple(expected[0, 0]), 2)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_is_white(kind: str) -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    pixels = decoded(saved(image, kind, transparency=0))
    assert pixels.tolist() == [[list(WHITE), list(BLUE)]]


def test_a_palette_with_levels_of_transparency_is_blended() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    pixels = decoded(saved(image, "PNG", transparency=bytes([128, 255])))
    assert is_colour(pixels[:, 0], (255, 127, 127), BLEND_LEVELS)
    assert is_colour(pixels[:, 1], BLUE)


def test_the_transparent_colour_of_an_rgb_png_is_white() -> None:
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), BLUE)
    pixels = decoded(saved(image, "PNG", transparency=RED))
    assert pixels.tolist() == [[list(WHITE), list(BLUE)]]


def test_the_transparent_level_of_a_grey_png_is_white() -> None:
    image = Image.new("L", (2, 1), 7)
    image.putpixel((1, 0), 80)
    pixels = decoded(saved(image, "PNG", transparency=7))
    assert pixels.tolist() == [[list(WHITE), [80, 80, 80]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "GIF"])
def test_grey_has_three_equal_channels(kind: str) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels = decoded(saved(Image.fromarray(ramp), kind))
    assert np.array_equal(pixels, np.repeat(ramp[:, :, None], 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_a_palette_gives_its_colours(kind: str) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (64, 3), dtype=np.uint8)
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8), "L")
    image.putpalette(colours.tobytes())
    assert np.array_equal(decoded(saved(image, kind)), colours.reshape(8, 8, 3))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_one_bit_is_black_and_white(kind: str) -> None:
    image = Image.new("1", (2, 1), 0)
    image.putpixel((1, 0), 1)
    assert decoded(saved(image, kind)).tolist() == [[[0, 0, 0], list(WHITE)]]


@pytest.mark.parametrize(
    ("inks", "colour"),
    [
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 255, 0), RED),
        ((0, 0, 0, 0), WHITE),
        ((0, 0, 0, 255), (0, 0, 0)),
    ],
)
def test_cmyk_inks_become_their_colours(
    inks: tuple[int, ...], colour: tuple[int, int, int]
) -> None:
    image = Image.new("CMYK", (16, 16), inks)
    assert is_colour(decoded(saved(image, "TIFF")), colour)
    adobe = saved(image, "JPEG", quality=95)  # inverted, as Adobe programs write it
    assert b"Adobe" in adobe
    assert is_colour(decoded(adobe), colour, LOSSY_LEVELS)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
def test_16_bit_grey_is_divided_by_257(kind: str) -> None:
    ramp = (np.arange(256) * 257).astype(np.uint16).reshape(16, 16)
    options = {"irreversible": False} if kind == "JPEG2000" else {}
    pixels = decoded(saved(Image.fromarray(ramp), kind, **options))
    assert np.array_equal(pixels[:, :, 0].ravel(), np.arange(256))
    assert np.array_equal(pixels[:, :, 0], pixels[:, :, 2])


def test_16_bit_grey_is_rounded_to_the_nearest_level() -> None:
    values = np.arange(65536).astype(np.uint16).reshape(256, 256)
    pixels = decoded(saved(Image.fromarray(values), "PNG"))
    assert np.array_equal(pixels[:, :, 0], np.rint(values / 257))


def test_dark_16_bit_grey_stays_dark() -> None:
    values = np.full((4, 4), 257 * 3, np.uint16)
    assert is_colour(decoded(saved(Image.fromarray(values), "TIFF")), (3, 3, 3))


def test_big_endian_16_bit_grey_has_the_same_values() -> None:
    ramp = (np.arange(256) * 257).astype(">u2").reshape(16, 16)
    image = Image.frombytes("I;16B", (16, 16), ramp.tobytes())
    assert np.array_equal(np.asarray(to_rgb(image))[:, :, 1].ravel(), np.arange(256))
    assert np.array_equal(decoded(saved(image, "TIFF"))[:, :, 1].ravel(), np.arange(256))


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([0, 100, 255], [0, 100, 255]),  # what fits 8 bits is taken as 8 bits
        ([0, 257 * 100, 65535], [0, 100, 255]),  # what fits 16 bits as 16 bits
        ([-1000, -200, 1000], [0, 102, 255]),  # anything else is stretched
        ([0, 65536 * 40, 65536 * 100], [0, 102, 255]),
        ([0, 0, 0], [0, 0, 0]),
        ([70000, 70000, 70000], [0, 0, 0]),
    ],
)
def test_wide_integers_keep_a_known_range_and_are_stretched_otherwise(
    values: list[int], levels: list[int]
) -> None:
    image = Image.fromarray(np.array([values], np.int32))
    assert image.mode == "I"
    assert decoded(saved(image, "TIFF"))[0, :, 0].tolist() == levels


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([0.0, 0.4, 1.0], [0, 102, 255]),
        ([0.0, 100.4, 255.0], [0, 100, 255]),
        ([-1.0, -0.2, 1.0], [0, 102, 255]),
        ([0.0, 0.8e30, 2e30], [0, 102, 255]),
        ([np.nan, 0.4, 1.0], [0, 102, 255]),
        ([-np.inf, 0.4, np.inf], [0, 102, 255]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
        ([1000.0, 1000.0, 1000.0], [0, 0, 0]),
        ([1000.0, np.inf, -np.inf], [0, 0, 0]),  # no range to stretch
    ],
)
def test_floats_keep_a_known_range_and_are_stretched_otherwise(
    values: list[float], levels: list[int]
) -> None:
    image = Image.fromarray(np.array([values], np.float32))
    assert image.mode == "F"
    assert decoded(saved(image, "TIFF"))[0, :, 0].tolist() == levels


def test_pictures_of_many_bands_are_scaled_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.linspace(-7, 9, 30 * 11).astype(np.float32).reshape(30, 11)
    whole = np.asarray(to_rgb(Image.fromarray(values)))
    monkeypatch.setattr(modes, "_BAND_PIXELS", 40)  # three rows and a bit
    assert np.array_equal(np.asarray(to_rgb(Image.fromarray(values))), whole)
    assert whole.min() == 0
    assert whole.max() == 255
    monkeypatch.setattr(modes, "_BAND_PIXELS", 1)
    assert np.array_equal(np.asarray(to_rgb(Image.fromarray(values))), whole)


def test_a_small_file_of_many_16_bit_pixels_takes_little_memory() -> None:
    if sys.platform == "win32":
        pytest.skip("the peak memory of a process is not told by this system")
    program = f"""
import resource, sys
from PIL import Image
from mobisearch.imaging.modes import to_rgb
unit = 1 if sys.platform == "darwin" else 1024
image = Image.new("I;16", (5000, 4000), 9)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
to_rgb(image)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
assert grown < 5000 * 4000 * {WIDE_BYTES}, grown
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("colour", [WHITE, (0, 0, 0), RED, (30, 120, 60), (200, 180, 90)])
def test_lab_becomes_the_colour_that_it_was_made_from(colour: tuple[int, int, int]) -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    image = ImageCms.applyTransform(Image.new("RGB", (8, 8), colour), to_lab)
    assert image is not None
    assert image.mode == "LAB"
    assert is_colour(decoded(saved(image, "TIFF")), colour, LAB_LEVELS)


@pytest.mark.parametrize("mode", ["YCbCr", "HSV"])
def test_other_colour_spaces_are_converted(mode: str) -> None:
    image = Image.new("RGB", (4, 4), (30, 120, 60)).convert(mode)
    assert is_colour(np.asarray(to_rgb(image)), (30, 120, 60), YCC_LEVELS)


@pytest.mark.parametrize("colour", [RED, (30, 120, 60), (250, 250, 250)])
def test_heic_gives_its_colours(colour: tuple[int, int, int]) -> None:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), colour)).save(buffer, quality=100)
    pixels = decoded(buffer.getvalue())
    assert pixels.shape == (48, 64, 3)
    assert is_colour(pixels, colour, LOSSY_LEVELS)


@pytest.mark.parametrize("colour", [RED, (30, 120, 60), (250, 250, 250)])
def test_avif_gives_its_colours(colour: tuple[int, int, int]) -> None:
    pixels = decoded(saved(Image.new("RGB", (64, 48), colour), "AVIF", quality=100))
    assert pixels.shape == (48, 64, 3)
    assert is_colour(pixels, colour, LOSSY_LEVELS)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO", "HEIF"])
def test_of_several_frames_or_pages_the_first_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, BLUE, (0, 255, 0))]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as opened:
        assert getattr(opened, "n_frames", 1) == 3
    assert is_colour(decoded(data), RED, LOSSY_LEVELS)


def test_an_animation_with_transparency_shows_its_first_frame_on_white() -> None:
    first = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    first.paste((255, 0, 0, 255), (0, 0, 4, 8))
    second = Image.new("RGBA", (8, 8), (0, 0, 255, 90))
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        pixels = decoded(saved(first, kind, save_all=True, append_images=[second], **options))
        assert is_colour(pixels[:, :4], RED), kind
        assert is_colour(pixels[:, 4:], WHITE), kind
