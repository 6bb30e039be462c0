"""What is written into a picture's file beside its pixels: when, with what, where, what it shows.

A fact has a name, as people call it, and one value or several. The same fact counts as the same
wherever it is written: a description in EXIF, XMP or IPTC is a description.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from PIL import ExifTags, Image

from mobisearch.imaging import exif
from mobisearch.imaging.colour_profiles import read_profile_name
from mobisearch.imaging.xmp import read_xmp

Facts: TypeAlias = dict[str, set[str]]
Found: TypeAlias = Iterable[tuple[str, object]]

UNREADABLE = "metadata that cannot be read"

_MAX_TEXT = 1 << 20
_MAX_KEPT = 200

_EXIF_TEXTS = {
    ExifTags.Base.ImageDescription: "description",
    ExifTags.Base.Artist: "author",
    ExifTags.Base.Copyright: "copyright",
    ExifTags.Base.Rating: "rating",
}
_WINDOWS_TEXTS = {
    ExifTags.Base.XPTitle: "title",
    ExifTags.Base.XPComment: "comment",
    ExifTags.Base.XPAuthor: "author",
    ExifTags.Base.XPKeywords: "keywords",
    ExifTags.Base.XPSubject: "description",
}
"""UTF-16, little-endian, as the Windows Explorer writes them."""

_CHARSETS = {b"ASCII\0\0\0": "utf-8", b"UNICODE\0": "utf-16", b"\0" * 8: "utf-8"}
"""How EXIF says what a comment is written in. Source: EXIF 2.32, 4.6.5, tag 0x9286."""

_IPTC_TEXTS = {
    (2, 5): "title",
    (2, 25): "keywords",
    (2, 55): "date taken",
    (2, 80): "author",
    (2, 90): "place",
    (2, 92): "place",
    (2, 95): "place",
    (2, 101): "place",
    (2, 105): "title",
    (2, 116): "copyright",
    (2, 120): "description",
}
"""Source: IPTC-NAA Information Interchange Model 4.2, record 2."""

_PNG_TEXTS = {
    "title": "title",
    "description": "description",
    "author": "author",
    "copyright": "copyright",
    "comment": "comment",
    "creation time": "date taken",
}
"""Source: W3C PNG, 11.3.3.1. Other keywords are told as text."""

_OWN_PNG_TEXTS = re.compile(
    r"(software|source|warning|disclaimer|signature|icc_profile_name|date:.*|exif:.*|png:.*|"
    r"tiff:.*|icc:.*|xmp:.*|jpeg:.*|thumb::.*|raw profile type.*|xml:.*)",
    re.IGNORECASE,
)
"""What programs write by themselves, and what is read elsewhere."""

_OF_PROGRAMS = re.compile(
    r"CREATOR: gd-jpeg v[\d.]+ \(using IJG JPEG v\d+\), (default quality|quality = \d+)"
    r"|Lavc[\d.]*|Created with (The )?GIMP|LEAD Technologies Inc\. V[\d.]+|AppleMark"
    r"|Intel\(R\) JPEG Library, version \[?[\d.]+\]?|Optimized by JPEGmini [\d.]+ 0x[0-9a-f]+"
    r"|File written by Adobe Photoshop.{0,3} [\d.]+"
    r"|Created by OpenJPEG version [\d.]+|Kakadu-v[\d.]+|Picasa [\d.]+"
)
"""What programs write by themselves."""

_FREE_TEXTS = frozenset({"description", "comment", "author"})
"""Facts in which cameras and programs tell of themselves."""

_OF_CAMERAS = frozenset(
    {
        "OLYMPUS DIGITAL CAMERA",
        "SONY DSC",
        "MINOLTA DIGITAL CAMERA",
        "KONICA MINOLTA DIGITAL CAMERA",
        "KODAK Digital Still Camera",
        "SAMSUNG CAMERA PICTURES",
        "Exif_JPEG_PICTURE",
    }
)
"""Descriptions that cameras write into every photo."""


def read_annotations(image: Image.Image, sha256: str) -> Facts:
    """Return what the file of an opened picture says of it, at its first frame.

    Nothing is raised for what is damaged: it is told as one that cannot be read, with a hash of it.

    Args:
        sha256: of the whole file, to tell by where what is damaged cannot be told from the rest.
    """
    facts: Facts = {}
    info = image.info

    def take(read: Callable[[Image.Image], Found], raw: object) -> None:
        try:
            for name, value in read(image):
                _note(facts, name, value)
        except Exception:  # noqa: BLE001 - damaged metadata raises a dozen kinds
            _note_unreadable(facts, raw, sha256)

    take(_read_exif, info.get("exif"))
    for packet in (info.get("xmp"), extended_xmp(image)):
        found, is_whole = read_xmp(packet) if isinstance(packet, bytes) and packet else ([], True)
        for name, value in found:
            _note(facts, name, value)
        if not is_whole:
            _note_unreadable(facts, packet, sha256)
    photoshop = info.get("photoshop")
    take(_read_iptc, photoshop.get(0x0404) if isinstance(photoshop, dict) else None)
    take(_read_comments, info.get("comment"))
    if image.format == "PNG":
        take(_read_png_texts, None)
    profile = info.get("icc_profile")
    if isinstance(profile, bytes) and profile and (name := read_profile_name(profile)):
        _note(facts, "colour profile", name)
    return facts


def _note(facts: Facts, name: str, value: object) -> None:
    """Add a value, unless it is empty. Of a long one the beginning is kept, and a hash."""
    text = exif.clean_text(value, _MAX_TEXT)
    if not text or (name == "rating" and text.strip("0.") == ""):
        return
    if name in _FREE_TEXTS and (text in _OF_CAMERAS or _OF_PROGRAMS.fullmatch(text)):
        return
    if len(text) > _MAX_KEPT:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        text = f"{text[:_MAX_KEPT]}... ({digest})"
    facts.setdefault(name, set()).add(text)


def _note_unreadable(facts: Facts, raw: object, sha256: str) -> None:
    of_it = hashlib.sha256(raw).hexdigest() if isinstance(raw, bytes) and raw else sha256
    facts.setdefault(UNREADABLE, set()).add(of_it)


def _read_exif(image: Image.Image) -> Found:
    tags = image.getexif()
    raw = image.info.get("exif")
    raw = raw.removeprefix(b"Exif\0\0") if isinstance(raw, bytes) else b""
    if raw and not len(tags):
        _check_empty(raw, None)
    for tag, name in _EXIF_TEXTS.items():
        value = tags.get(tag)
        text = str(value) if isinstance(value, int) else exif.clean_text(value, _MAX_TEXT)
        yield name, text
    for tag, name in _WINDOWS_TEXTS.items():
        value = tags.get(tag)
        if isinstance(value, bytes | tuple):
            text = bytes(value).decode("utf-16-le", "replace")
            for part in text.split(";") if name == "keywords" else [text]:
                yield name, part
    details = _directory(tags, raw, ExifTags.IFD.Exif)
    _directory(tags, raw, ExifTags.IFD.GPSInfo)
    facts = exif.read_facts(tags)
    yield "camera", facts.camera
    if facts.latitude is not None:
        yield "position", f"{facts.latitude} {facts.longitude}"
    if (taken := exif.read_date_taken(details)) is not None:
        yield "date taken", taken
    else:
        yield "date", facts.taken_at
    yield "comment", _comment_text(details.get(ExifTags.Base.UserComment))


def _directory(tags: Image.Exif, raw: bytes, which: int) -> Mapping[int, Any]:
    """Return a directory of EXIF.

    Raises:
        ValueError: Pillow has nothing of it although there is something in it.
    """
    pointer = tags.get(which)
    found: Mapping[int, Any] = tags.get_ifd(which)
    if isinstance(pointer, int) and raw and not found:
        _check_empty(raw, pointer)
    return found


def _check_empty(raw: bytes, pointer: int | None) -> None:
    """Raise an error unless the directory at a place, None: the first, is one without entries."""
    order = "<" if raw[:2] == b"II" else ">"
    if pointer is None:
        (pointer,) = struct.unpack_from(f"{order}I", raw, 4)
    (count,) = struct.unpack_from(f"{order}H", raw, pointer)
    if count:
        raise ValueError("a directory that cannot be read")


def _comment_text(value: object) -> str:
    if isinstance(value, bytes) and value[:8] in _CHARSETS:
        charset = _CHARSETS[value[:8]]
        if charset == "utf-16" and value[8:10] not in (b"\xff\xfe", b"\xfe\xff"):
            # Both orders are found, and most comments have characters below 256.
            charset = "utf-16-le" if value[9:10] == b"\0" else "utf-16-be"
        value = value[8:].decode(charset, "replace")
    return exif.clean_text(value, _MAX_TEXT)


def extended_xmp(image: Image.Image) -> bytes:
    """Return what a JPEG's XMP goes on with in further segments, in their order; else nothing.

    Source: Adobe XMP specification, part 3, 1.1.3.1.
    """
    mark = b"http://ns.adobe.com/xmp/extension/\0"
    head = len(mark) + 32 + 4  # a name of 32 digits, the length of all, then the place of this part
    parts = [
        (content[head : head + 4], content[head + 4 :])
        for segment, content in getattr(image, "applist", ())
        if segment == "APP1" and content.startswith(mark)
    ]
    return b"".join(content for _, content in sorted(parts, key=lambda part: part[0]))


def _read_iptc(image: Image.Image) -> Found:
    from PIL import ImageFile, IptcImagePlugin  # here, to keep importing this module quick

    assert isinstance(image, ImageFile.ImageFile)
    for key, value in (IptcImagePlugin.getiptcinfo(image) or {}).items():
        if name := _IPTC_TEXTS.get(key):
            for each in value if isinstance(value, list) else [value]:
                yield name, _decode(each)


def _read_comments(image: Image.Image) -> Found:
    comments = [content for name, content in getattr(image, "applist", ()) if name == "COM"]
    for comment in comments or [image.info.get("comment")]:
        yield "comment", _decode(comment)


def _read_png_texts(image: Image.Image) -> Found:
    for key, value in image.text.items():  # type: ignore[attr-defined]  # of PngImageFile alone
        if not _OWN_PNG_TEXTS.fullmatch(key) and isinstance(value, str):
            yield _PNG_TEXTS.get(key.lower(), "text"), value


def _decode(value: object) -> object:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
