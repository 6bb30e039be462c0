"""Copies in whose files something is written: they stay for what only they have, and else go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PIL import ExifTags, Image

from mobisearch.cleanup import apply_plan, draft_plan
from tests.unit.cleanup.test_substitution import exif_of, full_exif, pair, saved, xmp_of

Library = Any


def detailed_exif() -> Image.Exif:
    exif = full_exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {0x829A: 0.008, 0x829D: 2.8, 0x8827: 400, 0xA434: "50mm", 0xA431: "4711"}
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {6: 1234.0, 17: 90.0, 7: (4.0, 5.0, 6.0), 29: "2021:02:03"}
    )
    return exif


HELD: dict[str, tuple[Callable[[], bytes], str]] = {
    "a sphere": (
        lambda: saved(
            "JPEG",
            exif=full_exif(),
            xmp=xmp_of(
                ' xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"'
                ' GPano:ProjectionType="equirectangular">'
            ),
        ),
        "what makes it a panorama",
    ),
    "a note": (
        lambda: saved("JPEG", xmp=xmp_of(' xmlns:iX="http://ns.example.com/" iX:note="Anna">')),
        "XMP iX:note",
    ),
    "more of EXIF": (
        lambda: saved("JPEG", exif=detailed_exif()),
        "its altitude, direction and position's time, how it was taken",
    ),
}


@pytest.mark.parametrize("kind", HELD)
def test_a_copy_in_which_more_is_written_stays(library: Library, kind: str) -> None:
    make, words = HELD[kind]
    plan = draft_plan([pair(library, "copy.jpg", make(), kept={"exif": full_exif()})])
    [file] = plan.groups[0].files
    assert file.action == "none"
    assert file.reason == f"it stays: it has what the one kept has not: {words}"


ORDINARY: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "nothing": (lambda: saved("JPEG"), {"exif": detailed_exif()}),
    "the same EXIF": (
        lambda: saved("JPEG", quality=50, exif=detailed_exif()),
        {"exif": detailed_exif()},
    ),
    "less of EXIF": (lambda: saved("JPEG", exif=full_exif()), {"exif": detailed_exif()}),
    "what a program wrote into XMP": (
        lambda: saved(
            "JPEG",
            xmp=xmp_of(
                ' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmp:CreatorTool="Some 1.2"'
                ' xmp:ModifyDate="2021-02-03" xmpMM:DocumentID="xmp.did:1" dc:format="image/jpeg">'
            ),
        ),
        {},
    ),
    "what a program wrote into EXIF": (
        lambda: saved("JPEG", exif=exif_of({282: 72.0, 305: "Some 1.2"}, {40962: 60, 40963: 40})),
        {},
    ),
    "EXIF, repeated in XMP": (
        lambda: saved(
            "JPEG",
            exif=detailed_exif(),
            xmp=xmp_of(
                ' xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:FNumber="28/10"'
                ' exif:GPSLatitude="48,30.0N" exif:GPSLongitude="2,15.6E"'
                ' exif:GPSAltitude="1234/1" exif:DateTimeOriginal="2021-02-03T04:05:06">'
            ),
        ),
        {"exif": detailed_exif()},
    ),
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_copies_still_go_whatever_is_written_in_them(library: Library, kind: str) -> None:
    make, kept = ORDINARY[kind]
    plan = draft_plan([pair(library, "copy.jpg", make(), kept=kept)])
    [file] = plan.groups[0].files
    assert (file.action, file.is_loss_accepted) == ("trash", False), file.reason
    [outcome] = apply_plan(library.index, plan).outcomes
    assert outcome.state == "would", outcome.reason
