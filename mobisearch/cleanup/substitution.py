"""Whether the file of one photo can stand for that of another: what would be lost with that one."""

from __future__ import annotations

import os

import numpy as np

from mobisearch.duplicates import find_descent, is_version, shows_all
from mobisearch.errors import ImageError
from mobisearch.imaging import (
    Holdings,
    Quantisation,
    decode,
    find_missing,
    read_file,
    read_holdings,
    read_quantisation,
    stamp_of,
)
from mobisearch.types import DecodeSettings, FileStamp, Pixels


class Substitution:
    """Compares files in one run. Each is read once, and again when it changes. For one thread."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings
        self._held: dict[str, tuple[FileStamp, Holdings]] = {}

    def find_loss(self, path: str, keeper: str) -> str:
        """Say what would be lost with a file if another one is kept, or "" if nothing would be.

        What cannot be read counts as lost. Costs reading both files, and decoding them where they
        are PNGs, may be transparent or have more than 8 bits a colour.
        """
        try:
            missing = find_missing(self._holdings(path), self._holdings(keeper))
        except ImageError as error:
            return f"it cannot be compared with the one kept: {error.reason}"
        return f"it has what the one kept has not: {missing}" if missing else ""

    def find_difference(self, path: str, keeper: str) -> str:
        """Say that a photo shows what the one kept does not, or that that one was made from it.

        Returns "" if neither is so. Both are decoded whole. What cannot be read differs.
        """
        try:
            (kept, own), (copy, saved) = self._picture(keeper), self._picture(path)
        except ImageError as error:
            return f"it cannot be compared with the one kept: {error.reason}"
        if not shows_all(kept, copy, saved):
            return "looked at closely, it differs from the one kept in places"
        descent = find_descent(kept, own, copy, saved)
        return f"it may be the original: the one kept {descent} from it" if descent else ""

    def find_strangeness(self, path: str, keeper: str) -> str:
        """Say that a photo is no version of the one kept, or "" if it is one, however altered."""
        try:
            (kept, _), (copy, _) = self._picture(keeper), self._picture(path)
        except ImageError as error:
            return f"it cannot be compared with the one kept: {error.reason}"
        is_one = is_version(kept, copy) or shows_all(kept, copy)
        return "" if is_one else "it is no copy of the one kept"

    def _picture(self, path: str) -> tuple[Pixels, Quantisation | None]:
        data = read_file(path, max_bytes=self._settings.max_bytes).data
        pixels = np.asarray(decode(data, name=path, settings=self._settings)[0])
        return pixels, read_quantisation(data)

    def _holdings(self, path: str) -> Holdings:
        stamp = _stamp(path)
        known = self._held.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        holdings = read_holdings(path, self._settings)
        if stamp is not None and stamp == _stamp(path):
            self._held[path] = (stamp, holdings)
        return holdings


def _stamp(path: str) -> FileStamp | None:
    try:
        return stamp_of(os.stat(path))
    except (OSError, ValueError):
        return None
