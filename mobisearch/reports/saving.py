"""Files of pictures that we draw: whole or not at all, and never in the place of anything else."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mobisearch.errors import ReportError

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    ".jpg": {"format": "JPEG", "quality": 88},
    ".jpeg": {"format": "JPEG", "quality": 88},
    ".png": {"format": "PNG"},
    ".webp": {"format": "WEBP", "quality": 88},
}


@dataclass(frozen=True, slots=True)
class PictureKind:
    """A kind of picture that we draw.

    Attributes:
        name: what it is called in messages, and in its file, by which it is known again.
        endings: of its files.
    """

    name: str
    endings: tuple[str, ...]

    @property
    def mark(self) -> str:
        """What is written into its files."""
        return f"mobisearch {self.name}"


def check_picture_path(path: str | os.PathLike[str], kind: PictureKind) -> Path:
    """Return where a picture would be written.

    Raises:
        ReportError: it is another kind of file, a folder, or one that we did not draw.
    """
    target = Path(os.path.expanduser(os.fspath(path)))
    if target.suffix.lower() not in kind.endings:
        endings = ", ".join(sorted(kind.endings))
        raise ReportError(str(target), f"a {kind.name} must end in one of: {endings}")
    if os.path.lexists(target) and not _is_ours(target, kind):
        raise ReportError(
            str(target), f"a file of this name exists and is no {kind.name}; it was left alone"
        )
    return target


def save_picture(picture: Image.Image, target: Path, kind: PictureKind) -> None:
    """Write a picture to a path that was checked.

    Raises:
        ReportError: it cannot be written, or something else has taken the name meanwhile.
    """
    options = dict(_SAVE_OPTIONS[target.suffix.lower()])
    if options["format"] == "PNG":
        info = PngInfo()
        info.add_text("Comment", kind.mark)
        options["pnginfo"] = info
    elif options["format"] == "JPEG":
        options["comment"] = kind.mark
    else:
        exif = Image.Exif()
        exif[0x010E] = kind.mark  # ImageDescription
        options["exif"] = exif
    try:
        _save(picture, target, kind, options)
    except OSError as error:
        if isinstance(error, ReportError):
            raise
        reason = error.strerror or str(error)
        raise ReportError(str(target), f"cannot be written: {reason}") from error


def _save(picture: Image.Image, target: Path, kind: PictureKind, options: dict[str, Any]) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".picture-", suffix=".tmp")
    try:
        with open(handle, "wb") as file:
            picture.save(file, **options)
        os.chmod(temporary, 0o644)
        if os.path.lexists(target):
            check_picture_path(target, kind)  # again: much can happen while one draws
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


def _is_ours(path: Path, kind: PictureKind) -> bool:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        with Image.open(path) as image:
            comment = image.info.get("comment") or image.info.get("Comment") or b""
            text = comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)
            return kind.mark in (text, image.getexif().get(0x010E))
    except Exception:  # noqa: BLE001 - whatever it is, it is not ours
        return False
