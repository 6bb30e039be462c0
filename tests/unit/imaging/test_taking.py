"""How and where a picture was taken, by EXIF and by what XMP repeats of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PIL import ExifTags, Image

from mobisearch.imaging.facts import position_of
from mobisearch.imaging.formats import readable_formats
from mobisearch.imaging.holdings import Holdings, find_missing
from tests.unit.imaging.test_properties import saved, with_xmp

Held = Callable[[bytes], Holdings]


def with_exif(
    tags: dict[int, Any] | None = None,
    details: dict[int, Any] | None = None,
    position: dict[int, Any] | None = None,
    **options: Any,
) -> bytes:
    exif = Image.Exif()
    exif.update(tags or {})
    for which, values in ((ExifTags.IFD.Exif, details), (ExifTags.IFD.GPSInfo, position)):
        if values:
            exif.get_ifd(which).update(values)
    return saved(exif=exif.tobytes(), **options)


@pytest.mark.parametrize(
    ("tags", "details", "position", "words"),
    [
        ({269: "Letter from Paul"}, {}, {}, "its document name"),
        ({269: "/home/anna/scan 1.tif"}, {}, {}, ""),
        ({285: "page 3"}, {}, {}, "its page name"),
        ({0xC62F: "4711"}, {}, {}, "how it was taken"),
        ({}, {0xA431: "4711"}, {}, "how it was taken"),
        ({}, {0xA431: "00000"}, {}, ""),
        ({}, {0xFDE8: "Paul"}, {}, "its author"),
        ({}, {0x829A: 0.008, 0x829D: 2.8, 0x8827: 400, 0x920A: 50.0}, {}, "how it was taken"),
        ({}, {0xA434: "EF 50mm"}, {}, "how it was taken"),
        ({}, {0xA434: "----", 0x829A: 0.0, 0x8827: 0}, {}, ""),
        ({}, {0xA004: "DSC00001.WAV"}, {}, "its sound recording's name"),
        ({}, {0xA004: " " * 12}, {}, ""),
        ({}, {}, {5: b"\0", 6: 1234.5}, "its altitude"),
        ({}, {}, {16: "T", 17: 90.0}, "its direction"),
        ({}, {}, {29: "2021:02:03", 7: (4.0, 5.0, 6.0)}, "its position's time"),
        ({}, {}, {29: "2021:02:03"}, "its position's time"),
        ({}, {}, {7: (4.0, 5.0, 6.0)}, "its position's time"),
        ({}, {}, {28: b"ASCII\0\0\0Home"}, "its area's name"),
        ({}, {}, {28: b"ASCII\0\0\0\0\0"}, ""),
        ({305: "Some 1.2", 316: "a machine"}, {0xA420: "a" * 32}, {27: b"ASCII\0\0\0GPS"}, ""),
    ],
)
def test_how_and_where_a_picture_was_taken_is_missed(
    held: Held, tags: dict[int, Any], details: dict[int, Any], position: dict[int, Any], words: str
) -> None:
    made = held(with_exif(tags, details, position))
    assert find_missing(made, held(saved())) == words
    assert find_missing(made, made) == find_missing(held(saved()), made) == ""


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "HEIF"])
def test_how_a_picture_was_taken_is_missed_in_other_formats(held: Held, kind: str) -> None:
    readable_formats()  # lets Pillow write HEIC
    made = held(with_exif({}, {0xA434: "EF 50mm"}, {6: 12.0}, kind=kind))
    assert find_missing(made, held(saved())) == "its altitude, how it was taken"


def test_the_setting_of_a_camera_may_be_rounded_but_not_be_gone(held: Held) -> None:
    exact, rounded = (held(with_exif({}, {0x829A: value})) for value in (1 / 125, 0.01))
    assert find_missing(exact, rounded) == ""
    assert find_missing(exact, held(with_exif({}, {0x829D: 2.8}))) == "how it was taken"


def test_a_corrected_altitude_or_direction_is_missed(held: Held) -> None:
    for number, words in ((6, "its altitude"), (17, "its direction")):
        first, second = (held(with_exif({}, {}, {number: value})) for value in (90.0, 91.0))
        assert find_missing(first, second) == words


def test_what_xmp_repeats_of_exif_is_not_missed(held: Held) -> None:
    in_exif = held(
        with_exif(
            {271: "Acme", 272: "One"},
            {0x829A: 0.008, 0x829D: 2.8, 0x8827: 400, 0x920A: 50.0, 0xA434: "50mm", 0xA431: "12"},
            {
                1: "S",
                2: (48.0, 30.0, 36.0),
                3: "E",
                4: (2.0, 15.0, 0.0),
                6: 1234.5,
                17: 90.0,
                29: "2021:02:03",
                7: (4.0, 5.0, 6.0),
                28: b"ASCII\0\0\0Home",
            },
        )
    )
    in_xmp = held(
        with_xmp(
            "<exif:ExposureTime>1/125</exif:ExposureTime><exif:FNumber>28/10</exif:FNumber>"
            "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>400</rdf:li></rdf:Seq></exif:ISOSpeedRatings>"
            "<exif:FocalLength>50/1</exif:FocalLength><aux:Lens>Lens 50mm</aux:Lens>"
            "<aux:SerialNumber>012</aux:SerialNumber><tiff:Model>One</tiff:Model>"
            "<exif:GPSLatitude>48,30.6S</exif:GPSLatitude><exif:GPSLongitude>2,15,0E</"
            "exif:GPSLongitude><exif:GPSAltitude>12345/10</exif:GPSAltitude>"
            "<exif:GPSImgDirection>90/1</exif:GPSImgDirection><exif:GPSTimeStamp>"
            "2021-02-03T04:05:06Z</exif:GPSTimeStamp>"
            "<exif:GPSAreaInformation>Home</exif:GPSAreaInformation>"
        )
    )
    assert find_missing(in_xmp, in_exif) == find_missing(in_exif, in_xmp) == ""
    assert find_missing(in_xmp, held(saved())) == (
        "its camera, altitude, direction, position's time, area's name and position,"
        " how it was taken"
    )


def test_another_position_in_xmp_is_missed(held: Held) -> None:
    here, there = (
        held(
            with_xmp(
                f"<exif:GPSLatitude>48,30.{n}N</exif:GPSLatitude>"
                "<exif:GPSLongitude>2,15.0E</exif:GPSLongitude>"
            )
        )
        for n in (6, 7)
    )
    assert find_missing(here, there) == "its position"


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        ("48,30.0N", "2,15,0W", "48.5 -2.25"),
        ("48,30.0N", "", "48.5"),
        ("48.5", "2.25", "48.5 2.25"),
        ("nowhere", "2,15.0E", "nowhere 2.25"),
    ],
)
def test_a_position_has_one_form(latitude: str, longitude: str, position: str) -> None:
    assert position_of(latitude, longitude) == position
