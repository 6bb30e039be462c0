"""Walking folders: which pictures are there, and what could not be seen."""

from __future__ import annotations

import fnmatch
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from mobisearch.imaging.formats import (
    READ_EXTENSIONS,
    UNSUPPORTED_EXTENSIONS,
    extension_of,
)
from mobisearch.imaging.reading import stamp_of
from mobisearch.imaging.system_folders import is_skipped_folder
from mobisearch.types import FileStamp


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What a scan takes and leaves.

    Attributes:
        exclude: shell patterns; a file or folder is left out where one matches its name or its path
            below the scanned folder.
        hidden: also take files and folders whose names begin with a dot.
        follow: follow symbolic links to files and folders, each folder once, so that loops end.
    """

    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow: bool = False


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A picture by its name. ``is_supported`` is False for formats that are known but not read."""

    path: str
    stamp: FileStamp
    is_supported: bool


@dataclass(frozen=True, slots=True)
class ScanProblem:
    """Something that was not seen.

    Attributes:
        is_gap: files below it may exist although they were not seen, so nothing that was known
            there may be taken for gone.
        is_refused: it is there, and the system did not let it be read.
    """

    path: str
    reason: str
    is_gap: bool
    is_refused: bool = False


ScanFinding: TypeAlias = ScannedFile | ScanProblem


def scan_folder(
    folder: str,
    settings: ScanSettings = ScanSettings(),
    *,
    is_ours: Callable[[str], bool] = lambda _: False,
) -> Iterator[ScannedFile | ScanProblem]:
    """Find the pictures in a folder and all folders below it, sorted within each folder.

    Memory grows with the largest single folder, not with the tree. Links that are followed come
    last, so that a file that is there under its own name is found under that first.

    Args:
        folder: an absolute path.
        is_ours: says of a folder whether it is an index; those are never entered.
    """
    pending = [folder]
    entered: set[tuple[int, int]] = set()
    links: deque[os.DirEntry[str]] = deque()
    while pending or links:
        below: list[str] = []
        if pending:
            current = pending.pop()
            listed = _list_folder(current, entered, is_following=settings.follow)
            if isinstance(listed, ScanProblem):
                yield listed
                continue
            entries = [entry for entry in listed if not _is_excluded(entry, folder, settings)]
            if settings.follow:
                links += [entry for entry in entries if entry.is_symlink()]
                entries = [entry for entry in entries if not entry.is_symlink()]
        else:
            entries = [links.popleft()]
        for entry in entries:
            finding = _look_at(entry, settings)
            if isinstance(finding, str):
                if not is_ours(finding):
                    below.append(finding)
            elif finding is not None:
                yield finding
        pending.extend(reversed(below))


def _list_folder(
    folder: str, entered: set[tuple[int, int]], *, is_following: bool
) -> list[os.DirEntry[str]] | ScanProblem:
    """Return what is in a folder; nothing if it was entered before, under whatever name."""
    try:
        if is_following:  # or there are no loops
            status = os.stat(folder)
            identity = (status.st_dev, status.st_ino)
            if identity in entered:
                return []
            entered.add(identity)
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        reason = f"the folder cannot be read: {error.strerror}"
        return ScanProblem(folder, reason, is_gap=True, is_refused=True)


def _is_excluded(entry: os.DirEntry[str], folder: str, settings: ScanSettings) -> bool:
    if not settings.hidden and entry.name.startswith("."):
        return True
    if is_skipped_folder(entry.path):
        return True
    relative = os.path.relpath(entry.path, folder) if settings.exclude else ""
    return any(
        fnmatch.fnmatch(entry.name, pattern) or fnmatch.fnmatch(relative, pattern)
        for pattern in (given.rstrip("/") for given in settings.exclude)
    )


def _look_at(entry: os.DirEntry[str], settings: ScanSettings) -> ScanFinding | str | None:
    """Return a picture, a problem, the path of a folder to enter, or None for anything else."""
    extension = extension_of(entry.name)
    is_picture = extension in READ_EXTENSIONS or extension in UNSUPPORTED_EXTENSIONS
    try:
        if entry.is_symlink() and not settings.follow:
            is_of_interest = is_picture or os.path.isdir(entry.path)
            return _skipped_link(entry) if is_of_interest else None
        if entry.is_dir():
            return entry.path
        if not is_picture:
            is_lost = entry.is_symlink() and not os.path.exists(entry.path)
            return _link_to_nowhere(entry) if is_lost else None
        status = entry.stat()
    except FileNotFoundError as error:
        if entry.is_symlink():
            return _link_to_nowhere(entry)
        return ScanProblem(entry.path, f"vanished during the scan: {error.strerror}", is_gap=False)
    except OSError as error:
        reason = f"cannot be looked at: {error.strerror}"
        return ScanProblem(entry.path, reason, is_gap=True, is_refused=True)
    return ScannedFile(entry.path, stamp_of(status), extension in READ_EXTENSIONS)


def _link_to_nowhere(entry: os.DirEntry[str]) -> ScanProblem:
    """Return a gap: what a followed link led to may be on a drive that is not there now."""
    return ScanProblem(entry.path, "a link that leads nowhere", is_gap=True)


def _skipped_link(entry: os.DirEntry[str]) -> ScanProblem:
    return ScanProblem(entry.path, "a symbolic link, not followed", is_gap=False)
