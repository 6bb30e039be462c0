"""What images of a collection are asked for, beside what they look like."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mobisearch.types.images import ImageRecord

SORTINGS = ("newest", "oldest", "largest", "name")
"""Orders in which a collection can be listed."""


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Conditions that images must meet, all of them. None, or 0, asks for nothing.

    Attributes:
        folder: absolute; images anywhere below it.
        taken_from, taken_to: ISO 8601 dates, or dates with times, both included. Images without a
            date meet neither.
        min_bytes, max_bytes: of the file.
        min_px: of the longer side.
        format: such as ``"JPEG"``.
        camera: maker and model, as :class:`ImageRecord` has them.
        label: a category that a classifier says the image is of, as in ``ImageIndex.search``.
    """

    folder: str | None = None
    taken_from: str | None = None
    taken_to: str | None = None
    min_bytes: int = 0
    max_bytes: int = 0
    min_px: int = 0
    format: str | None = None
    camera: str | None = None
    label: str | None = None

    def accepts(self, image: ImageRecord) -> bool:
        """Say whether an image meets all conditions but the label, which only the index knows."""
        return (
            (self.folder is None or image.path.startswith(self.folder.rstrip(os.sep) + os.sep))
            and (not self.taken_from or (image.taken_at or "") >= self.taken_from)
            and (not self.taken_to or "" < (image.taken_at or "") <= last_moment(self.taken_to))
            and (not self.min_bytes or image.size_bytes >= self.min_bytes)
            and (not self.max_bytes or image.size_bytes <= self.max_bytes)
            and (not self.min_px or max(image.width, image.height) >= self.min_px)
            and (self.format is None or image.format == self.format)
            and (self.camera is None or image.camera == self.camera)
        )


def last_moment(date: str) -> str:
    """Return text at or after every moment of a day, a month or a year, in the order of text.

    >>> last_moment("2024-05") > "2024-05-31T23:59:59.9+14:00"
    True
    """
    return f"{date}\uffff"


@dataclass(frozen=True, slots=True)
class ImagePage:
    """A part of a listing.

    Attributes:
        total: how many images the whole listing has.
        offset: where this part begins.
    """

    total: int
    offset: int
    images: tuple[ImageRecord, ...]


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """What a collection is made of: counts of images that searches can return.

    Attributes:
        size_bytes: of all files together.
        folders: those that hold images, the fullest first; absolute.
        oldest, newest: of the dates that cameras wrote; None where there are none.
    """

    images: int
    size_bytes: int
    formats: dict[str, int]
    cameras: dict[str, int]
    folders: dict[str, int]
    oldest: str | None
    newest: str | None
