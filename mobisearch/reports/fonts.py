"""Fonts for drawn text: the one that Pillow brings, and the system's for what that one lacks."""

from __future__ import annotations

import functools
import unicodedata
from typing import TypeAlias

from PIL import ImageFont

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_SYSTEM_FONTS = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "LiberationSans-Regular.ttf",
    "Arial Unicode.ttf",
    "Arial.ttf",
    "arial.ttf",
    "segoeui.ttf",
)
"""Fonts with many scripts that Linux, macOS and Windows have; Pillow knows where."""

_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ł": "l", "Ł": "L"})


def choose_font(text: str, size_px: int) -> tuple[str, Font]:
    """Return a font for a text, and the text as that font can show it.

    Pillow's own font has only ASCII. For anything else a font of the system is taken; where there
    is none, letters lose their accents and the rest becomes question marks.
    """
    if text.isascii():
        return text, ImageFont.load_default(size_px)
    font = _system_font(size_px)
    if font is not None:
        return text, font
    return as_ascii(text), ImageFont.load_default(size_px)


def as_ascii(text: str) -> str:
    """Return text with accents taken off and everything else that is not ASCII as ``?``.

    >>> as_ascii("Größe 東.jpg")
    'Grosse ?.jpg'
    """
    parts = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    kept = "".join(c for c in parts if not unicodedata.combining(c))
    return kept.encode("ascii", "replace").decode("ascii")


@functools.cache
def _system_font(size_px: int) -> ImageFont.FreeTypeFont | None:
    for name in _SYSTEM_FONTS:
        try:
            return ImageFont.truetype(name, size_px)
        except OSError:
            continue
    return None
