"""Pictures that are damaged or disguised: a unit vector or a reason, each alone."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faultkit.pictures import CODES, FORMATS, SAME_COSINE, saved, sync_all
from PIL import Image

from mobisearch import Embedder, ImageIndex

N_FLIPS = 200


# ---------------------------------------------------------------- mutations


def _mutations(data: bytes, other: bytes) -> dict[str, bytes]:
    n = len(data)
    found = {f"cut at {part} %": data[: n * part // 100] for part in (0, 1, 10, 50, 99)}
    found["1 byte less"] = data[:-1]
    found["1 byte more"] = data + b"\0"
    found["1 byte less in front"] = data[1:]
    found["zeros from the middle"] = data[: n // 2] + bytes(n - n // 2)
    found["two in one"] = data + other
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_case_42_a_mutated_picture_ends_ok_or_as_a_row_and_harms_no_other(
    index: ImageIndex,
    tmp_path: Path,
    picture: Image.Image,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    kind: str,
) -> None:
    data = saved(picture, **FORMATS[kind])
    other = saved(picture.rotate(90), **FORMATS[kind])
    mutated = {f"{name}.{kind}": bytes_ for name, bytes_ in _mutations(data, other).items()}
    ended = sync_all(index, tmp_path / "photos", {**mutated, f"whole.{kind}": data})
    assert set(ended.values()) <= {"ok", *CODES}
    assert ended[f"whole.{kind}"] == "ok"
    for part in (0, 1, 10):
        assert ended[f"cut at {part} %.{kind}"] != "ok"
    assert ended[f"1 byte more.{kind}"] == "ok"
    check_sound(index, fake_embedder)


@pytest.mark.parametrize("kind", FORMATS)
def test_case_42_a_flipped_bit_ends_ok_or_as_a_row(
    index: ImageIndex,
    tmp_path: Path,
    picture: Image.Image,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    kind: str,
) -> None:
    data = saved(picture, **FORMATS[kind])
    generator = np.random.default_rng(42)
    places = [*range(0, 40, 2), *generator.integers(0, len(data), N_FLIPS - 20)]
    files = {}
    for number, at in enumerate(places):
        flipped = data[:at] + bytes([data[at] ^ (1 << number % 8)]) + data[at + 1 :]
        files[f"{number:03}.{kind}"] = flipped
    ended = sync_all(index, tmp_path / "photos", files)
    assert set(ended.values()) <= {"ok", *CODES}
    report = index.verify()
    assert report.ok, report.damage


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "text" * 100)
    return stream.getvalue()


NO_PICTURES = {
    "HTML": b"<!DOCTYPE html><html><img src=a.jpg></html>",
    "ZIP": _zip(),
    "PDF": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
    "MP4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0" * 200,
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "text": b"no picture at all",
    "ELF": b"\x7fELF\2\1\1" + b"\0" * 100,
    "pickle": b"cos\nsystem\n(S'echo'\ntR.",
}


def test_case_42_what_is_no_picture_is_unsupported_whatever_its_name(
    index: ImageIndex, tmp_path: Path
) -> None:
    files = {f"{kind}.{end}": data for kind, data in NO_PICTURES.items() for end in ("jpg", "png")}
    ended = sync_all(index, tmp_path / "photos", files)
    assert set(ended.values()) == {"unsupported"}


def test_case_42_the_content_decides_not_the_name(
    index: ImageIndex, tmp_path: Path, picture: Image.Image
) -> None:
    files = {}
    for kind, options in FORMATS.items():
        for end in ("jpg", "png", "heic"):
            files[f"{kind} as.{end}"] = saved(picture, **options)
    ended = sync_all(index, tmp_path / "photos", files)
    assert set(ended.values()) == {"ok"}
    assert index.status().contents == len(FORMATS)


def test_case_42_polyglots_are_the_picture_that_they_begin_with(
    fake_embedder: Embedder, picture: Image.Image, index: ImageIndex, tmp_path: Path
) -> None:
    jpeg, gif = saved(picture, format="JPEG", quality=90), saved(picture, format="GIF")
    script = b"=1;alert(1)//"
    files = {
        "jpeg and zip.jpg": (jpeg + _zip(), jpeg),
        "jpeg and html.jpg": (jpeg + b"<script>alert(1)</script>", jpeg),
        "jpeg with html inside.jpg": (
            jpeg[:2]
            + b"\xff\xfe"
            + struct.pack(">H", 29)
            + b"<script>alert(1)</script>\0\0"
            + jpeg[2:],
            jpeg,
        ),
        "gif and script.gif": (gif + script, gif),
        "png and jpeg.png": (saved(picture, format="PNG") + jpeg, saved(picture, format="PNG")),
    }
    mixed = {name: data for name, (data, _) in files.items()}
    assert set(sync_all(index, tmp_path / "photos", mixed).values()) == {"ok"}
    for data, plain in files.values():
        both = fake_embedder.embed([data, plain])
        assert both[0] @ both[1] > SAME_COSINE
