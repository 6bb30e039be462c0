"""EXIF of every kind: turned upright, or left alone, and never the end of a picture."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobisearch import Embedder, ImageIndex

UPRIGHT_COSINE = 0.98
"""Between one scene stored in eight ways: JPEG rounds each differently, and in the public set each
has another digit in its middle. Turned wrongly they are below 0.9."""

SAME_COSINE = 0.999
"""Between a picture and itself with other metadata."""

ORIENTATION, MAKE, X_RESOLUTION, EXIF_DIRECTORY, GPS_DIRECTORY = 274, 271, 282, 34665, 34853

BACK = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What turns an upright picture into the one that is stored with an orientation."""


@pytest.fixture(scope="module")
def picture(shipped_photos: Path) -> Image.Image:
    """A real photo, 300 x 200, whose corners differ."""
    with Image.open(shipped_photos / "boats.jpg") as opened:
        return opened.convert("RGB").resize((300, 200))


def _jpeg(image: Image.Image, exif: bytes = b"") -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=95, exif=exif)
    return stream.getvalue()


def _exif(*entries: bytes, more: bytes = b"", next_directory: int = 0) -> bytes:
    """Return an EXIF block of raw entries of twelve bytes; ``more`` follows the directory."""
    directory = struct.pack(">H", len(entries)) + b"".join(entries)
    return b"Exif\0\0MM\0*\0\0\0\x08" + directory + struct.pack(">I", next_directory) + more


def _entry(tag: int, kind: int, n: int, value: bytes) -> bytes:
    return struct.pack(">HHI", tag, kind, n) + value.ljust(4, b"\0")[:4]


def _short(tag: int, value: int) -> bytes:
    return _entry(tag, 3, 1, struct.pack(">H", value))


def _long(tag: int, value: int) -> bytes:
    return _entry(tag, 4, 1, struct.pack(">I", value))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_case_47_eight_orientations_of_a_picture_give_near_equal_vectors(
    picture: Image.Image, fake_embedder: Embedder, kind: str
) -> None:
    stored = []
    for orientation, turn in BACK.items():
        stream = io.BytesIO()
        image = picture if turn is None else picture.transpose(turn)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        image.save(stream, format=kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
        stored.append(stream.getvalue())
    rows = fake_embedder.embed([_jpeg(picture), *stored])
    assert (rows @ rows[0]).min() > UPRIGHT_COSINE
    turned = fake_embedder.embed([_jpeg(picture.transpose(turn)) for turn in BACK.values() if turn])
    assert (turned @ rows[0]).max() < UPRIGHT_COSINE, "or the test sees no difference"


@pytest.mark.parametrize("scene", ["Landscape", "Portrait"])
def test_case_47_a_public_set_of_orientations_gives_near_equal_vectors(
    bad_images: Path, index: ImageIndex, fake_embedder: Embedder, scene: str
) -> None:
    paths = [bad_images / "exif-orientation" / f"{scene}_{n}.jpg" for n in range(9)]
    assert index.add(paths).added == 9
    rows = fake_embedder.embed(paths)
    assert (rows @ rows.T).min() > UPRIGHT_COSINE
    sizes = {(m.image.width, m.image.height) for m in index.search(paths[0], k=9)}
    assert len(sizes) == 1


LOOP = _exif(_long(EXIF_DIRECTORY, 8), _long(GPS_DIRECTORY, 8), next_directory=8)
GPS_ZERO = _exif(
    _long(GPS_DIRECTORY, 26),
    more=struct.pack(">H", 2)
    + _entry(1, 2, 2, b"N")
    + _entry(2, 5, 3, struct.pack(">I", 60))
    + struct.pack(">I", 0)
    + b"\0\0\0\0"
    + struct.pack(">6I", 1, 0, 2, 0, 3, 0),
)

ODD_EXIF = {
    "orientation 0": _exif(_short(ORIENTATION, 0)),
    "orientation 9": _exif(_short(ORIENTATION, 9)),
    "orientation 65535": _exif(_short(ORIENTATION, 65_535)),
    "orientation as text": _exif(_entry(ORIENTATION, 2, 4, b"six")),
    "orientation as fraction": _exif(_entry(ORIENTATION, 5, 1, struct.pack(">I", 2**31))),
    "orientation of a billion": _exif(_entry(ORIENTATION, 3, 2**30, b"\0\0\0\x08")),
    "orientation of unknown type": _exif(_entry(ORIENTATION, 99, 1, b"\6")),
    "loop": LOOP,
    "loop of GPS": _exif(_long(GPS_DIRECTORY, 8)),
    "64 kB of junk": b"Exif\0\0" + np.random.default_rng(0).bytes(65_000),
    "64 kB of zeros": b"Exif\0\0" + bytes(65_000),
    "65535 entries": _exif(*[_short(MAKE, 1)] * 5_000),
    "invalid resolution": _exif(_entry(X_RESOLUTION, 5, 1, struct.pack(">I", 26)), more=bytes(8)),
    "resolution as text": _exif(_entry(X_RESOLUTION, 2, 4, b"abc")),
    "GPS divided by zero": GPS_ZERO,
    "cut short": b"Exif\0\0MM\0*\0\0",
    "wrong byte order": b"Exif\0\0XX\0*\0\0\0\x08" + bytes(20),
    "far away directory": b"Exif\0\0MM\0*\xff\xff\xff\xff",
}


@pytest.mark.parametrize("kind", ODD_EXIF)
def test_case_47_odd_exif_costs_no_picture_and_turns_nothing(
    picture: Image.Image,
    index: ImageIndex,
    tmp_path: Path,
    fake_embedder: Embedder,
    kind: str,
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "odd.jpg").write_bytes(_jpeg(picture, ODD_EXIF[kind]))
    report = index.sync(tmp_path / "photos")
    assert (report.added, report.failures) == (1, ())
    [match] = index.search(_jpeg(picture), k=1)
    assert match.score > SAME_COSINE
    assert (match.image.width, match.image.height) == picture.size
    assert match.image.latitude is None


def test_case_47_an_orientation_before_a_loop_is_applied(
    picture: Image.Image, fake_embedder: Embedder
) -> None:
    exif = _exif(_short(ORIENTATION, 6), _long(EXIF_DIRECTORY, 8), next_directory=8)
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    rows = fake_embedder.embed([_jpeg(picture), _jpeg(turned, exif), _jpeg(turned)])
    assert rows[0] @ rows[1] > UPRIGHT_COSINE
    assert rows[0] @ rows[2] < UPRIGHT_COSINE


def test_case_47_odd_exif_beside_a_folder_of_pictures_harms_no_other(
    picture: Image.Image,
    index: ImageIndex,
    tmp_path: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., Any],
) -> None:
    (tmp_path / "photos").mkdir()
    for number, exif in enumerate(list(ODD_EXIF.values())[:10]):
        data = _jpeg(picture.rotate(3 * number), exif)
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(data)
    assert index.sync(tmp_path / "photos").added == 10
    check_sound(index, fake_embedder)
