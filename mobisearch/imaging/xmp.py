"""What people write into the XMP packet of a picture: descriptions, keywords, ratings, names.

Nothing here follows an entity: a packet that declares a document type is not read.
"""

from __future__ import annotations

from xml.parsers import expat

MAX_XMP_BYTES = 16_000_000
"""Larger packets are not read. Programs put whole pictures into some, as base64."""

_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_FACTS = {
    f"{_DC} description": "description",
    f"{_DC} title": "title",
    f"{_DC} subject": "keywords",
    f"{_DC} creator": "author",
    f"{_DC} rights": "copyright",
    f"{_XMP} Rating": "rating",
    f"{_XMP} Label": "label",
    "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject": "keywords",
    f"{_PHOTOSHOP} Headline": "title",
    f"{_PHOTOSHOP} DateCreated": "date taken",
    f"{_EXIF} DateTimeOriginal": "date taken",
    f"{_EXIF} UserComment": "comment",
    f"{_EXIF} GPSLatitude": "position",
    "http://www.metadataworkinggroup.com/schemas/regions/ Name": "people",
    "http://ns.microsoft.com/photo/1.2/t/Region# PersonDisplayName": "people",
    f"{_IPTC_EXT} PersonInImage": "people",
    f"{_IPTC_CORE} Location": "place",
    f"{_PHOTOSHOP} City": "place",
    f"{_PHOTOSHOP} State": "place",
    f"{_PHOTOSHOP} Country": "place",
}
"""What a property says, by its namespace and name. Source: Adobe XMP specification, part 2; IPTC
photo metadata standard 2023.1; MWG guidelines 2.0, 5.9; Microsoft Photo 1.2 schema."""


class _RefusedError(Exception):
    """The packet has what no XMP has."""


class _Reader:
    """Collects the values of properties, written as attributes or as elements."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element's attributes, and note what its text is the value of."""
        for key, value in attributes.items():
            if fact := _FACTS.get(key):
                self.found.append((fact, value))
        self._open.append(_FACTS.get(name) or (self._open[-1] if self._open else ""))
        self._text.clear()

    def text(self, text: str) -> None:
        """Take some text."""
        if self._open and self._open[-1]:
            self._text.append(text)

    def end(self, _: str) -> None:
        """Take the text of an element with none inside."""
        fact = self._open.pop()
        if fact and self._text:
            self.found.append((fact, "".join(self._text)))
        self._text.clear()


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
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, _RefusedError, LookupError, ValueError):  # LookupError: of encodings
        return reader.found, False
    return reader.found, True


def _refuse(*_: object) -> None:
    raise _RefusedError
