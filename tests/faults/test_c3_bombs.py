"""Pictures that are bombs: refused or ended, in little time and memory."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from faultkit.pictures import saved
from faultkit.processes import PEAK_BYTES
from PIL import Image

from mobisearch import Embedder, ImageIndex
from mobisearch.types import DecodeSettings

MOST_BYTES = 1 << 30
"""Peak memory of the process that meets the bombs: torch is not loaded, the largest picture that
is decoded takes some megabytes. The bombs would take up to twelve gigabytes."""


MOST_SECONDS = 120
"""For all bombs; they take two."""


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, *chunks: bytes, colours: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), *chunks, _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _zeros(n: int) -> bytes:
    """Return zlib data of n zeros without taking the memory for them."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(n >> 20)]
    return b"".join(parts) + packer.flush()


# ---------------------------------------------------------------- bombs


def _jpeg_of(width: int, height: int, picture: Image.Image) -> bytes:
    data = saved(picture, format="JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def _gif_frames(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    header = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return header + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\2\2\x4c\1\0;"


def _tiff(*entries: tuple[int, int, int, int], next_directory: int = 0) -> bytes:
    listed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    directory = struct.pack("<H", len(entries)) + listed + struct.pack("<I", next_directory)
    return b"II*\0" + struct.pack("<I", 8) + directory


def _tiff_of(width: int, height: int, *, rows_per_strip: int = 1, n_bytes: int = 100) -> bytes:
    return _tiff(
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)),
        *((262, 3, 1, 1), (273, 4, 1, 200), (278, 4, 1, rows_per_strip), (279, 4, 1, n_bytes)),
    ) + bytes(200)


def _many_frames(kind: str, n: int) -> bytes:
    """Return an animation of n frames, made of one that is repeated."""
    image = Image.new("P", (64, 64))
    if kind == "GIF":
        data = saved(image, format="GIF")
        start = data.index(b",", 13 + 768 if data[10] & 7 == 7 else 13)
        return data[:start] + data[start:-1] * n + b";"
    frames = [Image.new("RGB", (16, 16), (k % 251, k % 241, k % 239)) for k in range(n)]
    return saved(frames[0], format=kind, save_all=True, append_images=frames[1:], quality=1)


def _bombs(picture: Image.Image) -> dict[str, tuple[bytes, set[str]]]:
    """Return bombs by name, each with the ways in which it may end."""
    text = b"k\0\0" + _zeros(64 << 20)
    pixels = _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(24) for _ in range(8))))
    refused = {"too_large"}
    broken = {"too_large", "corrupt", "truncated", "unsupported"}
    fits = b"SIMPLE  =                    T".ljust(2880) + bytes(2880)
    return {
        "50000 x 50000 of zeros.png": (
            _png(50_000, 50_000, _chunk(b"IDAT", _zeros(312 << 20)), colours=0),
            refused,
        ),
        "2^31 x 2^31.png": (_png(2**31 - 1, 2**31 - 1, pixels), broken),
        "65535 x 65535.jpg": (_jpeg_of(65_535, 65_535, picture), refused),
        "65535 x 65535 screen.gif": (_gif_frames((65_535, 65_535), (1, 1)), refused),
        "65535 x 65535 frame.gif": (_gif_frames((1, 1), (65_535, 65_535)), broken),
        "60000 x 60000.tif": (_tiff_of(60_000, 60_000), refused),
        "one huge strip.tif": (
            _tiff_of(8, 8, rows_per_strip=2**32 - 1, n_bytes=2**32 - 1),
            {"ok", *broken},
        ),
        "directory loop.tif": (_tiff((256, 4, 1, 9), (257, 4, 1, 9), next_directory=8), broken),
        "many directories.tif": (_tiff(*[(256, 4, 2**30, 8)] * 4_000), broken),
        "icon.jpg": (b"\0\0\1\0\1\0\0\0\0\0\1\0\x20\0\xff\xff\xff\x7f\x16\0\0\0" * 2, broken),
        "1000 texts.png": (
            _png(8, 8, *[_chunk(b"tEXt", b"k\0" + b"x" * 999)] * 1_000, pixels),
            {"ok"},
        ),
        "compressed text.png": (_png(8, 8, _chunk(b"zTXt", text), pixels), {"ok", *broken}),
        "1000 compressed texts.png": (
            _png(8, 8, *[_chunk(b"zTXt", text[:40_000])] * 1_000, pixels),
            {"ok", *broken},
        ),
        "10000 frames.gif": (_many_frames("GIF", 10_000), {"ok"}),
        "3000 frames.webp": (_many_frames("WEBP", 3_000), {"ok"}),
        "gzip of FITS.jpg": (gzip.compress(fits), {"unsupported"}),
        "20000 x 20000.bmp": (
            b"BM"
            + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 20_000, 20_000, 1, 24, *[0] * 6),
            refused,
        ),
        "30000 x 30000.ppm": (b"P6 30000 30000 255\n" + bytes(99), refused),
    }


MEET_BOMBS = (
    PEAK_BYTES
    + """
import json, sys
from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), isolated=sys.argv[3] == "isolated")
with ImageIndex.create(sys.argv[1], embedder) as index:
    report = index.sync(sys.argv[2])
print(json.dumps([{f.path: f.code for f in report.failures}, max(peak_bytes())]))
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="case 44: this system tells no peak memory")
@pytest.mark.parametrize("decoding", ["in-process", "isolated"])
def test_case_44_bombs_are_refused_in_little_time_and_memory(
    tmp_path: Path, picture: Image.Image, decoding: str
) -> None:
    folder = Path(os.path.realpath(tmp_path)) / "bombs"
    folder.mkdir()
    bombs = _bombs(picture)
    for name, (data, _) in bombs.items():
        (folder / name).write_bytes(data)
    (folder / "whole.png").write_bytes(saved(picture, format="PNG"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEET_BOMBS, tmp_path / "index", folder, decoding],
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    failures, peak = json.loads(done.stdout)
    ended = {name: failures.get(str(folder / name), "ok") for name in (*bombs, "whole.png")}
    wrong = {
        name: ended[name] for name, (_, allowed) in bombs.items() if ended[name] not in allowed
    }
    assert not wrong
    assert ended["whole.png"] == "ok"
    assert peak < MOST_BYTES


@pytest.fixture(scope="module")
def large_png() -> bytes:
    """A picture of 121 megapixels, 363 MB in memory, that is within every limit on pixels."""
    return _png(11_000, 11_000, _chunk(b"IDAT", _zeros((11_000 * 33_001 >> 20) + 1 << 20)))


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (DecodeSettings(deadline_seconds=0.21), "timeout"),
        (DecodeSettings(max_memory_bytes=100 << 20), "memory"),
    ],
    ids=["timeout", "memory"],
)
def test_case_44_what_takes_too_long_or_too_much_memory_is_ended_and_told(
    photos: Path,
    tmp_path: Path,
    large_png: bytes,
    make_embedder: Callable[..., Embedder],
    settings: DecodeSettings,
    code: str,
) -> None:
    (photos / "large.png").write_bytes(large_png)
    with ImageIndex.create(tmp_path / "index", make_embedder(isolated=True)) as index:
        assert index.sync(photos / "deep").added == 1  # workers are warm now, and the limits fair
    embedder = make_embedder(isolated=True, settings=settings)
    with ImageIndex.open(tmp_path / "index", embedder) as index:
        report = index.sync(photos)
        assert {os.path.basename(f.path): f.code for f in report.failures} == {"large.png": code}
        assert report.added == 3
        assert [failure.code for failure in index.errors()] == [code]
