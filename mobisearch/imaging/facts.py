"""Facts that are written into files: a name, and values in the one form in which they are compared.

Where they are read is in ``annotations``. The same fact counts as the same wherever it is written
and in whatever form: three stars are three stars, in percent as well.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from mobisearch.imaging.exif import clean_text

Facts: TypeAlias = dict[str, set[str]]
Found: TypeAlias = Iterable[tuple[str, object]]

UNREADABLE = "metadata that cannot be read"

RATING_PERCENT = "rating in percent"
KEYWORD_PATH = "path of keywords"
COLOUR_NUMBER = "number of a colour label"
PICK_NUMBER = "number of a pick label"
"""Names of facts in forms of their own: ``note`` makes another of each."""

LATITUDE = "latitude"
LONGITUDE = "longitude"
"""What ``position_of`` makes a position of."""

_DEGREES = re.compile(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])", re.ASCII)
"""As XMP has them. Source: Adobe XMP specification, part 1, 8.2.2.4, GPSCoordinate."""

_DEGREE_DIGITS = 4
"""Of a degree: some ten metres. EXIF and XMP are not exact to the same digit."""

SETTINGS = (
    *("exposure time", "aperture", "sensitivity", "focal length", "lens"),
    *("serial number", "lens's serial number"),
)
"""How cameras were set, and which they were."""

MAX_TEXT = 1 << 20
_MAX_KEPT = 200

_OF_PROGRAMS = re.compile(
    r"CREATOR: gd-jpeg v[\d.]+ \(using IJG JPEG v\d+\), (default quality|quality = \d+)"
    r"|Lavc[\d.]*|Created with (The )?GIMP|LEAD Technologies Inc\. V[\d.]+|AppleMark"
    r"|Intel\(R\) JPEG Library, version \[?[\d.]+\]?|Optimized by JPEGmini [\d.]+ 0x[0-9a-f]+"
    r"|File written by Adobe Photoshop.{0,3} [\d.]+"
    r"|Created by OpenJPEG version [\d.]+|Kakadu-v[\d.]+|Picasa [\d.]+"
)
"""What programs write by themselves."""

_OF_NETWORKS = re.compile(r"FBMD[0-9a-f]+")
"""What Facebook marks its copies with, as instructions."""

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

_DATE = re.compile(
    r"(\d{4})[-:]?([01]\d)[-:]?([0-3]\d)"
    r"(?:[T ]?([0-2]\d):?([0-5]\d)(?::?([0-6]\d)(?:\.\d+)?)?)? ?(?:(Z)|([+-]\d\d):?(\d\d))?",
    re.ASCII,
)
"""As EXIF, XMP and IPTC have it, and programs that mix them up."""

_LEAST_PERCENT = ((88, "5"), (63, "4"), (38, "3"), (13, "2"), (1, "1"))
"""Stars, and from how many percent on. Windows writes 1, 25, 50, 75 and 99. Source:
https://learn.microsoft.com/windows/win32/properties/props-system-rating."""

_COLOURS = ("", "Red", "Orange", "Yellow", "Green", "Blue", "Magenta", "Gray", "Black", "White")
_PICKS = ("", "rejected", "pending", "accepted")
"""By number, as digiKam numbers them and names them in ``xmp:Label``. Source: its
``digikam_globals.h``, ColorLabel and PickLabel."""


def note(facts: Facts, name: str, value: object) -> None:
    """Add a value, unless it is empty. Of a long one the beginning is kept, and a hash."""
    text = clean_text(value, MAX_TEXT)
    if name in _FORMS and text:
        name, in_one_form = _FORMS[name]
        text = in_one_form(text)
    if not text or (name in _FREE_TEXTS and _is_of_machine(text)):
        return
    if len(text) > _MAX_KEPT:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        text = f"{text[:_MAX_KEPT]}... ({digest})"
    facts.setdefault(name, set()).add(text)


def note_unreadable(facts: Facts, raw: object, sha256: str) -> None:
    """Add that something cannot be read, with a hash of it, or of the whole file."""
    of_it = hashlib.sha256(raw).hexdigest() if isinstance(raw, bytes) and raw else sha256
    facts.setdefault(UNREADABLE, set()).add(of_it)


def decode_text(value: object) -> object:
    """Return bytes as text, in UTF-8 if they are that; anything else as it is."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def position_of(latitude: str, longitude: str) -> str:
    """Return a position in the one form of it from how XMP has it."""
    return " ".join(map(_in_degrees, (latitude, longitude))).strip()


def _in_degrees(text: str) -> str:
    found = _DEGREES.fullmatch(text)
    if found is None:
        return text
    degrees = int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    return str(-degrees if found[4] in "SW" else degrees)


def _position(text: str) -> str:
    """Return degrees to as many digits as are compared; anything else as it is."""
    try:
        return " ".join(str(round(float(part), _DEGREE_DIGITS)) for part in text.split())
    except ValueError:
        return text


def _number(text: str) -> str:
    """Return a number, which XMP has as a fraction, to a tenth, and nothing for none."""
    above, _, below = text.partition("/")
    try:
        value = float(above) / float(below or 1)
    except ZeroDivisionError:
        return ""
    except ValueError:
        return text
    return str(round(value, 1)) if math.isfinite(value) else ""


def _setting(text: str) -> str:
    """Return what is not zero, or dashes, which cameras write for what they do not know."""
    return text if re.search(r"[^-0./ ]", text.removeprefix("nan")) else ""


def _is_of_machine(text: str) -> bool:
    return text in _OF_CAMERAS or _OF_PROGRAMS.fullmatch(text) is not None


def _stars(text: str) -> str:
    """Return a rating without the fraction that some write, and nothing for none."""
    text = re.sub(r"\.0*$", "", text)
    return "" if text.strip("0.") == "" else text


def _stars_of_percent(text: str) -> str:
    try:
        percent = float(text)
    except ValueError:
        return text
    return next((stars for least, stars in _LEAST_PERCENT if percent >= least), "")


def _date(text: str) -> str:
    """Return a date as in ISO 8601, to the second or as far as it goes."""
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    year, month, day, hours, minutes, seconds, utc, zone_hours, zone_minutes = found.groups()
    date = f"{year}-{month}-{day}"
    if hours is None:
        return date
    date += f"T{hours}:{minutes}" + (f":{seconds}" if seconds else "")
    if utc:
        return f"{date}+00:00"
    return f"{date}{zone_hours}:{zone_minutes}" if zone_hours else date


def _numbered(names: tuple[str, ...]) -> Callable[[str], str]:
    def in_words(text: str) -> str:
        if text == "-1":  # none was ever given
            return ""
        return names[int(text)] if re.fullmatch(r"\d", text) and int(text) < len(names) else text

    return in_words


_FORMS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "rating": ("rating", _stars),
    RATING_PERCENT: ("rating", _stars_of_percent),
    KEYWORD_PATH: ("keywords", lambda text: text.replace("/", "|")),  # as Lightroom writes them
    COLOUR_NUMBER: ("label", _numbered(_COLOURS)),
    PICK_NUMBER: ("label", _numbered(_PICKS)),
    "date taken": ("date taken", _date),
    "date": ("date", _date),
    "position's time": ("position's time", _date),
    "position": ("position", _position),
    "altitude": ("altitude", _number),
    "direction": ("direction", _number),
    **{name: (name, _setting) for name in SETTINGS},
    "instructions": ("instructions", lambda t: "" if _OF_NETWORKS.fullmatch(t) else t),
}
"""Which fact one counts as, and what makes the one form of its values."""
