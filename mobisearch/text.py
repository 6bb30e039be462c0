"""Text to show, in a terminal, a message or a page: file names that are safe, and numbers."""

from __future__ import annotations

import unicodedata

_ALLOWED_FORMAT_CHARACTERS = frozenset("\u200c\u200d")  # joiners: emoji and many scripts need them


def printable(text: str) -> str:
    r"""Return text in which nothing can act on a terminal or mislead a reader.

    Control characters, escape sequences, line breaks, direction overrides and bytes that are not
    UTF-8 become backslash escapes.

    >>> printable("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_safe(c) else _escaped(c) for c in text)


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return a number with what it counts, of which there may be one.

    Args:
        plural: of a noun that takes more than an "s".

    >>> counted(1, "copy", "copies"), counted(1200, "photo")
    ('1 copy', '1,200 photos')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def _is_safe(character: str) -> bool:
    category = unicodedata.category(character)
    if character in _ALLOWED_FORMAT_CHARACTERS:
        return True
    return category[0] != "C" and category not in ("Zl", "Zp")


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not read as UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
