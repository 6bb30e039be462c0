"""What people write into the XMP packet of a picture: descriptions, keywords, names, edits.

Nothing here follows an entity: a packet that declares a document type is not read.
"""

from __future__ import annotations

import os
from xml.parsers import expat

from mobisearch.imaging.facts import COLOUR_NUMBER, KEYWORD_PATH, PICK_NUMBER, RATING_PERCENT
from mobisearch.imaging.formats import READ_EXTENSIONS

MAX_XMP_BYTES = 16_000_000
"""Larger packets are not read. Programs put whole pictures into some, as base64."""

_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_DIGIKAM = "http://www.digikam.org/ns/1.0/"
_MICROSOFT = "http://ns.microsoft.com/photo/1.0"  # with a slash at its end and without
_ACDSEE = "http://ns.acdsee.com/iptc/1.0/"
_CAMERA_RAW = "http://ns.adobe.com/camera-raw-settings/1.0/ "

_FACTS = {
    f"{_DC} description": "description",
    f"{_DC} title": "title",
    f"{_DC} subject": "keywords",
    f"{_DC} creator": "author",
    f"{_DC} rights": "copyright",
    f"{_DC} source": "source",
    f"{_XMP} Rating": "rating",
    f"{_XMP} Label": "label",
    f"{_XMP} CreateDate": "date",
    "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject": "keywords",
    f"{_PHOTOSHOP} Headline": "title",
    f"{_PHOTOSHOP} DateCreated": "date taken",
    f"{_PHOTOSHOP} Instructions": "instructions",
    f"{_PHOTOSHOP} City": "place",
    f"{_PHOTOSHOP} State": "place",
    f"{_PHOTOSHOP} Country": "place",
    f"{_EXIF} DateTimeOriginal": "date taken",
    f"{_EXIF} DateTimeDigitized": "date",
    f"{_EXIF} UserComment": "comment",
    f"{_EXIF} GPSLatitude": "position",
    f"{_TIFF} ImageDescription": "description",
    f"{_TIFF} Artist": "author",
    f"{_TIFF} Copyright": "copyright",
    "http://www.metadataworkinggroup.com/schemas/regions/ Name": "people",
    "http://www.metadataworkinggroup.com/schemas/keywords/ Keyword": "keywords",
    "http://ns.microsoft.com/photo/1.2/t/Region# PersonDisplayName": "people",
    f"{_MICROSOFT} LastKeywordXMP": KEYWORD_PATH,
    f"{_MICROSOFT}/ LastKeywordXMP": KEYWORD_PATH,
    f"{_MICROSOFT} Rating": RATING_PERCENT,
    f"{_MICROSOFT}/ Rating": RATING_PERCENT,
    f"{_IPTC_CORE} Location": "place",
    f"{_IPTC_CORE} AltTextAccessibility": "description",
    f"{_IPTC_CORE} ExtDescrAccessibility": "description",
    f"{_IPTC_EXT} PersonInImage": "people",
    f"{_IPTC_EXT} PersonInImageWDetails": "people",
    f"{_IPTC_EXT} Event": "event",
    f"{_IPTC_EXT} LocationShown": "place",
    f"{_IPTC_EXT} LocationCreated": "place",
    f"{_DIGIKAM} TagsList": KEYWORD_PATH,
    f"{_DIGIKAM} PickLabel": PICK_NUMBER,
    f"{_DIGIKAM} ColorLabel": COLOUR_NUMBER,
    f"{_ACDSEE} caption": "description",
    f"{_ACDSEE} notes": "comment",
    f"{_ACDSEE} author": "author",
    f"{_ACDSEE} keywords": "keywords",
    f"{_ACDSEE} rating": "rating",
}
"""What a property says, by its namespace and name. Source: Adobe XMP specification, part 2; IPTC
photo metadata standard 2023.1; MWG guidelines 2.0, 5.9 and 5.10; Microsoft Photo 1.0 and 1.2
schemas; https://exiftool.org/TagNames/XMP.html for digiKam and ACDSee."""

_NOT_VALUES = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns# ",
    "http://www.w3.org/XML/1998/namespace ",
)
"""How attributes begin that say how to read what is around them."""

_NO_EDITS = frozenset({"Version", "RawFileName", "AlreadyApplied"})
"""Properties of Camera Raw that change nothing of a picture. Source: Adobe XMP specification, part
2, 3.3, Camera Raw namespace."""


class _RefusedError(Exception):
    """The packet has what no XMP has."""


class _Reader:
    """Collects the values of properties, written as attributes or as elements."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._settings: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element's attributes, and note what its text is the value of."""
        around = self._open[-1] if self._open else ""
        fact = _fact_of(name) or around
        for key, value in attributes.items():
            own = _fact_of(key)
            if own or (fact and not key.startswith(_NOT_VALUES) and " " in key):
                self._take(own or fact, value)
        self._open.append(fact)
        self._text.clear()

    def text(self, text: str) -> None:
        """Take some text."""
        if self._open and self._open[-1]:
            self._text.append(text)

    def end(self, _: str) -> None:
        """Take the text of an element with none inside."""
        fact = self._open.pop()
        if fact and self._text:
            self._take(fact, "".join(self._text))
        self._text.clear()

    def take_edits(self) -> None:
        """Add what Camera Raw is to do with the picture as one fact, unless that is done."""
        if any(_says_done(name, value) for name, value in self._settings):
            return
        lines = [
            f"{name}={value}"
            for name, value in self._settings
            if name not in _NO_EDITS and (not name.startswith("Has") or value.lower() != "false")
        ]
        if lines:
            self.found.append(("edits", "; ".join(sorted(lines))))

    def _take(self, fact: str, value: str) -> None:
        if not fact.startswith(_CAMERA_RAW):
            self.found.append((fact, value))
        elif value.strip():
            self._settings.append((fact.removeprefix(_CAMERA_RAW), value.strip()))


def _says_done(name: str, value: str) -> bool:
    """Say whether a setting tells that all of them are in the pixels already.

    They are in what was developed from camera raw: older programs tell that by its name alone.
    """
    if name == "RawFileName":
        return os.path.splitext(value)[1].lower() not in READ_EXTENSIONS
    return name == "AlreadyApplied" and value.lower() == "true"


def _fact_of(name: str) -> str:
    """Return the fact that a property is; of a setting of Camera Raw its own name; else ""."""
    return name if name.startswith(_CAMERA_RAW) else _FACTS.get(name, "")


def read_xmp(packet: bytes) -> tuple[list[tuple[str, str]], bool]:
    """Return what a packet says, as names and values, and whether all of it could be read."""
    reader = _Reader()
    if len(packet) > MAX_XMP_BYTES:
        return [], False
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    is_whole = True
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, _RefusedError, LookupError, ValueError):  # LookupError: of encodings
        is_whole = False
    reader.take_edits()
    return reader.found, is_whole


def _refuse(*_: object) -> None:
    raise _RefusedError
