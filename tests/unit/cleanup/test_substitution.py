"""Copies whose files hold what the kept one does not: they stay, unless one accepts that."""

from __future__ import annotations

import dataclasses
import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin

from mobisearch.cleanup import Plan, Substitution, apply_plan, draft_plan, plan_text
from mobisearch.cleanup.drafting import DraftSettings
from mobisearch.cleanup.plan_reading import parse_plan
from mobisearch.types import DecodeSettings, DuplicateGroup

Library = Any

FILM = struct.pack(">I4s4sI", 24, b"ftyp", b"isom", 0) + b"isommp42" + b"film" * 500
SMALL = (60, 40)


def picture(size: tuple[int, int]) -> Image.Image:
    """Return a picture at one of several sizes, of which the larger one has more detail."""
    chance = np.random.default_rng(1)
    small = chance.integers(40, 200, (4, 5, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((180, 120), Image.Resampling.BICUBIC))
    detail = chance.integers(0, 16, smooth.shape, dtype=np.uint8)
    return Image.fromarray(smooth + detail).resize(size)


def saved(kind: str, shown: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (shown or picture(SMALL)).save(buffer, kind, **options)
    return buffer.getvalue()


def exif_of(tags: dict[int, Any], details: dict[int, Any]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    exif.get_ifd(ExifTags.IFD.Exif).update(details)
    return exif


def full_exif() -> Image.Exif:
    exif = exif_of(
        {271: "Acme", 272: "One", 270: "Anna at the lake"}, {36867: "2021:02:03 04:05:06"}
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (2.0, 15.0, 36.0)}
    )
    return exif


def several(kind: str) -> bytes:
    others = [picture(SMALL).rotate(90 * number) for number in (1, 2)]
    return saved(kind, save_all=True, append_images=others)


def deep() -> bytes:
    grey = np.asarray(picture(SMALL).convert("L")).astype(np.uint16) * 257
    return saved("PNG", Image.fromarray(grey))


def transparent() -> bytes:
    shown = picture(SMALL).convert("RGBA")
    shown.putpixel((0, 0), (0, 0, 0, 0))
    return saved("PNG", shown)


def xmp_of(inside: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def with_caption() -> bytes:
    block = struct.pack(">BBBH", 0x1C, 2, 120, 4) + b"Anna"
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block
    plain = saved("JPEG")
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + plain[2:]


def wide_profile() -> bytes:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    name = "sRGB built-in".encode("utf-16-be")
    return made.replace(name, "Display P3   ".encode("utf-16-be"))


def with_layers() -> bytes:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory.tagtype[37724] = 7
    directory[37724] = b"Adobe Photoshop Document Data Block\0" + b"layer" * 1000
    return saved("TIFF", tiffinfo=directory)


def with_heat() -> bytes:
    body = b"FLIR\0\1\0\0" + b"heat" * 2000
    plain = saved("JPEG")
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]


HELD: dict[str, tuple[Callable[[], bytes], str]] = {
    "pages.tif": (lambda: several("TIFF"), "3 pages (the one kept has 1)"),
    "moving.gif": (lambda: several("GIF"), "3 frames (the one kept has 1)"),
    "moving.webp": (lambda: several("WEBP"), "3 frames (the one kept has 1)"),
    "stereo.jpg": (lambda: several("MPO"), "3 pictures (the one kept has 1)"),
    "film.jpg": (lambda: saved("JPEG") + FILM, "a film inside"),
    "deep.png": (deep, "more than 8 bits a colour"),
    "logo.png": (transparent, "transparency"),
    "original.jpg": (
        lambda: saved("JPEG", exif=full_exif()),
        "its description, camera, position and date",
    ),
    "described.jpg": (
        lambda: saved("JPEG", xmp=xmp_of("><dc:description>Anna</dc:description>")),
        "its description",
    ),
    "rated.jpg": (lambda: saved("JPEG", xmp=xmp_of(' xmp:Rating="5">')), "its rating"),
    "caption.jpg": (with_caption, "its description"),
    "comment.jpg": (lambda: saved("JPEG", comment=b"Anna"), "its comment"),
    "layers.tif": (with_layers, "layers"),
    "heat.jpg": (with_heat, "more inside it (APP1 FLIR, 8 kB)"),
    "wide.jpg": (lambda: saved("JPEG", icc_profile=wide_profile()), "its colour profile"),
}


def pair(
    library: Library, name: str, data: bytes, *, kept: dict[str, Any] | None = None
) -> DuplicateGroup:
    """Return a group of a large picture that is kept and a small copy of it."""
    shown = picture((180, 120))
    if name == "deep.png":
        shown = shown.convert("L")
    (library.photos / "large.png").write_bytes(
        saved("PNG", shown, compress_level=0, **(kept or {}))
    )
    (library.photos / name).write_bytes(data)
    group: DuplicateGroup = library.group("large.png", name)
    return group


def with_action(plan: Plan, action: str) -> Plan:
    [group] = plan.groups
    files = tuple(dataclasses.replace(file, action=action) for file in group.files)
    return dataclasses.replace(plan, groups=(dataclasses.replace(group, files=files),))


@pytest.mark.parametrize("name", HELD)
def test_a_copy_that_holds_more_stays_and_the_plan_says_what(library: Library, name: str) -> None:
    make, words = HELD[name]
    [file] = draft_plan([pair(library, name, make())]).groups[0].files
    assert file.action == "none"
    assert file.reason == f"it stays: it has what the one kept has not: {words}"


@pytest.mark.parametrize("name", HELD)
def test_a_plan_that_moves_it_all_the_same_is_refused(library: Library, name: str) -> None:
    make, words = HELD[name]
    plan = with_action(draft_plan([pair(library, name, make())]), "trash")
    for is_real in (False, True):
        [outcome] = apply_plan(library.index, plan, is_real=is_real).outcomes
        assert outcome.state == "refused"
        assert outcome.reason.startswith(f"it has what the one kept has not: {words};")
        assert "loss_accepted" in outcome.reason
    assert name in library.contents()


@pytest.mark.parametrize("name", HELD)
def test_it_goes_where_that_is_accepted_and_the_plan_says_what_is_lost(
    library: Library, name: str
) -> None:
    make, words = HELD[name]
    plan = draft_plan([pair(library, name, make())], DraftSettings(moves_versions=True))
    [file] = plan.groups[0].files
    assert (file.action, file.is_loss_accepted) == ("trash", True)
    assert file.reason == f"it goes all the same: it has what the one kept has not: {words}"
    plan = parse_plan(plan_text(plan).encode())
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert outcome.state == "done", outcome.reason
    assert name not in library.contents()


ORDINARY: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "resized without EXIF": (lambda: saved("JPEG"), {"exif": full_exif()}),
    "the same EXIF": (lambda: saved("JPEG", exif=full_exif()), {"exif": full_exif()}),
    "poor, the same EXIF": (
        lambda: saved("JPEG", quality=50, exif=full_exif()),
        {"exif": full_exif()},
    ),
    "nothing in either": (lambda: saved("JPEG"), {}),
    "another format": (lambda: saved("WEBP"), {}),
    "alpha of one value": (lambda: saved("PNG", picture(SMALL).convert("RGBA")), {}),
    "an sRGB profile": (
        lambda: saved(
            "JPEG",
            icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        ),
        {},
    ),
    "what an encoder wrote": (lambda: saved("JPEG", comment=b"Lavc58.54.100"), {}),
    "another camera": (
        lambda: saved("JPEG", exif=exif_of({271: "Scan"}, {})),
        {"exif": full_exif()},
    ),
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_copies_still_go(library: Library, kind: str) -> None:
    make, kept = ORDINARY[kind]
    plan = draft_plan([pair(library, "copy.jpg", make(), kept=kept)])
    [file] = plan.groups[0].files
    assert (file.action, file.is_loss_accepted) == ("trash", False), file.reason
    [outcome] = apply_plan(library.index, plan, is_real=True).outcomes
    assert outcome.state == "done", outcome.reason


def test_acceptance_is_written_only_where_there_is_a_loss(library: Library) -> None:
    plain = pair(library, "copy.jpg", saved("JPEG"))
    [file] = draft_plan([plain], DraftSettings(moves_versions=True)).groups[0].files
    assert (file.action, file.is_loss_accepted) == ("trash", False)


def test_byte_identical_copies_are_not_read_for_a_plan(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Substitution, "find_loss", lambda *_: pytest.fail("it was read"))
    [file] = draft_plan([library.group("a.png", "b.png")]).groups[0].files
    assert file.action == "trash"


def test_a_copy_that_cannot_be_read_stays(library: Library) -> None:
    [file] = draft_plan([pair(library, "broken.jpg", saved("JPEG")[:9])]).groups[0].files
    assert file.action == "none"
    assert "it cannot be compared with the one kept" in file.reason


def test_each_file_is_read_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobisearch.cleanup import substitution

    read: list[str] = []

    def reading(path: str, settings: DecodeSettings) -> Any:
        read.append(os.path.basename(path))
        return held(path, settings)

    held = substitution.read_holdings
    monkeypatch.setattr(substitution, "read_holdings", reading)
    paths = [str(tmp_path / name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    for path in paths:
        Path(path).write_bytes(saved("JPEG"))
    run = Substitution(DecodeSettings())
    assert run.find_loss(paths[1], paths[0]) == run.find_loss(paths[2], paths[0]) == ""
    assert read == ["b.jpg", "a.jpg", "c.jpg"]
    Path(paths[1]).write_bytes(saved("JPEG", comment=b"Anna"))
    assert "its comment" in run.find_loss(paths[1], paths[0])
    assert read == ["b.jpg", "a.jpg", "c.jpg", "b.jpg"]


def test_a_scan_of_sixteen_bits_stays_beside_its_form_of_eight_in_sixteen(tmp_path: Path) -> None:
    grey = np.asarray(picture((180, 120)).convert("L")).astype(np.uint16)
    noise = np.random.default_rng(2).integers(1, 256, grey.shape).astype(np.uint16)
    scan, flat = str(tmp_path / "scan.png"), str(tmp_path / "flat.png")
    Path(scan).write_bytes(saved("PNG", Image.fromarray(grey * 256 + noise)))
    Path(flat).write_bytes(saved("PNG", Image.fromarray(grey * 257)))
    run = Substitution(DecodeSettings())
    assert "more than 8 bits a colour (the one kept has others" in run.find_loss(scan, flat)
    assert run.find_loss(flat, scan) == ""
