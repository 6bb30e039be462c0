"""What people and their programs write into files counts, in whatever form and place it stands."""

from __future__ import annotations

import binascii
import io
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from mobisearch.imaging.facts import UNREADABLE
from mobisearch.imaging.holdings import Holdings, find_missing
from mobisearch.imaging.iptc import read_iptc

Held = Callable[[bytes], Holdings]

PICTURE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
).resize((64, 48))

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "ms": "http://ns.microsoft.com/photo/1.0/",
    "ms2": "http://ns.microsoft.com/photo/1.0",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "kw": "http://www.metadataworkinggroup.com/schemas/keywords/",
}

MAX_SECONDS = 5
"""For a hostile file that is read in a moment; much more would be one that is walked for ever."""


def packet(properties: str = "", attributes: str = "") -> bytes:
    spaces = " ".join(f'xmlns:{name}="{space}"' for name, space in NAMESPACES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {attributes}>{properties}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def listed(name: str, *values: str, kind: str = "Bag") -> str:
    each = "".join(f'<rdf:li xml:lang="x-default">{value}</rdf:li>' for value in values)
    return f"<{name}><rdf:{kind}>{each}</rdf:{kind}></{name}>"


def saved(kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, kind, **options)
    return buffer.getvalue()


def with_xmp(properties: str = "", attributes: str = "") -> bytes:
    return saved(xmp=packet(properties, attributes))


def with_exif(tags: dict[int, Any], details: dict[int, Any] | None = None) -> bytes:
    return saved(exif=exif_of(tags, details))


def exif_of(tags: dict[int, Any], details: dict[int, Any] | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    if details:
        exif.get_ifd(ExifTags.IFD.Exif).update(details)
    return exif


def iptc_of(*entries: tuple[int, bytes]) -> bytes:
    return b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value for number, value in entries
    )


def resource_of(block: bytes, number: int = 0x0404) -> bytes:
    padding = b"\0" * (len(block) % 2)
    return b"8BIM" + struct.pack(">HHI", number, 0, len(block)) + block + padding


def with_resources(*parts: bytes) -> bytes:
    plain = saved()
    bodies = [b"Photoshop 3.0\0" + part for part in parts]
    segments = b"".join(b"\xff\xed" + struct.pack(">H", len(body) + 2) + body for body in bodies)
    return plain[:2] + segments + plain[2:]


def with_raw_profile(kind: str, profile: bytes, *, length: int | None = None) -> bytes:
    digits = binascii.hexlify(profile).decode()
    lines = [digits[place : place + 72] for place in range(0, len(digits), 72)]
    n_bytes = len(profile) if length is None else length
    texts = PngImagePlugin.PngInfo()
    texts.add_text(
        f"Raw profile type {kind}", "\n".join(["", kind, f"{n_bytes:8}", *lines, ""]), zip=True
    )
    return saved("PNG", pnginfo=texts)


IN_XMP: dict[str, tuple[str, dict[str, set[str]]]] = {
    "digiKam's tags": (
        listed("digiKam:TagsList", "People/Anna", "lake", kind="Seq"),
        {"keywords": {"People|Anna", "lake"}},
    ),
    "digiKam's labels": (
        "<digiKam:PickLabel>3</digiKam:PickLabel><digiKam:ColorLabel>2</digiKam:ColorLabel>",
        {"label": {"accepted", "Orange"}},
    ),
    "no labels": (
        "<digiKam:PickLabel>0</digiKam:PickLabel><digiKam:ColorLabel>-1</digiKam:ColorLabel>",
        {},
    ),
    "keywords of Windows": (listed("ms:LastKeywordXMP", "Anna"), {"keywords": {"Anna"}}),
    "keywords without a slash": (listed("ms2:LastKeywordXMP", "Anna"), {"keywords": {"Anna"}}),
    "four stars of Windows": ("<ms:Rating>75</ms:Rating>", {"rating": {"4"}}),
    "no stars of Windows": ("<ms:Rating>0</ms:Rating>", {}),
    "stars that are none": ("<ms:Rating>many</ms:Rating>", {"rating": {"many"}}),
    "TIFF's description": (
        listed("tiff:ImageDescription", "Anna", kind="Alt"),
        {"description": {"Anna"}},
    ),
    "TIFF's author": ("<tiff:Artist>Paul</tiff:Artist>", {"author": {"Paul"}}),
    "TIFF's rights": (listed("tiff:Copyright", "Paul", kind="Alt"), {"copyright": {"Paul"}}),
    "when it was made": (
        "<xmp:CreateDate>2021-02-03T04:05:06.78Z</xmp:CreateDate>",
        {"date": {"2021-02-03T04:05:06+00:00"}},
    ),
    "when it was scanned": (
        "<exif:DateTimeDigitized>2021-02-03</exif:DateTimeDigitized>",
        {"date": {"2021-02-03"}},
    ),
    "instructions": (
        "<photoshop:Instructions>not for print</photoshop:Instructions>",
        {"instructions": {"not for print"}},
    ),
    "instructions of a network": (
        "<photoshop:Instructions>FBMD0a000a7001</photoshop:Instructions>",
        {},
    ),
    "for the blind": (
        listed("core:AltTextAccessibility", "a boat", kind="Alt")
        + listed("core:ExtDescrAccessibility", "a boat on a lake", kind="Alt"),
        {"description": {"a boat", "a boat on a lake"}},
    ),
    "an event": (listed("ext:Event", "wedding", kind="Alt"), {"event": {"wedding"}}),
    "a place": (
        '<ext:LocationShown><rdf:Bag><rdf:li rdf:parseType="Resource"><ext:City>Basel</ext:City>'
        "</rdf:li></rdf:Bag></ext:LocationShown>",
        {"place": {"Basel"}},
    ),
    "a place in attributes": (
        '<ext:LocationCreated><rdf:Bag><rdf:li><rdf:Description ext:City="Basel"/></rdf:li>'
        "</rdf:Bag></ext:LocationCreated>",
        {"place": {"Basel"}},
    ),
    "a person": (
        '<ext:PersonInImageWDetails><rdf:Bag><rdf:li rdf:parseType="Resource">'
        + listed("ext:PersonName", "Anna", kind="Alt")
        + "</rdf:li></rdf:Bag></ext:PersonInImageWDetails>",
        {"people": {"Anna"}},
    ),
    "ACDSee": (
        "<acdsee:caption>Anna</acdsee:caption><acdsee:notes>ask Paul</acdsee:notes>"
        "<acdsee:rating>5</acdsee:rating>" + listed("acdsee:keywords", "lake"),
        {"description": {"Anna"}, "comment": {"ask Paul"}, "rating": {"5"}, "keywords": {"lake"}},
    ),
    "a tree of keywords": (
        '<kw:Keywords rdf:parseType="Resource"><kw:Hierarchy><rdf:Bag>'
        '<rdf:li rdf:parseType="Resource"><kw:Keyword>People</kw:Keyword><kw:Children><rdf:Bag>'
        '<rdf:li kw:Keyword="Anna" kw:Applied="True"/></rdf:Bag></kw:Children></rdf:li></rdf:Bag>'
        "</kw:Hierarchy></kw:Keywords>",
        {"keywords": {"People", "Anna"}},
    ),
    "a source": ("<dc:source>album 3, page 7</dc:source>", {"source": {"album 3, page 7"}}),
}


@pytest.mark.parametrize("kind", IN_XMP)
def test_xmp_of_many_programs_is_read(held: Held, kind: str) -> None:
    properties, facts = IN_XMP[kind]
    made = held(with_xmp(properties))
    assert made.facts == facts
    assert bool(find_missing(made, held(saved()))) == bool(facts)
    assert find_missing(made, made) == ""


SAME = [
    (with_xmp(attributes='xmp:Rating="5"'), with_xmp("<ms:Rating>99</ms:Rating>")),
    (with_xmp(attributes='xmp:Rating="5"'), with_xmp(attributes='xmp:Rating="5.0"')),
    (with_exif({18246: 3}), with_exif({18249: 50})),
    (
        with_xmp(attributes='xmp:Label="Red"'),
        with_xmp("<digiKam:ColorLabel>1</digiKam:ColorLabel>"),
    ),
    (
        with_xmp(listed("lr:hierarchicalSubject", "People|Anna")),
        with_xmp(listed("digiKam:TagsList", "People/Anna")),
    ),
    (
        with_exif({}, {36867: "2021:02:03 04:05:06"}),
        with_xmp("<exif:DateTimeOriginal>2021-02-03T04:05:06.00</exif:DateTimeOriginal>"),
    ),
    (
        with_raw_profile("iptc", resource_of(iptc_of((120, b"Anna")))),
        with_xmp(listed("dc:description", "Anna", kind="Alt")),
    ),
    (
        with_resources(resource_of(iptc_of((40, b"not for print")))),
        with_xmp("<photoshop:Instructions>not for print</photoshop:Instructions>"),
    ),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_same_in_another_form_is_not_missed(held: Held, first: bytes, second: bytes) -> None:
    one, other = held(first), held(second)
    assert find_missing(one, held(saved())) != ""
    assert find_missing(one, other) == find_missing(other, one) == ""


def test_a_day_is_in_a_date_with_hours_and_not_the_other_way_round(held: Held) -> None:
    day = held(with_resources(resource_of(iptc_of((55, b"20210203")))))
    hour = held(with_exif({}, {36867: "2021:02:03 04:05:06"}))
    assert find_missing(day, hour) == ""
    assert find_missing(hour, day) == "its date"
    other = held(with_exif({}, {36867: "2021:02:04 04:05:06"}))
    assert find_missing(day, other) == "its date"


def test_when_a_file_was_made_is_enough_of_a_date_only_for_its_like(held: Held) -> None:
    made = held(with_xmp("<xmp:CreateDate>2023-01-01T00:00:00</xmp:CreateDate>"))
    taken = held(with_exif({}, {36867: "2021:02:03 04:05:06"}))
    assert find_missing(made, taken) == ""
    assert find_missing(taken, made) == "its date"


EDITED = (
    'crs:Exposure2012="+1.5" crs:HasCrop="True" crs:CropTop="0.2"',
    "<crs:ToneCurvePV2012><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 200</rdf:li></rdf:Seq>"
    "</crs:ToneCurvePV2012>",
)


def test_edits_that_are_not_in_the_pixels_are_missed(held: Held) -> None:
    attributes, properties = EDITED
    edited = held(with_xmp(properties, attributes))
    assert edited.facts == {
        "edits": {
            "CropTop=0.2; Exposure2012=+1.5; HasCrop=True; ToneCurvePV2012=0, 0; "
            "ToneCurvePV2012=255, 200"
        }
    }
    assert find_missing(edited, held(saved())) == "its edits"
    as_elements = (
        "<crs:Exposure2012>+1.5</crs:Exposure2012><crs:HasCrop>True</crs:HasCrop>"
        f"<crs:CropTop>0.2</crs:CropTop>{properties}"
    )
    assert find_missing(edited, held(with_xmp(as_elements))) == ""
    other = held(with_xmp(properties, attributes.replace("1.5", "1.6")))
    assert find_missing(edited, other) == "its edits"
    own = held(with_xmp(properties, f'{attributes} crs:RawFileName="DSC_0001.JPG"'))
    assert find_missing(own, edited) == find_missing(edited, own) == ""


@pytest.mark.parametrize(
    "attributes",
    [
        f'{EDITED[0]} crs:AlreadyApplied="True"',
        f'{EDITED[0]} crs:RawFileName="DSC_0001.NEF" crs:HasSettings="True"',
        'crs:Version="9.1" crs:HasSettings="False" crs:HasCrop="False" crs:RawFileName="a.jpg"',
    ],
)
def test_edits_that_are_in_the_pixels_or_are_none_are_nothing(held: Held, attributes: str) -> None:
    assert held(with_xmp(attributes=attributes)).facts == {}


CAPTION = iptc_of((120, b"Anna"), (25, b"lake"))


@pytest.mark.parametrize(
    ("kind", "profile", "words"),
    [
        ("iptc", resource_of(CAPTION), "its description and keywords"),
        ("iptc", CAPTION, "its description and keywords"),
        (
            "8bim",
            resource_of(b"small", 1036) + resource_of(CAPTION),
            "its description and keywords",
        ),
        ("xmp", packet(listed("dc:subject", "lake")), "its keywords"),
        (
            "APP1",
            b"http://ns.adobe.com/xap/1.0/\0" + packet(listed("dc:subject", "lake")),
            "its keywords",
        ),
        ("APP1", exif_of({270: "Anna"}).tobytes(), "its description"),
        ("exif", exif_of({270: "Anna"}).tobytes(), "its description"),
        ("icc", b"a profile" * 2000, ""),
        ("APP12", b"Ducky" * 100, ""),
        ("psd", b"layer" * 2000, "its text"),
    ],
)
def test_what_imagemagick_keeps_in_a_png_is_read(
    held: Held, kind: str, profile: bytes, words: str
) -> None:
    made = held(with_raw_profile(kind, profile))
    assert find_missing(made, held(saved())) == words
    assert find_missing(made, made) == ""


@pytest.mark.parametrize("kind", ["iptc", "8bim", "xmp", "APP1"])
def test_what_is_damaged_in_it_counts_until_the_other_has_the_same(held: Held, kind: str) -> None:
    profiles = {
        "iptc": resource_of(b"no iptc"),
        "8bim": resource_of(b"\x1c\x02"),
        "xmp": b"<x",
        "APP1": b"II*",
    }
    for data in (
        with_raw_profile(kind, profiles[kind]),
        with_raw_profile(kind, CAPTION, length=99),
    ):
        made = held(data)
        assert UNREADABLE in made.facts
        assert UNREADABLE in find_missing(made, held(saved()))
        assert find_missing(made, made) == ""


def test_iptc_that_goes_on_in_a_further_segment_is_read(held: Held) -> None:
    whole = resource_of(b"s" * 99, 1036) + resource_of(CAPTION)
    made = held(with_resources(whole[:-15], whole[-15:]))
    assert made.facts == {"description": {"Anna"}, "keywords": {"lake"}}


def tiff_with(tag: int, content: bytes, kind: int = 7) -> bytes:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory.tagtype[tag] = 7
    directory[tag] = content
    data = saved("TIFF", tiffinfo=directory)
    unit = 4 if kind == 4 else 1
    entry = struct.pack("<HHI", tag, 7, len(content))
    assert data.count(entry) == 1
    return data.replace(entry, struct.pack("<HHI", tag, kind, len(content) // unit))


@pytest.mark.parametrize(
    "data",
    [
        tiff_with(33723, CAPTION),
        tiff_with(33723, CAPTION + b"\0" * (-len(CAPTION) % 4), kind=4),
        tiff_with(34377, resource_of(CAPTION), kind=1),
    ],
)
def test_iptc_of_a_tiff_is_read_however_it_is_written(held: Held, data: bytes) -> None:
    assert held(data).facts == {"description": {"Anna"}, "keywords": {"lake"}}


def test_a_long_block_of_empty_iptc_is_read_in_a_moment() -> None:
    started = time.monotonic()
    assert len(list(read_iptc(iptc_of((25, b"")) * 400_000))) == 400_000
    assert time.monotonic() - started < MAX_SECONDS


def test_iptc_of_lengths_of_four_bytes_is_read() -> None:
    block = b"\x1c\x02\x78\x80\x04\0\0\0\x04Anna" + b"\0" * 9
    assert list(read_iptc(block)) == [("description", "Anna")]


@pytest.mark.parametrize(
    ("details", "facts"),
    [
        ({0xA436: "Lake"}, {"title": {"Lake"}}),
        ({0xA437: "Paul"}, {"author": {"Paul"}}),
        ({0xA430: "Paul"}, {"author": {"Paul"}}),
        ({0x9213: "Some Editor 1.2, 2021:02:03"}, {}),
    ],
)
def test_newer_and_rarer_tags_of_exif_are_read(
    held: Held, details: dict[int, Any], facts: dict[str, set[str]]
) -> None:
    assert held(with_exif({}, details)).facts == facts


def test_a_long_history_is_missed(held: Held) -> None:
    made = held(with_exif({}, {0x9213: "cut out the dog; " * 20}))
    assert find_missing(made, held(saved())) == "its history"


def test_stars_that_percent_repeat_are_one_rating(held: Held) -> None:
    assert held(with_exif({18246: 5, 18249: 99})).facts == {"rating": {"5"}}
    assert held(with_exif({18249: 25})).facts == {"rating": {"2"}}
    assert held(with_exif({18246: 0, 18249: 0})).facts == {}


def test_a_hostile_raw_profile_is_read_in_a_moment(held: Held) -> None:
    text = "\niptc\n 9\n" + "zz" * 4_000_000
    body = b"Raw profile type iptc\0\0" + zlib.compress(text.encode())
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    plain = saved("PNG")
    place = plain.index(b"IDAT") - 4
    started = time.monotonic()
    assert UNREADABLE in held(plain[:place] + chunk + plain[place:]).facts
    assert time.monotonic() - started < MAX_SECONDS
