"""The folders that systems and network disks make beside photos: trash, thumbnails and the like."""

from __future__ import annotations

import os

SKIPPED_FOLDERS = frozenset(
    {
        "$recycle.bin",
        "#recycle",
        "@eadir",
        "@recycle",
        "__macosx",
        "lost+found",
        "system volume information",
    }
)
"""Folders that are never indexed, names in lower case. Of those whose names begin with a dot, the
trashes are never indexed either, and others (``.thumbnails``) are skipped as hidden."""

TRASH_WORDS = ("recycle", "trash")
"""In lower case; the name of every trash has one of them."""

_TRASHES = frozenset({"$recycle.bin", "#recycle", "@recycle", ".trash", ".trashes"})
_TRASH_BEGINNING = ".trash-"
_HOME_TRASH = "Trash"
"""What freedesktop.org calls the trash in the home folder; this one in exactly these letters, since
people call folders so too."""

_HOME_TRASH_PARTS = ("files", "info")
"""Source: https://specifications.freedesktop.org/trash-spec/1.0/, "Trash directories"."""

_THUMBNAILS = frozenset({".@__thumb", ".thumbnails", "@eadir"})
_CACHED_THUMBNAILS = os.path.join(".cache", "thumbnails")
_OF_SYSTEM = frozenset({".fseventsd", ".spotlight-v100", "system volume information"})


def trash_of(path: str) -> str | None:
    """Return the outermost trash that a path is in, or is; None if it is in none.

    Names decide, so that it holds for files that are gone too: a folder called ``Trash`` is one.
    """
    parts = path.split(os.sep)
    for n, part in enumerate(parts, 1):
        if part == _HOME_TRASH or _is_trash_name(part):
            return os.sep.join(parts[:n])
    return None


def is_trash_folder(path: str) -> bool:
    """Say whether a folder that is there is a trash itself.

    One called ``Trash`` is one only if it holds what freedesktop.org says that it holds.
    """
    name = os.path.basename(path)
    if name != _HOME_TRASH:
        return _is_trash_name(name) and os.path.isdir(path)
    return all(os.path.isdir(os.path.join(path, part)) for part in _HOME_TRASH_PARTS)


def is_skipped_folder(path: str) -> bool:
    """Say whether a folder is never indexed, also where hidden ones are."""
    return os.path.basename(path).lower() in SKIPPED_FOLDERS or is_trash_folder(path)


def holds_no_originals(path: str) -> bool:
    """Say whether a folder is a trash, one of thumbnails, or a system's own: no place of photos.

    Other than those that are never indexed, it is none that photos can be saved into after a
    failure of the disk (``lost+found``), or that comes out of an archive.
    """
    name = os.path.basename(path).lower()
    is_cache = path.endswith(os.sep + _CACHED_THUMBNAILS)
    return name in _THUMBNAILS | _OF_SYSTEM or is_cache or is_trash_folder(path)


def _is_trash_name(name: str) -> bool:
    return name.lower() in _TRASHES or name.lower().startswith(_TRASH_BEGINNING)
