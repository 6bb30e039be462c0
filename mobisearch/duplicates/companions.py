"""Files that belong to a photo: its RAW, the film of a Live Photo, sidecars.

They are found by name, in the folder of the photo. They are never duplicates of it, and they are
kept or moved with it.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from mobisearch.imaging.formats import RAW_EXTENSIONS

_PAIRED_EXTENSIONS = frozenset((".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif", ".avif"))
"""What cameras write beside a RAW or a film."""

_FILM_EXTENSIONS = frozenset((".mov", ".mp4", ".m4v", ".avi", ".3gp", ".mts", ".insv", ".lrv"))
_SIDECAR_EXTENSIONS = frozenset((".xmp", ".aae", ".vrd", ".dr4"))
"""What Adobe, Apple and Canon keep beside a photo, as ``name.xmp`` or ``name.jpg.xmp``."""

_DEVELOPING_EXTENSIONS = frozenset((".pp3", ".dop"))
"""What RawTherapee and DxO PhotoLab write, as ``name.jpg.pp3``: the ending of the photo stays."""

_CAMERA_NOTE_EXTENSIONS = frozenset((".thm", ".wav"))
"""A small picture and a spoken note, which cameras write beside a photo."""

_PICTURE_EXTENSIONS = _PAIRED_EXTENSIONS | {".png", ".tif", ".tiff", ".webp", ".gif", ".bmp"}
_TAKEOUT_NOTE = ".supplemental-metadata"
"""Google Takeout writes ``name.jpg.json``, or ``name.jpg.supplemental-metadata.json``. Of a photo
that it has numbered, ``name(1).jpg``, the number comes last: ``name.jpg(1).json``.

Source: files of Takeout archives, 2024 and later."""

_TAKEOUT_CHARACTERS = 51 - len(".json")
"""To so many Takeout cuts what is before ``.json``, and puts the number behind that. Even the name
of the photo may be cut in it.

Source: as above, and what google-photos-takeout-helper does to find them again."""

_NUMBER = re.compile(r"\(\d+\)\Z")
_LAST_NUMBERS = re.compile(r"(\(\d+\))+\Z")
_ANY_NUMBER = re.compile(r"\(\d+\)(?=\.)")
_DUPLICATE = re.compile(r"_\d{2,}(?=\.[^.]+\.xmp\Z)", re.IGNORECASE)
"""How darktable numbers further edits of a photo: ``name_01.jpg.xmp`` belongs to ``name.jpg``.

Source: darktable, ``dt_image_path_append_version``."""


class CompanionKind(enum.StrEnum):
    """What a companion is to its photo."""

    RAW = "RAW"
    FILM = "film"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that belongs to a photo."""

    path: str
    kind: CompanionKind


@dataclass(slots=True)
class CompanionFinder:
    """Finds companions, and reads each folder once.

    What it has read of a folder it keeps: make a new one to see what has changed.
    """

    _folders: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def find(self, path: str) -> tuple[Companion, ...]:
        """Return the companions of a photo, sorted by path. A folder that cannot be read has none.

        Args:
            path: of the photo, absolute.
        """
        folder, name = os.path.split(path)
        found = [
            Companion(os.path.join(folder, other), kind)
            for other in self._names(folder).get(_key(name), ())
            if other != name and (kind := self._kind(folder, name, other)) is not None
        ]
        return tuple(sorted(found, key=lambda companion: companion.path))

    def has_raw(self, path: str) -> bool:
        """Say whether a photo has a RAW beside it."""
        return any(companion.kind is CompanionKind.RAW for companion in self.find(path))

    def sharers(self, companion: str, photo: str) -> tuple[str, ...]:
        """Return the other photos in the folder that a companion belongs to as well."""
        folder, name = os.path.split(companion)
        return tuple(
            os.path.join(folder, other)
            for key in _keys(name)
            for other in self._names(folder).get(key, ())
            if os.path.splitext(other)[1].lower() in _PICTURE_EXTENSIONS
            and other not in (name, os.path.basename(photo))
            and self._kind(folder, other, name) is not None
        )

    def _kind(self, folder: str, photo: str, other: str) -> CompanionKind | None:
        kind = _kind_beside(photo, other)
        edited = os.path.splitext(other)[0].lower()  # of a sidecar, the photo that it is named for
        if kind is None or edited == photo.lower() or not _DUPLICATE.search(other):
            return kind
        # A photo that has a number in its own name has a sidecar with that number.
        names = self._names(folder).get(_key(other), ())
        return None if any(name.lower() == edited for name in names) else kind

    def _names(self, folder: str) -> dict[str, list[str]]:
        """Return the names of files in a folder by what their companions share with them."""
        if folder not in self._folders:
            names: dict[str, list[str]] = {}
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_file(follow_symlinks=False):
                            for key in _keys(entry.name):
                                names.setdefault(key, []).append(entry.name)
            except OSError:
                names = {}
            self._folders[folder] = names
        return self._folders[folder]


def find_companions(path: str) -> tuple[Companion, ...]:
    """Return the companions that a photo has now; see :class:`CompanionFinder`."""
    return CompanionFinder().find(path)


def without_companions(paths: Sequence[str]) -> list[str]:
    """Return paths without those that are companions of another one of them, in their order."""
    finder = CompanionFinder()
    belonging = {companion.path for path in paths for companion in finder.find(path)}
    return [path for path in paths if path not in belonging]


def _key(name: str) -> str:
    """Return what is before the first ending, cut as Takeout does, and the last number.

    Names without that in common are never companions. Photos that only their numbers tell apart,
    of which a folder may have thousands, have none in common.
    """
    first = name.lower().lstrip(".").partition(".")[0]
    numbers = _ANY_NUMBER.findall(name)
    return _LAST_NUMBERS.sub("", first)[:_TAKEOUT_CHARACTERS] + "".join(numbers[-1:])


def _keys(name: str) -> list[str]:
    """Return what a file shares with those that it may belong to; of most there is one."""
    original = _DUPLICATE.sub("", name)
    return [_key(name)] if original == name else [_key(name), _key(original)]


def _kind_beside(photo: str, other: str) -> CompanionKind | None:
    """Say what a file is to a photo in the same folder, by their names; None for nothing."""
    photo_name, other_name = photo.lower(), other.lower()
    photo_stem, photo_ending = os.path.splitext(photo_name)
    other_stem, other_ending = os.path.splitext(other_name)
    if photo_ending not in _PICTURE_EXTENSIONS:
        return None
    if other_ending in RAW_EXTENSIONS and photo_ending in _PAIRED_EXTENSIONS:
        return CompanionKind.RAW if other_stem == photo_stem else None
    if other_ending in _FILM_EXTENSIONS and photo_ending in _PAIRED_EXTENSIONS:
        return CompanionKind.FILM if other_stem == photo_stem else None
    if other_ending in _SIDECAR_EXTENSIONS and other_stem in (photo_stem, photo_name):
        return CompanionKind.SIDECAR
    if other_ending == ".xmp" and _DUPLICATE.sub("", other_name) == f"{photo_name}.xmp":
        return CompanionKind.SIDECAR
    if other_ending in _DEVELOPING_EXTENSIONS and other_stem == photo_name:
        return CompanionKind.SIDECAR
    if other_ending in _CAMERA_NOTE_EXTENSIONS and photo_ending in _PAIRED_EXTENSIONS:
        return CompanionKind.SIDECAR if other_stem == photo_stem else None
    if other_ending == ".json" and _is_takeout_note(photo_name, other_stem):
        return CompanionKind.SIDECAR
    return None


def _is_takeout_note(photo: str, note: str) -> bool:
    """Say whether Takeout would call the sidecar of a photo so; names in lower case.

    Args:
        note: without ``.json``.
    """
    if _is_takeout_name(photo, note):
        return True
    stem, ending = os.path.splitext(photo)
    number = _NUMBER.search(stem)
    if number is None or not note.endswith(number[0]):
        return False
    return _is_takeout_name(stem[: number.start()] + ending, note[: -len(number[0])])


def _is_takeout_name(photo: str, note: str) -> bool:
    if not (photo + _TAKEOUT_NOTE).startswith(note):
        return False
    is_cut = len(note) == _TAKEOUT_CHARACTERS
    return is_cut or note == photo or len(note) > len(photo) + 1
