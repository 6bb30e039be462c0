"""What is written into a picture's file beside its pixels: when, with what, where, what it shows.

A fact has a name, as people call it, and one value or several. The same fact counts as the same
wherever it is written: a description in EXIF, XMP or IPTC is a description.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from PIL import ExifTags, Image

from mobisearch.imaging import exif, photoshop
from mobisearch.imaging.colour_profiles import read_profile_name
from mobisearch.imaging.facts import (
    MAX_TEXT,
    RATING_PERCENT,
    Facts,
    Found,
    decode_text,
    note,
    note_unreadable,
)
from mobisearch.imaging.iptc import read_iptc
from mobisearch.imaging.png_texts import decode_raw_profile, iter_raw_profiles, iter_texts
from mobisearch.imaging.segments import iter_tiff_tags
from mobisearch.imaging.taking import comment_text, read_taking
from mobisearch.imaging.xmp import read_xmp

_EXIF_TEXTS = {
    ExifTags.Base.ImageDescription: "description",
    ExifTags.Base.Artist: "author",
    ExifTags.Base.Copyright: "copyright",
    ExifTags.Base.Rating: "rating",
    ExifTags.Base.RatingPercent: RATING_PERCENT,
}
_DETAIL_TEXTS = {0xA436: "title", 0xA437: "author", 0xA430: "author"}
"""What a picture is called, who took it, whose the camera is. Source: EXIF 3.0, 4.6.5, ImageTitle,
Photographer and CameraOwnerName."""

_HISTORY = 0x9213
_MIN_HISTORY_CHARS = 200
"""Shorter ones are a program's name and a time; longer ones may say what was done to a picture.
Source: TIFF/EP, ISO 12234-2, ImageHistory."""

_WINDOWS_TEXTS = {
    ExifTags.Base.XPTitle: "title",
    ExifTags.Base.XPComment: "comment",
    ExifTags.Base.XPAuthor: "author",
    ExifTags.Base.XPKeywords: "keywords",
    ExifTags.Base.XPSubject: "description",
}
"""UTF-16, little-endian, as the Windows Explorer writes them."""

_IPTC_TAG = 33723
_EXIF_MARK = b"Exif\0\0"
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
"""How segments of a JPEG begin. Source: Adobe XMP specification, part 3, 1.1.3."""


def read_annotations(image: Image.Image, data: bytes, sha256: str) -> Facts:
    """Return what the file of an opened picture says of it, at its first frame.

    Nothing is raised for what is damaged: it is told as one that cannot be read, with a hash of it.

    Args:
        image: opened from the data.
        data: the whole file.
        sha256: of the whole file, to tell by where what is damaged cannot be told from the rest.
    """
    facts: Facts = {}
    info = image.info

    def take(read: Callable[[], Found], raw: object) -> None:
        try:
            for name, value in read():
                note(facts, name, value)
        except Exception:  # noqa: BLE001 - damaged metadata raises a dozen kinds
            note_unreadable(facts, raw, sha256)

    def take_xmp(packet: object) -> None:
        found, is_whole = read_xmp(packet) if isinstance(packet, bytes) and packet else ([], True)
        for name, value in found:
            note(facts, name, value)
        if not is_whole:
            note_unreadable(facts, packet, sha256)

    def take_profile(kind: str, text: str) -> None:
        try:
            profile = decode_raw_profile(text)
        except ValueError:
            note_unreadable(facts, text.encode("utf-8", "surrogatepass"), sha256)
            return
        if kind == "xmp" or profile.startswith(_XMP_MARK):
            take_xmp(profile.removeprefix(_XMP_MARK))
        elif kind in ("iptc", "8bim"):
            take(partial(_read_iptc_profile, profile), profile)
        else:
            take(partial(_read_exif_profile, profile), profile)

    take(partial(_read_exif, image), info.get("exif"))
    for packet in (info.get("xmp"), extended_xmp(image)):
        take_xmp(packet)
    for block in _iptc_blocks(image, data):
        take(partial(read_iptc, block), block)
    take(partial(_read_comments, image), info.get("comment"))
    texts = getattr(image, "text", {}) if image.format == "PNG" else {}
    take(partial(iter_texts, texts), None)
    for kind, text in iter_raw_profiles(texts):
        if kind == "text":
            note(facts, kind, text)
        else:
            take_profile(kind, text)
    profile = info.get("icc_profile")
    if isinstance(profile, bytes) and profile and (name := read_profile_name(profile)):
        note(facts, "colour profile", name)
    return facts


def _read_exif(image: Image.Image) -> Found:
    raw = image.info.get("exif")
    return _exif_facts(image.getexif(), raw if isinstance(raw, bytes) else b"")


def _read_exif_profile(profile: bytes) -> Found:
    tags = Image.Exif()
    tags.load(profile)
    return _exif_facts(tags, profile)


def _exif_facts(tags: Image.Exif, raw: bytes) -> Found:
    raw = raw.removeprefix(_EXIF_MARK)
    if raw and not len(tags):
        _check_empty(raw, None)
    for tag, name in _EXIF_TEXTS.items():
        value = tags.get(tag)
        text = str(value) if isinstance(value, int) else exif.clean_text(value, MAX_TEXT)
        yield name, text
    for tag, name in _WINDOWS_TEXTS.items():
        value = tags.get(tag)
        if isinstance(value, bytes | tuple):
            text = bytes(value).decode("utf-16-le", "replace")
            for part in text.split(";") if name == "keywords" else [text]:
                yield name, part
    details = _directory(tags, raw, ExifTags.IFD.Exif)
    position = _directory(tags, raw, ExifTags.IFD.GPSInfo)
    facts = exif.read_facts(tags)
    yield "camera", facts.camera
    if facts.latitude is not None:
        yield "position", f"{facts.latitude} {facts.longitude}"
    if (taken := exif.read_date_taken(details)) is not None:
        yield "date taken", taken
    else:
        yield "date", facts.taken_at
    yield "comment", comment_text(details.get(ExifTags.Base.UserComment))
    for number, name in _DETAIL_TEXTS.items():
        yield name, details.get(number)
    history = exif.clean_text(details.get(_HISTORY), MAX_TEXT)
    if len(history) > _MIN_HISTORY_CHARS:
        yield "history", history
    yield from read_taking(tags, details, position)


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


def _iptc_blocks(image: Image.Image, data: bytes) -> Iterator[bytes]:
    """Yield what a JPEG or a TIFF has of IPTC, by itself and among the resources of Photoshop."""
    resources = [
        content.removeprefix(photoshop.JPEG_MARK)
        for segment, content in getattr(image, "applist", ())
        if segment == "APP13" and content.startswith(photoshop.JPEG_MARK)
    ]
    for tag, _, content in iter_tiff_tags(data) if image.format == "TIFF" else ():
        if tag == _IPTC_TAG:  # which some programs write as numbers of four bytes
            yield bytes(content)
        elif tag == photoshop.TIFF_TAG:
            resources.append(bytes(content))
    yield from _iptc_of_resources(b"".join(resources))


def _iptc_of_resources(resources: bytes) -> Iterator[bytes]:
    for number, content in photoshop.iter_resources(resources):
        if number == photoshop.IPTC:
            yield content


def _read_iptc_profile(profile: bytes) -> Found:
    """Read IPTC as ImageMagick keeps it, most often inside a resource of Photoshop."""
    is_bare = profile.startswith(b"\x1c")
    for block in [profile] if is_bare else _iptc_of_resources(profile):
        yield from read_iptc(block)


def _read_comments(image: Image.Image) -> Found:
    comments = [content for name, content in getattr(image, "applist", ()) if name == "COM"]
    for comment in comments or [image.info.get("comment")]:
        yield "comment", decode_text(comment)
