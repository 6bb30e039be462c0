"""Files of pictures that we draw, each with a mark in it by which it is known again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mobisearch.outputs import OutputKind, check_output_path, save_output

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    ".jpg": {"format": "JPEG", "quality": 88},
    ".jpeg": {"format": "JPEG", "quality": 88},
    ".png": {"format": "PNG"},
    ".webp": {"format": "WEBP", "quality": 88},
}
_IMAGE_DESCRIPTION = 0x010E
"""Source: EXIF 2.32."""


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

    @property
    def output(self) -> OutputKind:
        """The same as a kind of file."""
        return OutputKind(self.name, self._is_ours, self.endings)

    def _is_ours(self, path: Path) -> bool:
        with Image.open(path) as image:
            comment = image.info.get("comment") or image.info.get("Comment") or b""
            text = comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)
            return self.mark in (text, image.getexif().get(_IMAGE_DESCRIPTION))


def check_picture_path(path: str | os.PathLike[str], kind: PictureKind) -> Path:
    """Return where a picture would be written.

    Raises:
        ReportError: it is another kind of file, a folder, or one that we did not draw.
    """
    return check_output_path(path, kind.output)


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
        exif[_IMAGE_DESCRIPTION] = kind.mark
        options["exif"] = exif
    save_output(lambda file: picture.save(file, **options), target, kind.output)
