"""Files that we write where the user says: whole or not at all, and never in another's place."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mobisearch.errors import ReportError

_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of file.

    Attributes:
        name: what it is called in messages.
        is_ours: says of a regular file whether it is one of this kind, which may be replaced.
        endings: lower case, of its files; none where any will do.
    """

    name: str
    is_ours: Callable[[Path], bool]
    endings: tuple[str, ...] = ()


def begins_with(mark: str) -> Callable[[Path], bool]:
    """Return what knows a text file by a mark near its beginning."""

    def is_ours(path: Path) -> bool:
        with open(path, "rb") as file:
            return mark.encode() in file.read(_HEAD_BYTES)

    return is_ours


def check_output_path(path: str | os.PathLike[str], kind: OutputKind) -> Path:
    """Return where a file would be written.

    Raises:
        ReportError: it has another ending, or something else is there.
    """
    target = Path(os.path.expanduser(os.fspath(path)))
    if kind.endings and target.suffix.lower() not in kind.endings:
        endings = ", ".join(sorted(kind.endings))
        raise ReportError(str(target), f"a {kind.name} must end in one of: {endings}")
    if os.path.lexists(target) and not _is_ours(target, kind):
        raise ReportError(
            str(target), f"a file of this name exists and is no {kind.name}; it was left alone"
        )
    return target


def save_output(write: Callable[[IO[bytes]], object], target: Path, kind: OutputKind) -> None:
    """Write a file to a path that was checked, and flush it to the disk.

    Args:
        write: is given the open file.

    Raises:
        ReportError: it cannot be written, or something else has taken the name meanwhile.
    """
    try:
        _save(write, target, kind)
    except OSError as error:
        if isinstance(error, ReportError):
            raise
        reason = error.strerror or str(error)
        raise ReportError(str(target), f"cannot be written: {reason}") from error


def _save(write: Callable[[IO[bytes]], object], target: Path, kind: OutputKind) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".mobisearch-", suffix=".tmp")
    try:
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(handle)
        os.chmod(temporary, 0o644)
        if os.path.lexists(target):
            check_output_path(target, kind)  # again: much can happen while one draws
            os.replace(temporary, target)
        else:
            _link(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _link(temporary: str, target: Path) -> None:
    """Give a finished file its name, unless somebody has taken that name meanwhile."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with open(temporary, "rb") as source, open(target, "xb") as file:
            shutil.copyfileobj(source, file)
    os.unlink(temporary)


def _is_ours(path: Path, kind: OutputKind) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and kind.is_ours(path)
    except Exception:  # noqa: BLE001 - whatever it is, it is not ours
        return False
