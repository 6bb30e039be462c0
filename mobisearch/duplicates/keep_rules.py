"""The rules by which one of several copies is kept, each by its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mobisearch.duplicates.companions import CompanionFinder
from mobisearch.errors import UnknownKeepRuleError
from mobisearch.imaging.formats import PILLOW_FORMATS
from mobisearch.text import counted
from mobisearch.types import ImageRecord

ALL_RULES = (
    *("original", "largest", "smallest", "raw", "lossless", "richest", "finest"),
    *("oldest", "newest", "shortest-path"),
    *("path:FOLDER", "format:NAME"),
)
"""What ``--keep`` takes, in any order."""

_MOST_BYTES = 3.0
"""For a pixel: what colours take uncompressed."""

LOSSLESS = frozenset({"PNG", "TIFF", "BMP", "DIB", "PPM"})
"""Formats that keep every pixel as it is."""

_OTHER_NAMES = {"JPG": "JPEG", "HEIC": "HEIF", "TIF": "TIFF", "JP2": "JPEG2000"}
"""Of formats, as file names have them."""

_Rank: TypeAlias = Callable[[ImageRecord], Any]
_Words: TypeAlias = Callable[[ImageRecord], str]


@dataclass(frozen=True, slots=True)
class KeepRule:
    """One rule: of two images, the one with the lower rank is kept.

    Attributes:
        name: as the user gave it.
        rank: gives values that can be compared with one another.
        describe: says of an image what the rule looks at.
    """

    name: str
    rank: _Rank
    describe: _Words


def is_inside(path: str, folders: Sequence[str]) -> bool:
    """Say whether a path is one of some folders, or below one. All are real absolute paths."""
    return any(
        path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders
    )


def parse_rules(names: Sequence[str], finder: CompanionFinder | None = None) -> list[KeepRule]:
    """Return rules by name, the most important first.

    Args:
        names: such as ``"largest"`` or ``"path:~/Archive"``; see ``DuplicateSettings.keep``.
        finder: what to find companions with; None looks at the folders as they are now.

    Raises:
        UnknownKeepRuleError: there is no such rule, or it lacks its folder or a format that exists.
    """
    finder = finder or CompanionFinder()
    return [_parse_rule(name.strip(), finder) for name in names]


def _parse_rule(name: str, finder: CompanionFinder) -> KeepRule:
    word, colon, value = name.partition(":")
    if colon and word in ("path", "format"):
        if not value:
            what = "a folder" if word == "path" else "a format"
            raise UnknownKeepRuleError(name, ALL_RULES, f"the rule {name!r} lacks {what}")
        return _path_rule(name, value) if word == "path" else _format_rule(name, value)
    if name == "raw":
        return _raw_rule(name, finder)
    if name not in _SIMPLE_RULES:
        raise UnknownKeepRuleError(name, ALL_RULES, "" if name else "a rule has no name")
    return KeepRule(name, *_SIMPLE_RULES[name])


def _raw_rule(name: str, finder: CompanionFinder) -> KeepRule:
    """Return the rule for what has a RAW beside it; of others, for what has other companions."""
    words = ("has a RAW beside it", "has a file of its own beside it", "has no RAW beside it")

    def rank(image: ImageRecord) -> int:
        if finder.has_raw(image.path):
            return 0
        return 1 if finder.find(image.path) else 2

    return KeepRule(name, rank, lambda image: words[rank(image)])


def _path_rule(name: str, folder: str) -> KeepRule:
    real = os.path.realpath(os.path.expanduser(folder))
    return KeepRule(
        name,
        lambda image: not is_inside(image.path, (real,)),
        lambda image: (
            f"is in {folder}" if is_inside(image.path, (real,)) else f"is not in {folder}"
        ),
    )


def _format_rule(name: str, wanted: str) -> KeepRule:
    upper = _OTHER_NAMES.get(wanted.upper(), wanted.upper())
    if upper not in PILLOW_FORMATS:
        raise UnknownKeepRuleError(name, PILLOW_FORMATS, f"there is no format {wanted!r}")
    return KeepRule(
        name, lambda image: image.format.upper() != upper, lambda image: f"is {image.format}"
    )


def _coarseness(image: ImageRecord) -> float:
    """Rank by bytes for each pixel; of files without loss none is finer than another."""
    if image.format.upper() in LOSSLESS:
        return -_MOST_BYTES
    return -min(image.size_bytes / max(1, image.width * image.height), _MOST_BYTES)


def _richness(image: ImageRecord) -> int:
    return sum(value is not None for value in (image.taken_at, image.camera, image.latitude))


def _richness_words(image: ImageRecord) -> str:
    facts = {"date": image.taken_at, "camera": image.camera, "position": image.latitude}
    there = [name for name, value in facts.items() if value is not None]
    return f"has EXIF {', '.join(there)}" if there else "has no EXIF date, camera or position"


def _day(image: ImageRecord) -> tuple[int, str, int]:
    """Rank by when it was taken; images that do not say come last, by when they were changed."""
    if image.taken_at is not None:
        return 0, image.taken_at, 0
    return 1, "", image.mtime_ns


def _newest(image: ImageRecord) -> tuple[int, tuple[int, ...], int]:
    is_undated, taken_at, mtime_ns = _day(image)
    return is_undated, tuple(-ord(character) for character in taken_at), -mtime_ns


def _day_words(image: ImageRecord) -> str:
    if image.taken_at:
        return f"was taken {image.taken_at}"
    try:
        changed = datetime.fromtimestamp(image.mtime_ns / 1e9, UTC)
    except (OverflowError, OSError, ValueError):  # times that file systems have, and calendars not
        return f"was changed at {image.mtime_ns} ns"
    return f"was changed {changed.isoformat(sep=' ', timespec='milliseconds')[:-6]} UTC"


def _pixel_words(image: ImageRecord) -> str:
    words = f"has {image.width} x {image.height} pixels"
    return f"{words}, cut short" if image.is_truncated else words


_SIMPLE_RULES: Mapping[str, tuple[_Rank, _Words]] = {
    # Of what was done to images more is known where they are compared with one another.
    "original": (lambda _: 0, lambda _: "was not made from another, as far as it shows"),
    # A picture that is cut short has grey where its pixels should be: any whole one is larger.
    "largest": (lambda image: (image.is_truncated, -image.width * image.height), _pixel_words),
    "smallest": (
        lambda image: (image.is_truncated, image.size_bytes),
        lambda image: f"takes {image.size_bytes:,} bytes",
    ),
    "lossless": (
        lambda image: image.format.upper() not in LOSSLESS,
        lambda image: f"is {image.format}",
    ),
    "richest": (lambda image: -_richness(image), _richness_words),
    "finest": (
        _coarseness,
        lambda image: f"takes {image.size_bytes:,} bytes",
    ),
    "oldest": (_day, _day_words),
    "newest": (_newest, _day_words),
    "shortest-path": (
        lambda image: (image.path.count(os.sep), len(image.path)),
        lambda image: (
            f"is {counted(image.path.count(os.sep) - 1, 'folder')} deep, with a path of "
            f"{counted(len(image.path), 'character')}"
        ),
    ),
}
