"""What people write into the XMP packet of a picture: descriptions, keywords, names, edits.

What its properties mean is in ``xmp_names``. Nothing here follows an entity: a packet that declares
a document type is not read.
"""

from __future__ import annotations

import os
from itertools import zip_longest
from xml.parsers import expat

from mobisearch.imaging.facts import LATITUDE, LONGITUDE, position_of
from mobisearch.imaging.formats import READ_EXTENSIONS
from mobisearch.imaging.parts import MIN_UNKNOWN_BYTES
from mobisearch.imaging.xmp_names import (
    CAMERA_RAW,
    HARMLESS,
    UNKNOWN,
    is_flag,
    is_plumbing,
    known_fact,
    outer_fact,
)

MAX_XMP_BYTES = 16_000_000
"""Larger packets are not read. Programs put whole pictures into some, as base64."""

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
        self._degrees: dict[str, list[str]] = {LATITUDE: [], LONGITUDE: []}
        self._prefixes: dict[str, str] = {}
        self._open: list[tuple[str, bool]] = []  # of each element its fact, and if that is a flag
        self._text: list[str] = []

    def declare(self, prefix: str | None, space: str | None) -> None:
        """Take what a namespace is called."""
        if prefix and space:
            self._prefixes.setdefault(space, prefix)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take an element's attributes, and note what its text is the value of."""
        around = self._open[-1] if self._open else ("", False)
        fact = self._fact_of(name, around)
        for key, value in attributes.items():
            if not is_plumbing(key):
                self._take(*self._fact_of(key, fact), value)
        self._open.append(fact)
        self._text.clear()

    def text(self, text: str) -> None:
        """Take some text."""
        if self._open and self._open[-1][0] not in ("", HARMLESS):
            self._text.append(text)

    def end(self, _: str) -> None:
        """Take the text of an element with none inside."""
        fact = self._open.pop()
        if self._text:
            self._take(*fact, "".join(self._text))
        self._text.clear()

    def take_position(self) -> None:
        """Add where the picture was taken, which two properties say together."""
        for latitude, longitude in zip_longest(*self._degrees.values(), fillvalue=""):
            self.found.append(("position", position_of(latitude, longitude)))

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

    def _fact_of(self, name: str, around: tuple[str, bool]) -> tuple[str, bool]:
        """Return the fact that a name is inside of another one, and whether that is a flag."""
        if is_plumbing(name):
            return around
        if known := known_fact(name):
            return known, False
        if around[0]:
            return around
        space = name.rpartition(" ")[0]
        return outer_fact(name, self._prefixes.get(space, "")), is_flag(name)

    def _take(self, fact: str, is_flag: bool, value: str) -> None:
        value = value.strip()
        if fact == HARMLESS or not value or (is_flag and len(value) < MIN_UNKNOWN_BYTES):
            return
        if fact.startswith(CAMERA_RAW):
            self._settings.append((fact.removeprefix(CAMERA_RAW), value))
        elif fact in self._degrees:
            self._degrees[fact].append(value)
        elif not fact.startswith(UNKNOWN) or value.lower() != "false":
            self.found.append((fact, value))


def _says_done(name: str, value: str) -> bool:
    """Say whether a setting tells that all of them are in the pixels already.

    They are in what was developed from camera raw: older programs tell that by its name alone.
    """
    if name == "RawFileName":
        return os.path.splitext(value)[1].lower() not in READ_EXTENSIONS
    return name == "AlreadyApplied" and value.lower() == "true"


def read_xmp(packet: bytes) -> tuple[list[tuple[str, str]], bool]:
    """Return what a packet says, as names and values, and whether all of it could be read."""
    reader = _Reader()
    if len(packet) > MAX_XMP_BYTES:
        return [], False
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartNamespaceDeclHandler = reader.declare
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
    reader.take_position()
    return reader.found, is_whole


def _refuse(*_: object) -> None:
    raise _RefusedError
