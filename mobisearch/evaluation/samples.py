"""Samples of somebody's photos, and altered copies of them: the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from mobisearch.evaluation.alterations import ALTERATIONS, alter
from mobisearch.imaging import ScannedFile, scan_folder
from mobisearch.imaging.sources import open_source
from mobisearch.types import DecodeSettings

_SCREEN_PX = 1024


def sample_photos(folders: Sequence[str], n_photos: int) -> list[str]:
    """Return some of the files that are read, drawn with a fixed seed, in the order drawn."""
    paths = sorted(
        {
            found.path
            for folder in folders
            for found in scan_folder(folder)
            if isinstance(found, ScannedFile) and found.is_supported
        }
    )
    return random.Random(0).sample(paths, min(n_photos, len(paths)))  # noqa: S311 - no secret


def alter_all(paths: Sequence[str]) -> Iterator[bytes]:
    """Give the copies of each photo, made of it as it is at a size that screens have.

    By alteration, then by photo.
    """
    for alteration in ALTERATIONS.values():
        for path in paths:
            photo = open_source(path, settings=DecodeSettings(), need_px=_SCREEN_PX).copy()
            photo.thumbnail((_SCREEN_PX, _SCREEN_PX))
            yield alter(photo, alteration)
