"""All that is in a folder: which files are photos, which are something else, what was not seen.

Other than a scan for an index, it leaves nothing out by its name, and knows pictures and films with
strange names by their first bytes. Nothing is compared here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from mobisearch.errors import ImageError, RootUnavailableError, UnreadableImageError
from mobisearch.imaging import holds_no_originals, read_start, unread_reason
from mobisearch.imaging.formats import (
    PILLOW_FORMATS,
    READ_EXTENSIONS,
    UNSUPPORTED_EXTENSIONS,
    extension_of,
)
from mobisearch.imaging.signatures import APPLE_DOUBLE, START_BYTES, sniff_format
from mobisearch.types import FileFailure

_AMBIGUOUS = "TIFF"
"""What much camera raw is by its first bytes: decoded as TIFF it would be its small preview."""

FILM_EXTENSIONS = frozenset(
    (
        *(".360", ".3g2", ".3gp", ".asf", ".avi", ".braw", ".crm", ".divx", ".dv", ".f4v", ".flv"),
        *(".insv", ".lrv", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mod"),
        *(".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".qt", ".r3d", ".rm"),
        *(".tod", ".ts", ".vob", ".webm", ".wmv"),
        # sound
        *(".3ga", ".aac", ".aif", ".aifc", ".aiff", ".amr", ".caf", ".flac", ".m4a", ".mka"),
        *(".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma"),
    )
)
"""Endings of what was filmed or recorded, in lower case: it is nowhere else either."""

_ISO_MEDIA = (b"ftyp", b"moov", b"mdat", b"wide")
"""From the fifth byte on, in films of phones and cameras. Sources: ISO/IEC 14496-12; the QuickTime
file format, "Movie Atoms"."""

_RIFF_KINDS = (b"AVI ", b"WAVE", b"RMID")
_FILM_BEGINNINGS = (
    *(b"\x1aE\xdf\xa3", b"FLV\x01", b"OggS", b"fLaC", b"ID3", b"#!AMR", b"caff"),
    *(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"),
)
"""Sources: RFC 3533, RFC 4867, RFC 8794, RFC 9639; ISO/IEC 11172-1; Microsoft's ASF."""

_APPLE_BEGINNING = "._"
_UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class OtherFile:
    """Something in a folder that is not compared, although nothing is wrong with it.

    Attributes:
        is_folder: it stands for all that is in it.
        pictures: how many pictures it holds, as far as can be seen.
        copy: a file of the library with the same bytes, where that was asked.
        is_film: it is a film or a sound file, by its name or by its first bytes.
    """

    path: str
    reason: str
    is_folder: bool = False
    pictures: int = 0
    copy: str | None = None
    is_film: bool = False


@dataclass(slots=True)
class Inventory:
    """What is in a folder and all folders below it.

    Attributes:
        pictures: paths of files that can be compared, if they are whole.
        unseen: photos that cannot be compared, and folders and files that cannot be read.
        others: all else: films and other files that are no pictures, links, trash and thumbnails.
    """

    pictures: list[str] = field(default_factory=list)
    unseen: list[FileFailure] = field(default_factory=list)
    others: list[OtherFile] = field(default_factory=list)

    def paths(self) -> Iterator[str]:
        """Give the paths of everything in it."""
        yield from self.pictures
        yield from (failure.path for failure in self.unseen)
        yield from (other.path for other in self.others)


def take_inventory(root: str, stop: threading.Event | None = None) -> Inventory:
    """Look at everything in a folder, hidden files too. No link is followed.

    Trashes and folders of thumbnails are not gone through, but what is in them is counted.

    Args:
        root: a real absolute path.
        stop: once it is set, the rest is left.

    Raises:
        RootUnavailableError: the folder itself cannot be read.
    """
    found = _take(root, stop)
    for failure in found.unseen:
        if failure.path == root:
            raise RootUnavailableError(root, failure.reason)
    return found


def _take(root: str, stop: threading.Event | None, *, is_whole: bool = False) -> Inventory:
    """Look at everything in a folder.

    Args:
        is_whole: go through trashes and folders of thumbnails like all others.
    """
    found = Inventory()
    pending = [root]
    while pending and not (stop is not None and stop.is_set()):
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            found.unseen.append(_refused(folder, f"the folder cannot be read: {error.strerror}"))
            continue
        below = list(_look_at(entries, found))
        if not is_whole:
            left_out = {path for path in below if holds_no_originals(path)}
            found.others += [_count(path, stop) for path in sorted(left_out)]
            below = [path for path in below if path not in left_out]
        pending += reversed(below)
    return found


def _look_at(entries: list[os.DirEntry[str]], found: Inventory) -> Iterator[str]:
    """Put the files of a folder where they belong, and give the folders below it."""
    for entry in entries:
        try:
            if entry.is_symlink():
                found.others.append(OtherFile(entry.path, "a symbolic link, not followed"))
            elif entry.is_dir(follow_symlinks=False):
                yield entry.path
            elif entry.is_file(follow_symlinks=False):
                _look_at_file(entry, found)
            else:
                found.others.append(OtherFile(entry.path, "not a regular file"))
        except ImageError as error:
            found.unseen.append(FileFailure(entry.path, error.code, error.reason))
        except OSError as error:
            found.unseen.append(_refused(entry.path, f"cannot be looked at: {error.strerror}"))


def _look_at_file(entry: os.DirEntry[str], found: Inventory) -> None:
    extension = extension_of(entry.name)
    is_apples = entry.name.startswith(_APPLE_BEGINNING)
    if is_apples and read_start(entry.path, len(APPLE_DOUBLE)) == APPLE_DOUBLE:
        found.others.append(OtherFile(entry.path, "what macOS keeps beside a file"))
    elif extension in READ_EXTENSIONS:
        found.pictures.append(entry.path)
    elif extension in UNSUPPORTED_EXTENSIONS:
        failure = FileFailure(entry.path, _UNSUPPORTED, unread_reason(entry.path))
        found.unseen.append(failure)
    else:
        _sniff(entry.path, found)


def _sniff(path: str, found: Inventory) -> None:
    """Put a file whose name is of no picture where its first bytes say that it belongs."""
    start = read_start(path, START_BYTES)
    kind = sniff_format(start)
    if kind is None and (extension_of(path) in FILM_EXTENSIONS or _is_film(start)):
        found.others.append(OtherFile(path, "a film or a sound file", is_film=True))
    elif kind is None:
        found.others.append(OtherFile(path, "not a picture"))
    elif kind == _AMBIGUOUS:
        reason = "it begins like TIFF or camera raw, and its name does not say which it is"
        found.unseen.append(FileFailure(path, _UNSUPPORTED, reason))
    elif kind in PILLOW_FORMATS:
        found.pictures.append(path)
    else:
        reason = f"it begins like {kind}, which is not read"
        found.unseen.append(FileFailure(path, _UNSUPPORTED, reason))


def _is_film(start: bytes) -> bool:
    """Say whether a file that is no picture begins like a film or a sound file."""
    if start.startswith(_FILM_BEGINNINGS) or start[4:8] in _ISO_MEDIA:
        return True
    return start[:4] == b"RIFF" and start[8:12] in _RIFF_KINDS


def _count(folder: str, stop: threading.Event | None) -> OtherFile:
    """Return a folder of trash or thumbnails, with the number of pictures in it."""
    inner = _take(folder, stop, is_whole=True)
    n_refused = sum(failure.code != _UNSUPPORTED for failure in inner.unseen)
    n_pictures = len(inner.pictures) + len(inner.unseen) - n_refused
    reason = "trash, thumbnails or a system's own"
    if n_refused:
        reason += f"; {n_refused:,} folders or files in it cannot be read"
    return OtherFile(folder, reason, is_folder=True, pictures=n_pictures)


def _refused(path: str, reason: str) -> FileFailure:
    return FileFailure(path, UnreadableImageError.code, reason)
