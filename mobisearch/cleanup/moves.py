"""Moving, copying and linking single files so that no name is ever overwritten or lost."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Collection

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
"""What file systems without hard links say."""

MAX_NAME_BYTES = 255
"""Of a name in a folder, on all usual file systems.

Source: NAME_MAX of Linux's ``limits.h``."""

_CHUNK_BYTES = 1 << 20
_MAX_ENDING_BYTES = 32
"""What is longer is no ending of a file's name, but a part of it."""


def sync_folder(path: str) -> None:
    """Make renames in a folder durable, where the system can."""
    if os.name != "posix":
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder that may be written but not read
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def link_or_move(source: str, target: str) -> None:
    """Move a file to a path that must be free, on the same file system.

    Where there are hard links, the file has both names for a moment; else an empty file holds the
    target until the file replaces it. In no case is it without a name.

    Raises:
        FileExistsError: something is at the target.
        OSError: the system refuses; the file is where it was.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(handle)
        try:
            os.rename(source, target)
        except OSError:
            os.unlink(target)
            raise
    else:
        sync_folder(os.path.dirname(target))
        os.unlink(source)
    sync_folder(os.path.dirname(target))
    sync_folder(os.path.dirname(source))


def copy_to(source: str, target: str, *, mode: int, mtime_ns: int) -> None:
    """Copy a file to a path that must be free, and flush it to the disk.

    Raises:
        FileExistsError: something is at the target.
        OSError: the system refuses; nothing is left behind.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    made = os.open(target, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with open(source, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(made, rest) :]
        os.fsync(made)
        os.chmod(target, mode)
        os.utime(target, ns=(mtime_ns, mtime_ns))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(target)
        raise
    finally:
        os.close(made)


def marked_name(name: str, mark: str, *, max_bytes: int = MAX_NAME_BYTES) -> str:
    """Return the name of a file with a mark before its ending; what is too long for it is cut off.

    No character is cut in two.
    """
    stem, ending = os.path.splitext(name)
    if len(os.fsencode(ending)) > _MAX_ENDING_BYTES:
        stem, ending = name, ""
    room = max_bytes - len(os.fsencode(mark + ending))
    return _cut(stem, room) + mark + ending


def _cut(text: str, max_bytes: int) -> str:
    """Return the beginning of a name that is so long at most. Bytes that are no UTF-8 stay so."""
    while text and len(os.fsencode(text)) > max_bytes:
        text = text[:-1]
    return text


def free_name_beside(path: str, taken: Collection[str] = ()) -> str:
    """Return a free path beside one that is taken: the same name with a word and a number.

    Args:
        taken: paths that are not free either.
    """
    folder, name = os.path.split(path)
    number = 1
    while True:
        mark = f" (restored{'' if number == 1 else f' {number}'})"
        beside = os.path.join(folder, marked_name(name, mark))
        if beside not in taken and not os.path.lexists(beside):
            return beside
        number += 1


def is_empty_file(path: str) -> bool:
    """Say whether there is a regular file of no bytes."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and not status.st_size


def is_same_file(one: str, other: str) -> bool:
    """Say whether two paths are names of one file of the system."""
    try:
        first, second = os.lstat(one), os.lstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def is_second_name(path: str, other: str) -> bool:
    """Say whether two paths are two names of one file, so that one of them may go.

    One name may also be spelt in two ways, through a link to its folder: then it is the only one.
    """
    try:
        return (
            is_same_file(path, other)
            and os.lstat(path).st_nlink > 1
            and os.path.realpath(path) != os.path.realpath(other)
        )
    except OSError:
        return False
