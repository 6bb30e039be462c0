"""Date, camera and position from EXIF, and what damaged EXIF says: nothing."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from mobisearch.imaging.decoding import decode
from mobisearch.imaging.exif import read_facts
from mobisearch.types import DecodeSettings, ImageFacts

DEGREE_DIGITS = 1e-7
"""Positions are kept to seven decimals, about a centimetre."""

Base, Gps = ExifTags.Base, ExifTags.GPS
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def facts_of(exif: Image.Exif | bytes, kind: str = "JPEG") -> ImageFacts:
    buffer = io.BytesIO()
    data = exif if isinstance(exif, bytes) else exif.tobytes()
    PICTURE.save(buffer, kind, exif=data)
    return decode(buffer.getvalue(), name="test", settings=DecodeSettings())[1]


def exif_of(
    tags: dict[int, object] | None = None,
    details: dict[int, object] | None = None,
    position: dict[int, object] | None = None,
) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags or {})
    exif.get_ifd(ExifTags.IFD.Exif).update(details or {})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(position or {})
    return exif


def angle(degrees: float, minutes: float, seconds: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(round(part * 100), 100) for part in (degrees, minutes, seconds))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_format_that_carries_exif_gives_date_camera_and_position(kind: str) -> None:
    exif = exif_of(
        {Base.Make: "Acme", Base.Model: "One"},
        {Base.DateTimeOriginal: "2021:02:03 04:05:06"},
        {
            Gps.GPSLatitudeRef: "N",
            Gps.GPSLatitude: angle(48, 30, 0),
            Gps.GPSLongitudeRef: "W",
            Gps.GPSLongitude: angle(2, 15, 36),
        },
    )
    facts = facts_of(exif, kind)
    assert facts.format == kind
    assert facts.taken_at == "2021-02-03T04:05:06"
    assert facts.camera == "Acme One"
    assert facts.latitude == pytest.approx(48.5, abs=DEGREE_DIGITS)
    assert facts.longitude == pytest.approx(-2.26, abs=DEGREE_DIGITS)


def test_a_picture_without_exif_says_only_its_format_and_size() -> None:
    buffer = io.BytesIO()
    PICTURE.save(buffer, "JPEG")
    facts = decode(buffer.getvalue(), name="test", settings=DecodeSettings())[1]
    assert facts == ImageFacts("JPEG", 60, 40)


@pytest.mark.parametrize(
    ("tags", "details", "taken_at"),
    [
        ({}, {Base.DateTimeOriginal: "2021:02:03 04:05:06"}, "2021-02-03T04:05:06"),
        (
            {},
            {Base.DateTimeOriginal: "2021:02:03 04:05:06", Base.OffsetTimeOriginal: "+02:00"},
            "2021-02-03T04:05:06+02:00",
        ),
        (
            {},
            {Base.DateTimeOriginal: "2021:02:03 04:05:06", Base.OffsetTimeOriginal: "-09:30"},
            "2021-02-03T04:05:06-09:30",
        ),
        (  # the offset of one date does not belong to another
            {},
            {Base.DateTimeOriginal: "2021:02:03 04:05:06", Base.OffsetTimeDigitized: "+02:00"},
            "2021-02-03T04:05:06",
        ),
        (
            {Base.DateTime: "2023:01:01 00:00:00"},
            {
                Base.DateTimeOriginal: "2021:02:03 04:05:06",
                Base.DateTimeDigitized: "2022:01:01 00:00:00",
            },
            "2021-02-03T04:05:06",
        ),
        (
            {Base.DateTime: "2023:01:01 00:00:00"},
            {
                Base.DateTimeOriginal: "    :  :     :  :  ",
                Base.DateTimeDigitized: "2022:01:01 00:00:00",
            },
            "2022-01-01T00:00:00",
        ),
        ({Base.DateTime: "2023:01:01 00:00:00"}, {}, "2023-01-01T00:00:00"),
        (
            {Base.DateTime: "2023:01:01 00:00:00"},
            {Base.OffsetTime: "+14:00"},
            "2023-01-01T00:00:00+14:00",
        ),
        ({}, {Base.DateTimeOriginal: "2021:02:03 04:05:06\0\0junk"}, "2021-02-03T04:05:06"),
        ({}, {Base.DateTimeOriginal: "0000:00:00 00:00:00"}, None),
        ({}, {Base.DateTimeOriginal: "2021:13:03 04:05:06"}, None),
        ({}, {Base.DateTimeOriginal: "yesterday"}, None),
        ({}, {Base.DateTimeOriginal: ""}, None),
        ({Base.DateTime: 20210203}, {}, None),
    ],
)
def test_the_date_is_the_best_that_makes_sense(
    tags: dict[int, object], details: dict[int, object], taken_at: str | None
) -> None:
    assert facts_of(exif_of(tags, details)).taken_at == taken_at


@pytest.mark.parametrize("offset", ["Z", "+2:00", "+99:99", "+02:75", "   :  ", "+0٢:00", ""])
def test_an_offset_that_makes_no_sense_is_left_out(offset: str) -> None:
    details = {
        Base.DateTimeOriginal: "2021:02:03 04:05:06",
        Base.OffsetTimeOriginal: offset.encode(),
    }
    assert facts_of(exif_of({}, details)).taken_at == "2021-02-03T04:05:06"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Acme", "One", "Acme One"),
        ("Acme", "ACME One", "ACME One"),  # many models repeat their maker
        ("Acme", "", "Acme"),
        ("", "One", "One"),
        ("", "", None),
        (None, None, None),
        ("Acme  \0", "One\0\0", "Acme One"),
        ("Ac\0me", "\x1b[31mOne\x07", "Acme [31mOne"),
        ("Acme", "One\r\n", "Acme One"),
        ("  Acme ", "  One   Two ", "Acme One Two"),
    ],
)
def test_the_camera_is_maker_and_model_without_anything_unprintable(
    make: object, model: object, camera: str | None
) -> None:
    values = {Base.Make: make, Base.Model: model}
    encoded = {
        tag: value.encode() if isinstance(value, str) else value
        for tag, value in values.items()
        if value is not None
    }
    assert facts_of(exif_of(encoded)).camera == camera


@pytest.mark.parametrize(
    ("make", "camera"),
    [
        (17, None),
        ((1, 2), None),
        (b"Acme\0", "Acme"),
        ("A\u202ecm\u200be\ud800", "Acme"),
        (b"Caf\xe9", "Caf\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_maker_of_any_type_is_printable_text_or_nothing(make: object, camera: str | None) -> None:
    assert read_facts({Base.Make: make}).camera == camera


def test_camera_bytes_that_are_not_utf8_do_no_harm() -> None:
    camera = facts_of(exif_of({Base.Make: b"Caf\xe9"})).camera
    assert camera in ("Caf\N{REPLACEMENT CHARACTER}", "Café")


def test_a_camera_name_of_kilobytes_is_cut_short() -> None:
    camera = facts_of(exif_of({Base.Make: "x" * 30_000, Base.Model: "y" * 30_000})).camera
    assert camera is not None
    assert len(camera) <= 401


@pytest.mark.parametrize(
    ("latitude_side", "longitude_side", "expected"),
    [
        ("N", "E", (10.5, 20.25)),
        ("S", "E", (-10.5, 20.25)),
        ("N", "W", (10.5, -20.25)),
        ("S", "W", (-10.5, -20.25)),
        ("s\0", "w\0", (-10.5, -20.25)),
    ],
)
def test_south_and_west_are_negative(
    latitude_side: str, longitude_side: str, expected: tuple[float, float]
) -> None:
    position = {
        Gps.GPSLatitudeRef: latitude_side,
        Gps.GPSLatitude: angle(10, 30, 0),
        Gps.GPSLongitudeRef: longitude_side,
        Gps.GPSLongitude: angle(20, 15, 0),
    }
    facts = facts_of(exif_of({}, {}, position))
    assert (facts.latitude, facts.longitude) == pytest.approx(expected, abs=DEGREE_DIGITS)


@pytest.mark.parametrize(
    "latitude",
    [
        (IFDRational(1, 0), IFDRational(0, 0), IFDRational(0, 1)),
        angle(91, 0, 0),
        angle(89, 70, 0),
        angle(10, 30, 0)[:2],
        (IFDRational(10), IFDRational(30), IFDRational(0, 0)),
        None,
    ],
    ids=["zero division", "beyond the pole", "beyond by minutes", "two parts", "0/0", "absent"],
)
def test_half_a_position_or_an_impossible_one_is_none(latitude: object) -> None:
    position: dict[int, object] = {
        Gps.GPSLatitudeRef: "N",
        Gps.GPSLongitudeRef: "E",
        Gps.GPSLongitude: angle(20, 15, 0),
    }
    if latitude is not None:
        position[Gps.GPSLatitude] = latitude
    facts = facts_of(exif_of({Base.Make: "Acme"}, {}, position))
    assert (facts.latitude, facts.longitude) == (None, None)
    assert facts.camera == "Acme"


def test_text_that_the_camera_wrote_as_utf8_is_read_as_such() -> None:
    data = exif_of({Base.Make: "ZZZZZZZZ", Base.Model: "One"}).tobytes()
    utf8 = data.replace(b"ZZZZZZZZ", "Zürcher".encode())
    latin1 = data.replace(b"ZZZZZZZZ", "Zürchers".encode("latin-1"))
    assert facts_of(utf8).camera == "Zürcher One"
    assert facts_of(latin1).camera == "Zürchers One"


@pytest.mark.parametrize(
    "junk",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0XXXX" + bytes(100),
        b"\0" * 65_000,
        b"\xff" * 65_000,
        random.Random(0).randbytes(65_000),
        b"Exif\0\0II*\0\x08\0\0\0" + random.Random(1).randbytes(65_000),
    ],
    ids=["nothing", "header", "far", "no header", "zeros", "ones", "noise", "noise with header"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_junk_in_place_of_exif_says_nothing_and_spares_the_pixels(junk: bytes, kind: str) -> None:
    facts = facts_of(junk, kind)
    assert (facts.format, facts.width * facts.height) == (kind, 2400)
    assert (facts.taken_at, facts.latitude, facts.longitude) == (None, None, None)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12))
def test_no_damage_to_exif_costs_the_pixels(changes: list[tuple[int, int]]) -> None:
    data = bytearray(
        exif_of(
            {Base.Orientation: 6, Base.Make: "Acme", Base.Model: "One"},
            {Base.DateTimeOriginal: "2021:02:03 04:05:06", Base.OffsetTimeOriginal: "+02:00"},
            {Gps.GPSLatitudeRef: "S", Gps.GPSLatitude: angle(10, 30, 0)},
        ).tobytes()
    )
    for place, value in changes:
        data[6 + place % (len(data) - 6)] = value
    facts = facts_of(bytes(data))
    assert sorted((facts.width, facts.height)) == [40, 60]
    assert facts.camera is None or facts.camera.isprintable()
