"""Bytes to upright pixels: orientation, reduced decoding, limits, errors."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from mobisearch.errors import (
    CorruptImageError,
    DecodeMemoryError,
    ImageTooLargeError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from mobisearch.imaging import decoding, exif
from mobisearch.imaging.decoding import decode, make_upright, prepare
from mobisearch.types import DecodeSettings, Preprocessing

SETTINGS = DecodeSettings()
SMALL_NETWORK = Preprocessing(resize_px=36, crop_px=32, mean=(0, 0, 0), std=(1, 1, 1))

JPEG_LEVELS = 2.0
"""Mean difference that JPEG at quality 95 without chroma subsampling makes in a photo."""

REDUCED_LEVELS = 10.0
"""Mean difference between a photo decoded at reduced size and one scaled down afterwards: the
decoder averages whole blocks, which shifts a side that is no multiple of 8 by half a pixel. A wrong
turn makes it 40 and more."""

BOMB_MEGABYTES = 200
"""Peak growth allowed while headers that announce gigabytes are refused."""

# Where each orientation stores the upright picture, from the definition of EXIF tag 0x0112 by what
# the first row and the first column of the file show.
STORED = {
    1: lambda a: a,  # top, left
    2: lambda a: a[:, ::-1],  # top, right
    3: lambda a: a[::-1, ::-1],  # bottom, right
    4: lambda a: a[::-1],  # bottom, left
    5: lambda a: a.swapaxes(0, 1),  # left, top
    6: lambda a: a.swapaxes(0, 1)[::-1],  # right, top
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda a: a.swapaxes(0, 1)[:, ::-1],  # left, bottom
}


@pytest.fixture(scope="module")
def photo(shipped_photos: Path) -> NDArray[np.uint8]:
    """A photograph as pixels, (96, 144, 3)."""
    with Image.open(shipped_photos / "astronaut.jpg") as image:
        return np.asarray(image.convert("RGB").resize((144, 96)))


def stored_as(
    pixels: NDArray[np.uint8], orientation: object, kind: str, **options: object
) -> bytes:
    """Return a file of this kind whose EXIF orientation turns it into ``pixels``."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    turn = STORED.get(orientation, STORED[1]) if isinstance(orientation, int) else STORED[1]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turn(pixels))).save(buffer, kind, exif=tags, **options)
    return buffer.getvalue()


def mean_difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b).mean())


# Orientation


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})]
)
def test_every_orientation_is_turned_upright_exactly(
    orientation: int, kind: str, options: dict[str, object], photo: NDArray[np.uint8]
) -> None:
    data = stored_as(photo, orientation, kind, **options)
    image, facts = decode(data, name="test", settings=SETTINGS)
    assert np.array_equal(np.asarray(image), photo)
    assert (facts.width, facts.height) == (144, 96)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_every_orientation_of_a_lossy_file_is_turned_upright(
    orientation: int, kind: str, photo: NDArray[np.uint8]
) -> None:
    data = stored_as(photo, orientation, kind, quality=95, subsampling="4:4:4")
    image, facts = decode(data, name="test", settings=SETTINGS)
    assert mean_difference(np.asarray(image), photo) < JPEG_LEVELS
    assert (facts.width, facts.height) == (144, 96)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("size", [(1440, 960), (960, 960), (963, 961), (961, 963), (960, 967)])
def test_a_reduced_jpeg_is_turned_too_and_its_facts_give_the_full_upright_size(
    orientation: int, size: tuple[int, int], photo: NDArray[np.uint8]
) -> None:
    upright = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC))
    data = stored_as(upright, orientation, "JPEG", quality=95, subsampling=0)
    image, facts = decode(data, name="test", settings=SETTINGS, need_px=100)
    assert image.size == tuple(-(-side // 8) for side in size)
    assert (facts.width, facts.height) == size
    expected = np.asarray(Image.fromarray(upright).resize(image.size, Image.Resampling.BILINEAR))
    assert mean_difference(np.asarray(image), expected) < REDUCED_LEVELS


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_orientation_that_does_not_exist_changes_nothing(
    orientation: int, kind: str, photo: NDArray[np.uint8]
) -> None:
    image, facts = decode(stored_as(photo, orientation, kind), name="test", settings=SETTINGS)
    assert image.size == (facts.width, facts.height) == (144, 96)


@pytest.mark.parametrize(
    ("type_number", "count", "value"),
    [
        (2, 2, b"6\0\0\0"),  # text
        (7, 1, b"\6\0\0\0"),  # undefined bytes
        (8, 1, struct.pack("<hh", -6, 0)),
        (11, 1, struct.pack("<f", 6.5)),
        (3, 0, struct.pack("<HH", 6, 0)),  # no value
        (3, 50_000, struct.pack("<I", 8)),  # more values than there are bytes
        (99, 1, struct.pack("<HH", 6, 0)),  # no such type
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_of_a_wrong_type_changes_nothing(
    type_number: int, count: int, value: bytes, kind: str, photo: NDArray[np.uint8]
) -> None:
    entry = struct.pack("<HHI", ExifTags.Base.Orientation, type_number, count) + value
    tags = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4)
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, kind, exif=tags)
    image, facts = decode(buffer.getvalue(), name="test", settings=SETTINGS)
    assert image.size == (facts.width, facts.height) == (144, 96)


@pytest.mark.parametrize("value", [None, [6], {}, object(), "6", float("nan"), 0, 9])
def test_any_value_in_place_of_an_orientation_means_no_turn(value: object) -> None:
    assert exif.read_turn({ExifTags.Base.Orientation: value}) is None


def test_an_orientation_in_xmp_alone_counts(photo: NDArray[np.uint8]) -> None:
    packet = (
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>'
    )
    buffer = io.BytesIO()
    Image.fromarray(photo[::-1, ::-1].copy()).save(buffer, "WEBP", lossless=True, xmp=packet)
    image, _ = decode(buffer.getvalue(), name="test", settings=SETTINGS)
    assert np.array_equal(np.asarray(image), photo)


# Reduced decoding


@pytest.fixture(scope="module")
def large_jpeg(shipped_photos: Path) -> bytes:
    """A photograph enlarged to 1600 x 1200."""
    with Image.open(shipped_photos / "dogs.jpg") as image:
        enlarged = image.convert("RGB").resize((1600, 1200), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    enlarged.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("need_px", "size"),
    [
        (None, (1600, 1200)),
        (1201, (1600, 1200)),
        (1200, (1600, 1200)),
        (601, (1600, 1200)),
        (600, (800, 600)),
        (599.5, (800, 600)),
        (300, (400, 300)),
        (299.1, (400, 300)),
        (150, (200, 150)),
        (20, (200, 150)),
        (1, (200, 150)),
    ],
)
def test_a_jpeg_is_reduced_as_far_as_the_need_allows(
    need_px: float | None, size: tuple[int, int], large_jpeg: bytes
) -> None:
    image, facts = decode(large_jpeg, name="test", settings=SETTINGS, need_px=need_px)
    assert image.size == size
    assert (facts.width, facts.height) == (1600, 1200)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 20_000), st.integers(0, 20_000), st.floats(1, 3000, allow_nan=False))
@example(2656, 16, 332.8)  # eighths give 332, which is too little
@example(4095, 0, 512.0)
@example(1, 65534, 1.0)
def test_the_shorter_side_never_falls_below_the_need(short: int, more: int, need_px: float) -> None:
    class Header(Image.Image):
        """Stands for a JPEG of any size, without the pixels."""

        def draft(self, mode: str | None, size: tuple[int, int] | None) -> object:
            assert size is not None
            factor = min(self.size[0] // size[0], self.size[1] // size[1])
            by = next(step for step in (8, 4, 2, 1) if factor >= step)
            self._size = tuple(-(-side // by) for side in self.size)
            return "RGB", (0, 0, *self.size)

    image = Header()
    image._size = (short + more, short)
    decoding._reduce(image, need_px)
    assert min(image.size) >= min(short, need_px)
    assert min(image.size) < 2 * need_px + 2 or min(image.size) in (short, -(-short // 8))


def test_exact_settings_decode_at_full_size_and_cut_exactly(
    large_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def noted(
        image: Image.Image, preprocessing: Preprocessing, *, is_exact: bool
    ) -> NDArray[np.uint8]:
        sizes.append((*image.size, is_exact))
        return np.zeros((32, 32, 3), np.uint8)

    monkeypatch.setattr(decoding, "cut_centre", noted)
    for chosen in (
        DecodeSettings(exact=True),
        DecodeSettings(),
        DecodeSettings(reduced_oversampling=8.0),
    ):
        prepare(large_jpeg, name="test", preprocessing=SMALL_NETWORK, settings=chosen)
    assert sizes == [(1600, 1200, True), (200, 150, False), (400, 300, False)]


def test_only_jpegs_are_reduced(photo: NDArray[np.uint8]) -> None:
    for kind in ("PNG", "WEBP", "TIFF", "AVIF", "HEIF", "BMP"):
        buffer = io.BytesIO()
        Image.fromarray(photo).save(buffer, kind)
        image, _ = decode(buffer.getvalue(), name="test", settings=SETTINGS, need_px=4)
        assert image.size == (144, 96), kind


def test_a_multi_picture_file_counts_as_jpeg_and_is_reduced(large_jpeg: bytes) -> None:
    first = Image.open(io.BytesIO(large_jpeg))
    buffer = io.BytesIO()
    first.save(buffer, "MPO", save_all=True, append_images=[first.resize((320, 240))])
    image, facts = decode(buffer.getvalue(), name="test", settings=SETTINGS, need_px=150)
    assert image.size == (200, 150)
    assert (facts.format, facts.width, facts.height) == ("JPEG", 1600, 1200)


# Limits


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that announces its size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    ends = chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + ends


def jpeg_of(width: int, height: int, announced: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    frame = data.index(b"\xff\xc0") + 5
    data[frame : frame + 4] = struct.pack(">HH", *announced[::-1])
    return bytes(data)


def test_a_bomb_is_refused_from_its_header_before_anything_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: loaded.append(self))
    with pytest.raises(ImageTooLargeError) as caught:
        decode(png_header(50_000, 50_000), name="bomb.png", settings=SETTINGS)
    assert caught.value.actual == 2_500_000_000
    assert caught.value.limit == SETTINGS.max_pixels_other
    assert caught.value.unit == "pixels"
    assert not loaded


def test_bombs_of_every_format_are_refused_in_little_memory(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("the peak memory of a process is not told by this system")
    plain = Image.new("RGB", (64, 64))
    made: dict[str, bytes] = {"png": png_header(65_000, 65_000)}
    made["jpeg"] = jpeg_of(64, 64, (65_500, 65_500))
    made["ppm"] = b"P6 60000 60000 255\n" + bytes(100)
    for kind, place, form, options in (
        ("GIF", 6, "<HH", {}),
        ("BMP", 18, "<ii", {}),
        (
            "WEBP",
            24,
            None,
            {"save_all": True, "append_images": [Image.new("RGB", (64, 64), "red")]},
        ),
    ):
        buffer = io.BytesIO()
        plain.save(buffer, kind, **options)
        data = bytearray(buffer.getvalue())
        if form is None:  # the canvas, two times 24 bits, of at most 16384 a side
            data[place : place + 6] = (16_383).to_bytes(3, "little") * 2
        else:
            data[place : place + struct.calcsize(form)] = struct.pack(form, 65_000, 65_000)
        made[kind.lower()] = bytes(data)
    tags = struct.pack("<HHII", 256, 4, 1, 65_000) + struct.pack("<HHII", 257, 4, 1, 65_000)
    tags += b"".join(
        struct.pack("<HHII", tag, 3, 1, value) for tag, value in ((258, 8), (259, 1), (262, 1))
    )
    tags += struct.pack("<HHII", 273, 4, 1, 8) + struct.pack("<HHII", 279, 4, 1, 100)
    made["tiff"] = b"II*\0\x08\0\0\0" + struct.pack("<H", 7) + tags + bytes(4)
    for name, data in made.items():
        (tmp_path / f"bomb.{name}").write_bytes(data)
    program = f"""
import resource, sys
from pathlib import Path
from mobisearch.errors import ImageTooLargeError
from mobisearch.imaging.decoding import decode
from mobisearch.imaging.formats import readable_formats
from mobisearch.types import DecodeSettings
readable_formats()
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        decode(path.read_bytes(), name=path.name, settings=DecodeSettings())
    except ImageTooLargeError:
        print(path.name)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
assert grown < {BOMB_MEGABYTES} << 20, grown
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sorted(f"bomb.{name}" for name in made)


def test_jpegs_have_a_limit_of_their_own() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40)).save(buffer, "JPEG")
    jpeg = buffer.getvalue()
    allowed = DecodeSettings(max_pixels=2000, max_pixels_other=1)
    assert decode(jpeg, name="test", settings=allowed)[0].size == (50, 40)
    with pytest.raises(ImageTooLargeError):
        decode(jpeg, name="test", settings=DecodeSettings(max_pixels=1999))
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40)).save(buffer, "PNG")
    with pytest.raises(ImageTooLargeError):
        decode(buffer.getvalue(), name="test", settings=allowed)


@pytest.fixture
def pillow_limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """A limit of Pillow's own that every picture here is over."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    return 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP"])
def test_a_picture_over_pillows_limit_and_under_ours_is_decoded(
    kind: str, pillow_limit: int
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40)).save(buffer, kind)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(buffer)
    assert decode(buffer.getvalue(), name="test", settings=SETTINGS)[0].size == (50, 40)
    assert pillow_limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    "data", [b"", b"no picture", png_header(50_000, 50_000), png_header(30, 30)[:-20]]
)
def test_pillows_limit_is_put_back_after_an_error(data: bytes, pillow_limit: int) -> None:
    with pytest.raises((CorruptImageError, UnsupportedFormatError, ImageTooLargeError)):
        decode(data, name="test", settings=SETTINGS)
    assert pillow_limit == Image.MAX_IMAGE_PIXELS


def test_pillows_limit_is_put_back_when_the_last_of_several_threads_is_done(
    pillow_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_threads, n_rounds = 4, 5
    everyone_inside = threading.Barrier(n_threads, timeout=60)
    seen_inside: list[object] = []
    results: list[object] = []
    original = exif.read_tags

    def together(image: Image.Image) -> object:
        everyone_inside.wait()
        seen_inside.append(Image.MAX_IMAGE_PIXELS)
        return original(image)

    monkeypatch.setattr(exif, "read_tags", together)
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40)).save(buffer, "PNG")

    def work() -> None:
        for _ in range(n_rounds):
            results.append(decode(buffer.getvalue(), name="test", settings=SETTINGS)[0].size)
            try:
                decode(png_header(30, 30), name="test", settings=SETTINGS)
            except CorruptImageError as error:
                results.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results.count((50, 40)) == results.count("truncated") == n_threads * n_rounds
    assert seen_inside == [None] * n_threads * n_rounds
    assert pillow_limit == Image.MAX_IMAGE_PIXELS


# Errors


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", CorruptImageError, "the file is empty"),
        (b"\0", UnsupportedFormatError, "not an image"),
        (b"hello, this is text\n" * 50, UnsupportedFormatError, "not an image"),
        (b"%PDF-1.7\n" + bytes(100), UnsupportedFormatError, "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", UnsupportedFormatError, "not an"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedFormatError, "not an image"),
        (b"\xff\xd8\xff", UnsupportedFormatError, "not an image"),
        (png_header(30, 30), TruncatedImageError, "cut short"),
        (b"P6 0 0 255\n", UnsupportedFormatError, "not an image"),
    ],
)
def test_what_cannot_be_used_is_an_image_error_with_its_name(
    data: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        decode(data, name="/photos/a.jpg", settings=SETTINGS)
    assert caught.value.path == "/photos/a.jpg"  # type: ignore[attr-defined]
    assert "\n" not in str(caught.value)


def test_a_jpeg_cut_in_half_is_truncated(large_jpeg: bytes) -> None:
    for need_px in (None, 150):
        with pytest.raises(TruncatedImageError, match="cut short"):
            decode(large_jpeg[: len(large_jpeg) // 2], name="a", settings=SETTINGS, need_px=need_px)


@pytest.mark.parametrize(
    "raised",
    [RecursionError("deep"), KeyError("x"), struct.error("short"), EOFError(), MemoryError()],
)
def test_whatever_a_decoder_raises_is_an_image_error(
    raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = DecodeMemoryError if isinstance(raised, MemoryError) else CorruptImageError

    def fail(self: ImageFile.ImageFile) -> None:
        raise raised

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(kind):
        decode(jpeg_of(8, 8, (8, 8)), name="test", settings=SETTINGS)


def test_a_key_that_interrupts_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: ImageFile.ImageFile) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(KeyboardInterrupt):
        decode(jpeg_of(8, 8, (8, 8)), name="test", settings=SETTINGS)


def test_the_content_decides_the_format_not_the_name(photo: NDArray[np.uint8]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG")
    assert decode(buffer.getvalue(), name="a.jpg", settings=SETTINGS)[1].format == "PNG"


# Pictures that the caller opened


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("is_loaded", [False, True])
def test_an_opened_picture_is_turned_once(
    orientation: int, kind: str, is_loaded: bool, photo: NDArray[np.uint8]
) -> None:
    with Image.open(io.BytesIO(stored_as(photo, orientation, kind))) as image:
        if is_loaded:
            image.load()
        assert np.array_equal(np.asarray(make_upright(image, name="test")), photo)


def test_an_opened_picture_that_is_cut_short_is_truncated(large_jpeg: bytes) -> None:
    with (
        Image.open(io.BytesIO(large_jpeg[:5000])) as image,
        pytest.raises(TruncatedImageError, match="cut short"),
    ):
        make_upright(image, name="test")


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_picture_without_pixels_is_corrupt(size: tuple[int, int]) -> None:
    with pytest.raises(CorruptImageError, match="no pixels"):
        make_upright(Image.new("RGB", size), name="test")
