"""Which endings are taken, and which decoders may run."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mobisearch.imaging.formats import (
    PILLOW_FORMATS,
    READ_EXTENSIONS,
    UNSUPPORTED_EXTENSIONS,
    extension_of,
    formats_of,
    readable_formats,
)


def test_every_listed_decoder_is_available_here() -> None:
    assert readable_formats() == PILLOW_FORMATS


@pytest.mark.parametrize("name", ["EPS", "PDF", "WMF", "PSD", "ICO", "FITS", "GBR", "HDF5"])
def test_a_decoder_that_is_not_listed_never_runs(name: str) -> None:
    assert name not in readable_formats()


def test_an_ending_is_either_read_or_known_and_not_read() -> None:
    assert not READ_EXTENSIONS & UNSUPPORTED_EXTENSIONS


@pytest.mark.parametrize("extension", sorted(READ_EXTENSIONS | UNSUPPORTED_EXTENSIONS))
def test_every_listed_ending_is_lower_case_with_its_dot(extension: str) -> None:
    assert extension == extension.lower()
    assert extension.startswith(".")
    assert extension_of(f"/photos/IMG{extension.upper()}") == extension


def test_every_ending_that_a_listed_decoder_claims_is_taken() -> None:
    formats = readable_formats()
    claimed = {ending for ending, name in Image.registered_extensions().items() if name in formats}
    # bare code streams, float maps and image sequences, which hold no photos of their own
    rare = {".jpc", ".j2c", ".pfm", ".heics", ".heifs"}
    assert claimed - rare <= READ_EXTENSIONS


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        ("a.JPG", ".jpg"),
        ("archive.tar.png", ".png"),
        ("/dot.folder/name", ""),
        (".jpg", ""),
        ("", ""),
        ("strange\udcff.JpEg", ".jpeg"),
    ],
)
def test_the_ending_is_what_follows_the_last_dot_of_the_name(path: str, extension: str) -> None:
    assert extension_of(path) == extension


EVERYDAY = ("JPEG", "PNG", "GIF")


def takes(name: str, data: bytes) -> bool:
    """Say whether Pillow would let this decoder try this file."""
    accept = Image.OPEN[name][1]
    start = io.BytesIO(data) if name == "HEIF" else data[:16]
    return accept is None or accept(start) is True  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [*PILLOW_FORMATS, "MPO"])
def test_the_formats_to_try_by_the_first_bytes_hold_the_one_that_takes_the_file(kind: str) -> None:
    readable_formats()  # lets Pillow write HEIC
    if kind == "DIB":
        data = struct.pack("<I", 40) + bytes(36)
    else:
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16)).save(buffer, kind)
        data = buffer.getvalue()
    chosen = formats_of(data)
    takers = [name for name in PILLOW_FORMATS if takes(name, data)]
    assert takers == ["JPEG" if kind == "MPO" else kind]
    assert set(takers) <= set(chosen) <= set(PILLOW_FORMATS)
    assert (chosen == EVERYDAY) == (kind in (*EVERYDAY, "MPO"))


@pytest.mark.parametrize(
    ("kind", "loaded", "not_loaded"),
    [
        ("JPEG", "PIL.JpegImagePlugin", ("pillow_heif", "PIL.WebPImagePlugin", "PIL.ImageCms")),
        ("WEBP", "PIL.WebPImagePlugin", ("pillow_heif",)),
        ("HEIF", "pillow_heif", ()),
    ],
)
def test_a_process_loads_only_the_decoders_that_its_pictures_need(
    kind: str, loaded: str, not_loaded: tuple[str, ...], tmp_path: Path
) -> None:
    readable_formats()
    Image.new("RGB", (16, 16)).save(tmp_path / "a", kind)
    program = (
        "import sys\n"
        "from mobisearch.imaging import decode\n"
        "assert not {'pillow_heif', 'PIL.ImageFile', 'PIL.ImageCms'} & set(sys.modules)\n"
        "from mobisearch.types import DecodeSettings\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "decode(data, name='a', settings=DecodeSettings())\n"
        f"assert {loaded!r} in sys.modules\n"
        f"assert not set({not_loaded!r}) & set(sys.modules)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "a")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
