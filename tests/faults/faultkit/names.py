"""Names of every kind for photos, and how they are told."""

from __future__ import annotations

import base64
import os
import unicodedata
from typing import Any

NAMES = {
    "newline": b"new\nline.png",
    "tab": b"tab\t.png",
    "carriage return": b"ret\rurn.png",
    "leading dash": b"-k.png",
    "long option": b"--help.png",
    "quotes": b"quote ' \" ` $(x) ;.png",
    "backslash": b"back\\slash.png",
    "emoji": "\U0001f408\u200d.png".encode(),
    "NFC": "\u00e9.png".encode(),
    "NFD": "e\u0301.png".encode(),
    "RTL override": "\u202egpj.exe.png".encode(),
    "bidi isolate": "\u2067x\u2069.png".encode(),
    "escape sequence": b"\x1b[31m\x1b]0;title\x07.png",
    "8-bit control": "\u009b31m.png".encode(),
    "markup": b"<script>alert(1)< script>.png",
    "percent zero": b"%00%s%n%d.png",
    "braces": b"{0}{}.png",
    "invalid UTF-8": b"\xff\xfe.png",
    "surrogate": b"\xed\xa0\x80.png",
    "overlong": b"\xc0\xaf.png",
    "one character": b"x.png",
    "space in front": b" x.png",
    "space behind": b"x .png",
    "dot behind": b"x..png",
    "device of Windows": b"CON.png",
    "glob": b"[*?].png",
    "tilde": b"~root.png",
    "line separator": "\u2028\u2029.png".encode(),
    "zero width": "\u200b\ufeff.png".encode(),
    "private use": "\ue000\U000f0000.png".encode(),
    "null of SQL": b"'; DROP TABLE file; --.png",
    "format of Python": b"{self.__class__}.png",
    "environment": b"$HOME %PATH% ${IFS}.png",
    "combining": ("Z" + "\u0351\u036b\u0343\u036a\u0302" * 10 + ".png").encode(),
    "Arabic and Hebrew": "\u0627\u0644\u0639 \u05e9\u05dc.png".encode(),
    "Japanese": "\u65e5\u672c\uff76\uff9e.png".encode(),
    "noncharacter": "\uffff\ufffe.png".encode(),
    "255 bytes": b"y" * 251 + b".png",
}


def photos(named: dict[str, bytes]) -> str:
    return os.path.dirname(os.fsdecode(next(iter(named.values()))))


def path_of(entry: dict[str, Any]) -> bytes:
    """Return the path of an entry of a JSON document."""
    if "path_b64" in entry:
        return base64.b64decode(entry["path_b64"])
    return os.fsencode(entry["path"])


def check_is_harmless(text: str) -> None:
    """Check that what is printed can neither act on a terminal nor mislead a reader."""
    for character in text.replace("\n", ""):
        is_control = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        assert not is_control, repr(character)
        assert character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff"
