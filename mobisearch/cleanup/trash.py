"""The trash of the system: into it without ever overwriting or copying, and out of it again.

On Linux and other systems with a freedesktop trash the files are moved here, so that it is known
where they went before they go, and no step leaves the file without a name. Elsewhere Send2Trash
asks the system, which does not tell where it put a file: people restore it with its own means.

Source: https://specifications.freedesktop.org/trash-spec/1.0/
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from mobisearch.cleanup.moves import MAX_NAME_BYTES, link_or_move, marked_name, sync_folder
from mobisearch.errors import TrashUnavailableError

_INFO_ENDING = ".trashinfo"
_MAX_BYTES = MAX_NAME_BYTES - len(_INFO_ENDING)
"""Of a name in the trash: that of its note is longer."""

_CROSSING = (errno.EXDEV,)


@dataclass(frozen=True, slots=True)
class TrashFolder:
    """One freedesktop trash folder.

    Attributes:
        directory: holds ``files`` and ``info``.
        top: paths in it are relative to this; None: they are absolute.
    """

    directory: str
    top: str | None

    def choose_name(self, path: str) -> str:
        """Return a path in this trash, free now, that a file could be moved to."""
        name = os.path.basename(path)
        tried = name
        while True:
            place = os.path.join(self.directory, "files", tried)
            is_long = len(os.fsencode(tried)) > _MAX_BYTES
            if not is_long and not os.path.lexists(place) and not os.path.lexists(info_of(place)):
                return place
            tried = marked_name(name, f".{uuid.uuid4().hex[:12]}", max_bytes=_MAX_BYTES)

    def reserve(self, destination: str, path: str) -> None:
        """Take a name in the trash: its note, and an empty file that nobody can mistake for ours.

        Raises:
            FileExistsError: somebody else has it; choose another.
            OSError: the trash cannot be made or written.
        """
        for folder in (self.directory, *self._folders()):
            if not os.path.isdir(folder):
                os.makedirs(folder, 0o700, exist_ok=True)
        shown = path if self.top is None else os.path.relpath(path, self.top)
        deleted = datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
        note = f"[Trash Info]\nPath={quote(os.fsencode(shown))}\nDeletionDate={deleted}\n"
        _create(info_of(destination), note.encode("ascii"))
        try:
            _create(destination, b"")
        except OSError:
            os.unlink(info_of(destination))
            raise
        for folder in self._folders():
            sync_folder(folder)

    def _folders(self) -> tuple[str, str]:
        return os.path.join(self.directory, "files"), os.path.join(self.directory, "info")


def uses_freedesktop() -> bool:
    """Say whether this system's trash is the one of freedesktop.org."""
    return os.name == "posix" and sys.platform != "darwin"


def trash_folders(path: str) -> Iterator[TrashFolder]:
    """Give the trash folders of the file system that a file is on, the best first.

    Raises:
        TrashUnavailableError: there is none, and none may be made.
    """
    device = os.lstat(path).st_dev
    home = _home_trash()
    is_found = False
    if _device_of(home) == device:
        is_found = True
        yield TrashFolder(home, None)
    top = _top_of(path, device)
    shared = os.path.join(top, ".Trash")
    uid = str(os.getuid())
    if _is_shared_trash(shared):
        is_found = True
        yield TrashFolder(os.path.join(shared, uid), top)
    own = os.path.join(top, f".Trash-{uid}")
    if _is_own(own) or (not os.path.lexists(own) and os.access(top, os.W_OK | os.X_OK)):
        is_found = True
        yield TrashFolder(own, top)
    if not is_found:
        raise TrashUnavailableError(path, f"there is no trash on its drive, and none fits in {top}")


def send_elsewhere(path: str) -> None:
    """Let Send2Trash move a file to the trash of a system that has one of its own.

    Raises:
        TrashUnavailableError: it could not.
    """
    if path.startswith("\\\\"):  # Windows has no trash for network drives, and deletes
        raise TrashUnavailableError(path, "there is no trash on network drives")
    from send2trash import send2trash

    try:
        send2trash(path)
    except OSError as error:
        raise TrashUnavailableError(path, f"the trash refused it: {error}") from error


def info_of(destination: str) -> str:
    """Return the path of the note that belongs to a file in the trash."""
    files, name = os.path.split(destination)
    return os.path.join(os.path.dirname(files), "info", name + _INFO_ENDING)


def release(destination: str) -> None:
    """Give back a name in the trash: only an empty file goes, and the note that belongs to it."""
    with contextlib.suppress(OSError):
        status = os.lstat(destination)
        if stat.S_ISREG(status.st_mode) and not status.st_size:
            os.unlink(destination)
    with contextlib.suppress(OSError):
        if not os.path.lexists(destination):
            os.unlink(info_of(destination))


def move_into(path: str, destination: str) -> None:
    """Move a file to the name in the trash that was reserved for it, in one step.

    Raises:
        TrashUnavailableError: the trash is on another file system after all.
        OSError: the system refuses; the file is where it was.
    """
    try:
        os.rename(path, destination)
    except OSError as error:
        if error.errno in _CROSSING:
            reason = "its trash is on another file system; files are never copied there"
            raise TrashUnavailableError(path, reason) from error
        raise
    sync_folder(os.path.dirname(destination))
    sync_folder(os.path.dirname(path))


def move_out(destination: str, target: str) -> None:
    """Move a file out of the trash to a path that is free, and drop its note.

    Raises:
        FileExistsError: something is at that path; nothing was changed.
        OSError: the system refuses; the file is still in the trash.
    """
    link_or_move(destination, target)
    with contextlib.suppress(OSError):
        os.unlink(info_of(destination))


def _create(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(handle)


def _home_trash() -> str:
    data = os.environ.get("XDG_DATA_HOME") or ""
    if not os.path.isabs(data):
        data = os.path.expanduser("~/.local/share")
    return os.path.join(os.path.realpath(data), "Trash")


def _device_of(path: str) -> int | None:
    """Return the file system that a path is on, or would be on if it were made."""
    while True:
        try:
            return os.stat(path).st_dev
        except FileNotFoundError:
            if path == os.path.dirname(path):
                return None
            path = os.path.dirname(path)
        except OSError:
            return None


def _top_of(path: str, device: int) -> str:
    """Return the highest folder around a file that is on the same file system."""
    top = os.path.dirname(path)
    while not os.path.ismount(top):
        above = os.path.dirname(top)
        if os.lstat(above).st_dev != device:
            break
        top = above
    return top


def _is_shared_trash(path: str) -> bool:
    """Say whether a folder is a trash for all users: no link, and with the sticky bit."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX) and os.access(path, os.W_OK | os.X_OK)


def _is_own(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    is_mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return is_mine and os.access(path, os.W_OK | os.X_OK)
