"""What files hold beside pixels, and what another file lacks of it."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from mobisearch.errors import ImageError, ImageNotFoundError, ImageTooLargeError
from mobisearch.imaging.attachments import find_attachments
from mobisearch.imaging.facts import UNREADABLE
from mobisearch.imaging.holdings import Holdings, find_missing, read_holdings
from mobisearch.imaging.xmp import MAX_XMP_BYTES, read_xmp
from mobisearch.types import DecodeSettings

Base = ExifTags.Base

PICTURE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
).resize((64, 48))

FILM = struct.pack(">I4s4sI", 24, b"ftyp", b"isom", 0) + b"isommp42" + b"film" * 500

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>
<x>&d;&d;&d;&d;</x>"""

MAX_SECONDS = 5
"""For a hostile file that is read in a moment; much more would be one that is walked for ever."""


def packet(properties: str = "", attributes: str = "") -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:lr="http://ns.adobe.com/lightroom/1.0/"'
        ' xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"'
        f" {attributes}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def listed(name: str, *values: str, kind: str = "Bag") -> str:
    each = "".join(f"<rdf:li>{value}</rdf:li>" for value in values)
    return f"<{name}><rdf:{kind}>{each}</rdf:{kind}></{name}>"


def exif_of(tags: dict[int, Any], details: dict[int, Any] | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    if details:
        exif.get_ifd(ExifTags.IFD.Exif).update(details)
    return exif


def full_exif() -> Image.Exif:
    exif = exif_of(
        {Base.Make: "Acme", Base.Model: "One", Base.ImageDescription: "Anna at the lake"},
        {Base.DateTimeOriginal: "2021:02:03 04:05:06"},
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (2.0, 15.0, 36.0)}
    )
    return exif


def iptc_of(*entries: tuple[int, bytes]) -> bytes:
    block = b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value for number, value in entries
    )
    return photoshop_of(block)


def photoshop_of(block: bytes) -> bytes:
    body = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def saved(kind: str = "JPEG", picture: Image.Image = PICTURE, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def with_segment(segment: bytes) -> bytes:
    plain = saved()
    return plain[:2] + segment + plain[2:]


@pytest.fixture
def held(tmp_path: Path) -> Callable[[bytes], Holdings]:
    def read(data: bytes) -> Holdings:
        path = tmp_path / "photo"
        path.write_bytes(data)
        return read_holdings(str(path), DecodeSettings())

    return read


Held = Callable[[bytes], Holdings]


def other_pictures(n: int) -> list[Image.Image]:
    return [PICTURE.rotate(20 * number) for number in range(1, n + 1)]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("TIFF", {"save_all": True, "append_images": other_pictures(2)}, "3 pages"),
        ("GIF", {"save_all": True, "append_images": other_pictures(2)}, "3 frames"),
        ("WEBP", {"save_all": True, "append_images": other_pictures(2)}, "3 frames"),
        ("PNG", {"save_all": True, "append_images": other_pictures(2)}, "3 frames"),
        ("MPO", {"save_all": True, "append_images": other_pictures(2)}, "3 pictures"),
        ("AVIF", {"save_all": True, "append_images": other_pictures(2)}, "3 pictures"),
        ("HEIF", {"save_all": True, "append_images": other_pictures(2)}, "3 pictures"),
    ],
)
def test_pages_and_frames_are_missed_in_a_still(
    held: Held, kind: str, options: dict[str, Any], words: str
) -> None:
    several, one = held(saved(kind, **options)), held(saved("PNG"))
    assert find_missing(several, one) == f"{words} (the one kept has 1)"
    assert find_missing(one, several) == ""
    assert find_missing(several, several) == f"{words} (the one kept has others, perhaps)"


def test_small_forms_of_a_page_are_no_pages(held: Held) -> None:
    small = PICTURE.resize((16, 12))
    small.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    made = held(saved("TIFF", save_all=True, append_images=[small]))
    assert made.n_frames == 1


def test_the_thumbnail_of_a_camera_is_no_second_picture(held: Held) -> None:
    data = saved("MPO", save_all=True, append_images=other_pictures(1))
    entries = data.index(b"MPF\0") + 4 + 8 + 2 + 3 * 12 + 4  # header, number, 3 tags, what is next
    second = entries + 16
    changed = data[:second] + struct.pack("<I", 0x010001) + data[second + 4 :]
    assert held(data).n_frames == 2
    assert held(changed).n_frames == 1


@pytest.mark.parametrize(
    "behind",
    [
        FILM,
        b"\0" * 100 + FILM,
        b"trailer of a phone" + FILM + b"SEFT",
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
def test_a_film_behind_the_picture_is_found(held: Held, kind: str, behind: bytes) -> None:
    moving, still = held(saved(kind) + behind), held(saved(kind))
    assert find_missing(moving, still) == "a film inside"
    assert find_missing(still, moving) == ""


def test_a_film_in_a_box_of_its_own_is_found(held: Held) -> None:
    still = saved("HEIF")
    moving = still + struct.pack(">I4s", len(FILM) + 8, b"mpvd") + FILM
    assert find_missing(held(moving), held(still)) == "a film inside"


def test_a_second_picture_behind_a_jpeg_is_found(held: Held) -> None:
    assert find_missing(held(saved() + saved()), held(saved())) == "a second picture"


def test_what_a_heif_has_beside_its_picture_is_told() -> None:
    image = Image.new("RGB", (9, 9))
    image.info["depth_images"] = [object()]
    image.info["aux"] = {"urn:com:apple:photo:2020:aux:hdrgainmap": [2]}
    assert find_attachments(b"", image) == {"a depth map", "a map for bright screens"}


@pytest.mark.parametrize("behind", [b"\0" * 50_000, b"\xff" * 99, b"\r\n", b"times" * 10])
def test_padding_and_a_few_numbers_behind_a_picture_are_nothing(held: Held, behind: bytes) -> None:
    assert find_missing(held(saved() + behind), held(saved())) == ""


def test_much_that_is_unknown_behind_a_picture_is_something(held: Held) -> None:
    assert find_missing(held(saved() + b"PK\3\4" * 2000), held(saved())) == "more behind its end"


def test_a_jpeg_in_several_scans_ends_where_it_ends(held: Held) -> None:
    data = saved(progressive=True, comment=b"\xff\xd9 and so on")
    assert held(data).attachments == frozenset()
    assert held(data + FILM).attachments == {"a film inside"}


def deep_pictures() -> dict[str, bytes]:
    grey = Image.fromarray(np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 20)
    rgb16 = b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress((b"\0" + bytes(range(12))) * 2)),
            _chunk(b"IEND", b""),
        )
    )
    return {
        "grey PNG": saved("PNG", grey),
        "colour PNG": rgb16,
        "TIFF": saved("TIFF", grey),
        "JPEG 2000": saved("JPEG2000", grey),
        "PPM": b"P6 2 2 65535\n" + bytes(range(24)),
        "PGM": b"P5 2 2 1023\n" + bytes(8),
        "float TIFF": saved("TIFF", Image.new("F", (9, 9), 0.5)),
    }


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("kind", deep_pictures())
def test_more_than_eight_bits_are_missed_in_eight(held: Held, kind: str) -> None:
    deep, plain = held(deep_pictures()[kind]), held(saved("PNG"))
    assert find_missing(deep, plain) == "more than 8 bits a colour"
    assert find_missing(plain, deep) == ""


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000", "PPM", "AVIF", "HEIF", "WEBP", "BMP"])
def test_eight_bits_are_not_deep(held: Held, kind: str) -> None:
    assert not held(saved(kind)).is_deep


def test_ten_bits_of_a_heif_are_deep(held: Held) -> None:
    import pillow_heif

    pixels = (np.arange(64 * 64 * 3, dtype=np.uint16) * 5).tobytes()
    made = pillow_heif.from_bytes(mode="RGB;16", size=(64, 64), data=pixels)
    buffer = io.BytesIO()
    made.save(buffer, quality=-1)
    assert held(buffer.getvalue()).is_deep


def transparent(*, alpha: int, mode: str = "RGBA") -> Image.Image:
    picture = PICTURE.convert("RGBA")
    picture.putpixel((3, 3), (1, 2, 3, alpha))
    return picture.convert(mode)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("WEBP", "RGBA"),
        ("TIFF", "RGBA"),
        ("AVIF", "RGBA"),
        ("HEIF", "RGBA"),
    ],
)
def test_transparency_counts_where_a_pixel_has_it(held: Held, kind: str, mode: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    used = held(saved(kind, transparent(alpha=0, mode=mode), **options))
    unused = held(saved(kind, transparent(alpha=255, mode=mode), **options))
    assert find_missing(used, held(saved())) == "transparency"
    assert find_missing(unused, held(saved())) == ""


def test_a_colour_that_stands_for_transparency_counts_where_it_is_used(held: Held) -> None:
    palette = PICTURE.quantize(16)
    used = held(saved("PNG", palette, transparency=palette.getpixel((0, 0))))
    assert used.transparency
    assert not held(saved("PNG", palette, transparency=200)).transparency
    colour = PICTURE.getpixel((5, 5))
    assert held(saved("PNG", PICTURE, transparency=colour)).transparency
    assert not held(saved("PNG", Image.new("RGB", (9, 9)), transparency=(1, 2, 3))).transparency
    grey = Image.fromarray(np.full((9, 9), 40_000, dtype=np.uint16))
    assert held(saved("PNG", grey, transparency=40_000)).transparency


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_exif_is_missed_in_a_copy_without_it(held: Held, kind: str) -> None:
    original, copy = held(saved(kind, exif=full_exif().tobytes())), held(saved(kind))
    assert find_missing(original, copy) == "its description, camera, position and date"
    assert find_missing(copy, original) == ""


def test_a_copy_with_the_same_exif_misses_nothing(held: Held) -> None:
    original = held(saved(exif=full_exif()))
    assert find_missing(original, held(saved(exif=full_exif(), quality=40))) == ""


def test_cameras_may_differ_and_dates_positions_and_descriptions_may_not(held: Held) -> None:
    first = held(saved(exif=full_exif()))
    other = full_exif()
    other[Base.Model] = "Two"
    other[Base.ImageDescription] = "scan 12"
    other.get_ifd(ExifTags.IFD.Exif)[Base.DateTimeOriginal] = "2022:02:03 04:05:06"
    other.get_ifd(ExifTags.IFD.GPSInfo)[2] = (0.0, 0.0, 0.0)
    missing = find_missing(first, held(saved(exif=other)))
    assert missing == "its description, position and date"


def test_another_mask_of_what_is_transparent_is_missed(held: Held) -> None:
    masks = [Image.linear_gradient("L").resize(PICTURE.size), Image.radial_gradient("L")]
    made = []
    for mask in masks:
        picture = PICTURE.copy()
        picture.putalpha(mask.resize(PICTURE.size))
        made += [held(saved("PNG", picture)), held(saved("WEBP", picture, lossless=True))]
    assert find_missing(made[0], made[1]) == ""
    assert find_missing(made[0], made[2]) == "transparency"


def test_the_time_of_a_change_is_no_date_taken(held: Held) -> None:
    taken = held(saved(exif=exif_of({}, {Base.DateTimeOriginal: "2021:02:03 04:05:06"})))
    changed = held(saved(exif=exif_of({Base.DateTime: "2023:02:03 04:05:06"})))
    assert find_missing(taken, changed) == "its date"
    assert find_missing(changed, taken) == ""
    assert find_missing(changed, held(saved())) == "its date"


@pytest.mark.parametrize(
    ("value", "is_something"),
    [
        (b"ASCII\0\0\0Anna", True),
        (b"UNICODE\0" + "Anna".encode("utf-16-le"), True),
        (b"UNICODE\0" + "Anna".encode("utf-16-be"), True),
        (b"ASCII\0\0\0" + b"\0" * 200, False),
        (b"\0" * 8 + b" " * 100, False),
        (b"UNICODE\0", False),
    ],
)
def test_a_comment_in_exif_counts_if_there_is_one(
    held: Held, value: bytes, is_something: bool
) -> None:
    facts = held(saved(exif=exif_of({}, {Base.UserComment: value}))).facts
    assert facts.get("comment", frozenset()) == (
        frozenset({"Anna"}) if is_something else frozenset()
    )


def test_what_the_windows_explorer_writes_is_read(held: Held) -> None:
    tags = {
        Base.XPTitle: "Lake\0".encode("utf-16-le"),
        Base.XPKeywords: "Anna;Paul\0".encode("utf-16-le"),
        Base.Rating: 4,
    }
    facts = held(saved(exif=exif_of(tags))).facts
    assert facts == {"title": {"Lake"}, "keywords": {"Anna", "Paul"}, "rating": {"4"}}


def test_what_cameras_and_encoders_write_by_themselves_is_nothing(held: Held) -> None:
    camera = exif_of({Base.ImageDescription: "OLYMPUS DIGITAL CAMERA         "})
    assert held(saved(exif=camera)).facts == {}
    for comment in (
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n",
        "Lavc58.54.100",
        "Created with GIMP",
    ):
        assert held(saved(comment=comment)).facts == {}
    assert held(saved(comment="Created with GIMP by Anna")).facts != {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_xmp_that_people_write_is_missed(held: Held, kind: str) -> None:
    written = packet(
        listed("dc:description", "Anna", kind="Alt") + listed("dc:subject", "lake", "summer"),
        'xmp:Rating="5"',
    )
    options: dict[str, Any] = {"xmp": written}
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", written.decode())
        options = {"pnginfo": texts}
    elif kind == "TIFF":
        options = {"tiffinfo": {700: written}}
    made = held(saved(kind, **options))
    assert find_missing(made, held(saved())) == "its rating, description and keywords"
    assert made.facts["keywords"] == {"lake", "summer"}
    assert find_missing(made, made) == ""


def test_values_of_elements_and_attributes_are_told_apart_from_what_is_around_them() -> None:
    found, is_whole = read_xmp(
        packet(
            "<xmp:Rating> 3 </xmp:Rating><xmp:CreatorTool>Camera</xmp:CreatorTool>"
            + listed("lr:hierarchicalSubject", "People|Anna")
            + '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li>'
            '<rdf:Description mwg-rs:Name="Paul" mwg-rs:Type="Face"/></rdf:li></rdf:Bag>'
            "</mwg-rs:RegionList></mwg-rs:Regions>"
        )
    )
    assert is_whole
    assert [(name, value.strip()) for name, value in found] == [
        ("rating", "3"),
        ("keywords", "People|Anna"),
        ("people", "Paul"),
    ]


@pytest.mark.parametrize("rating", ["0", "0.0", ""])
def test_no_rating_is_nothing(held: Held, rating: str) -> None:
    assert held(saved(xmp=packet(attributes=f'xmp:Rating="{rating}"'))).facts == {}


def test_keywords_need_only_be_among_those_of_the_one_kept(held: Held) -> None:
    few = held(saved(xmp=packet(listed("dc:subject", "lake"))))
    many = held(saved(xmp=packet(listed("dc:subject", "lake", "summer"))))
    assert find_missing(few, many) == ""
    assert find_missing(many, few) == "its keywords"


def test_the_same_words_count_wherever_they_are_written(held: Held) -> None:
    in_xmp = held(saved(xmp=packet(listed("dc:description", "Anna at the lake", kind="Alt"))))
    in_iptc = held(with_segment(iptc_of((120, b"Anna at the lake"))))
    in_exif = held(saved(exif=exif_of({Base.ImageDescription: "Anna at the lake"})))
    for of in (in_xmp, in_iptc, in_exif):
        for kept in (in_xmp, in_iptc, in_exif):
            assert find_missing(of, kept) == ""
        assert find_missing(of, held(saved())) == "its description"


def test_iptc_is_missed(held: Held) -> None:
    made = held(
        with_segment(iptc_of((120, "Müller".encode()), (25, b"lake"), (25, b"sum"), (80, b"Paul")))
    )
    assert made.facts == {
        "description": {"Müller"},
        "keywords": {"lake", "sum"},
        "author": {"Paul"},
    }
    assert find_missing(made, held(saved())) == "its description, keywords and author"


def test_iptc_of_a_tiff_is_missed(held: Held) -> None:
    block = struct.pack(">BBBH", 0x1C, 2, 120, 4) + b"Anna"
    made = held(saved("TIFF", tiffinfo={33723: block}))
    assert find_missing(made, held(saved())) == "its description"


def test_what_a_network_marks_its_copies_with_is_nothing(held: Held) -> None:
    assert held(with_segment(iptc_of((40, b"FBMD0a000a7001")))).facts == {}


def test_texts_of_a_png_are_missed(held: Held) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Lake")
    texts.add_text("parameters", "a lake in summer, steps: 20")
    texts.add_text("Software", "gnome-screenshot")
    texts.add_text("date:create", "2021-02-03")
    texts.add_text("Comment", "Created with GIMP")
    assert find_missing(held(saved("PNG", pnginfo=texts)), held(saved())) == "its title and text"


def named_profile(name: str) -> bytes:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    place = made.index("sRGB built-in".encode("utf-16-be"))
    return made[:place] + name.ljust(13)[:13].encode("utf-16-be") + made[place + 26 :]


def test_a_profile_of_other_colours_is_missed(held: Held) -> None:
    plain = held(saved())
    wide = held(saved(icc_profile=named_profile("Display P3")))
    usual = held(
        saved(icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    )
    assert wide.facts == {"colour profile": {"Display P3"}}
    assert usual.facts == {}
    assert find_missing(wide, plain) == find_missing(wide, usual) == "its colour profile"
    assert find_missing(plain, wide) == find_missing(wide, wide) == ""
    damaged = held(saved(icc_profile=b"no profile at all"))
    assert find_missing(damaged, plain) == "its colour profile"


@pytest.mark.parametrize(
    ("name", "is_usual"),
    [
        ("Adobe RGB (1998)", False),
        ("ProPhoto RGB", False),
        ("IEC 61966-2-5 opRGB", False),
        ("Dot Gain 20%", False),
        ("sRGB IEC61966-2.1", True),
        ("GIMP built-in sRGB", True),
        ("IEC 61966-2-1 Default RGB", True),
        ("c2", True),
        ("Gray Gamma 2.2", True),
    ],
)
def test_profiles_of_the_older_form_are_known_by_name(
    held: Held, name: str, is_usual: bool
) -> None:
    text = name.encode() + b"\0"
    tag = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text
    old = bytes(128) + struct.pack(">I4sII", 1, b"desc", 144, len(tag)) + tag
    expected = {} if is_usual else {"colour profile": {name}}
    assert held(saved(icc_profile=old)).facts == expected


def test_long_texts_are_told_apart_by_all_of_them(held: Held) -> None:
    texts = ["story " * 100 + end for end in ("one", "two")]
    first, second = (
        held(saved(xmp=packet(listed("dc:description", text, kind="Alt")))) for text in texts
    )
    assert find_missing(first, second) == "its description"
    assert find_missing(first, first) == ""


EXTENSION = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32


def test_a_depth_map_and_keywords_in_further_xmp_are_found(held: Held) -> None:
    rest = packet(
        listed("dc:subject", "lake"),
        'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Data="aaaa"',
    )
    parts = [(40, rest[40:]), (0, rest[:40])]
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
        for body in (
            EXTENSION + struct.pack(">II", len(rest), place) + part for place, part in parts
        )
    )
    made = held(with_segment(segments))
    assert find_missing(made, held(saved())) == "a depth map, its keywords"


HOSTILE = {
    "truncated XMP": lambda: saved(xmp=packet(listed("dc:subject", "lake"))[:-60]),
    "billion laughs": lambda: saved(xmp=BILLION_LAUGHS),
    "XMP of an unknown encoding": lambda: saved(xmp=b'<?xml version="1.0" encoding="no"?><x/>'),
    "deep XMP": lambda: saved("PNG", pnginfo=_deep_xmp()),
    "XMP that is no XML": lambda: saved(xmp=b"\0\xff" * 50),
    "IPTC of a forbidden length": lambda: with_segment(
        photoshop_of(b"\x1c\x02\x78\xff\xff" + b"x" * 20)
    ),
    "IPTC of no length": lambda: with_segment(
        photoshop_of(b"\x1c\x02\x78\x80\x08\x7f" + b"\xff" * 9)
    ),
    "EXIF that is none": lambda: saved(exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"x" * 40),
    "EXIF cut short": lambda: saved(exif=full_exif().tobytes()[:60]),
    "EXIF of one byte": lambda: saved(exif=b"Exif\0\0I"),
}


def _deep_xmp() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "<x>" * 200_000)
    return texts


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells damaged EXIF by warnings
def test_metadata_that_cannot_be_read_is_held_until_the_other_has_the_same(
    held: Held, kind: str
) -> None:
    started = time.monotonic()
    made = held(HOSTILE[kind]())
    assert time.monotonic() - started < MAX_SECONDS
    assert UNREADABLE in made.facts
    assert UNREADABLE in find_missing(made, held(saved()))
    assert find_missing(made, made) == ""


def test_what_is_sound_in_damaged_xmp_counts_too(held: Held) -> None:
    made = held(saved(xmp=packet(listed("dc:subject", "lake"))[:-60]))
    assert made.facts["keywords"] == {"lake"}


def test_a_packet_beyond_all_measure_is_not_read() -> None:
    assert read_xmp(b"<x>" + b" " * MAX_XMP_BYTES + b"</x>") == ([], False)


def test_directories_of_exif_that_lead_to_themselves_end(held: Held) -> None:
    entry = struct.pack("<HHII", ExifTags.IFD.Exif, 4, 1, 8)
    loop = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 8)
    held(saved(exif=loop))


def test_pages_that_lead_to_themselves_end(held: Held) -> None:
    data = bytearray(saved("TIFF"))
    start = struct.unpack_from("<I", data, 4)[0]
    place = start + 2 + 12 * struct.unpack_from("<H", data, start)[0]
    data[place : place + 4] = struct.pack("<I", start)
    assert held(bytes(data)).n_frames <= 2


def test_a_jpeg_of_nothing_but_markers_ends(held: Held) -> None:
    started = time.monotonic()
    assert held(saved()[:-2] + b"\xff\x01" * 2_000_000).attachments
    assert time.monotonic() - started < MAX_SECONDS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=6))
@pytest.mark.filterwarnings("ignore::UserWarning")  # as above
def test_whatever_is_in_a_file_no_other_error_comes(
    tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes
) -> None:
    written = packet(listed("dc:subject", "lake"))
    data = saved(exif=full_exif(), xmp=written, comment="Anna") + FILM
    place %= len(data)
    path = tmp_path_factory.mktemp("junk") / "photo.jpg"
    path.write_bytes(data[:place] + junk + data[place + len(junk) :])
    try:
        made = read_holdings(str(path), DecodeSettings())
    except ImageError:
        return
    find_missing(made, Holdings())


def test_what_is_no_picture_is_an_error_as_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    with pytest.raises(ImageNotFoundError):
        read_holdings(str(path), DecodeSettings())
    path.write_bytes(b"no picture")
    with pytest.raises(ImageError):
        read_holdings(str(path), DecodeSettings())
    path.write_bytes(saved("PNG"))
    with pytest.raises(ImageTooLargeError):
        read_holdings(str(path), DecodeSettings(max_pixels_other=100))
    with pytest.raises(ImageTooLargeError):
        read_holdings(str(path), DecodeSettings(max_bytes=100))
