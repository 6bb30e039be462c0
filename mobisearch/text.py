"""File names as text that is safe to show: in a terminal, in a message, in a page."""

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
