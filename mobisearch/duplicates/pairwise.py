"""A pair of thumbnails compared: what they are to one another, and if that is the last word."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from mobisearch.duplicates.verification import (
    Outcome,
    Picture,
    Prepared,
    look,
    may_have_same_pixels,
    needs_closer_look,
    prepare,
)
from mobisearch.duplicates.verification.pictures import THUMBNAIL_PX
from mobisearch.errors import ImageError
from mobisearch.imaging.thumbnails import decode_jpeg
from mobisearch.store import ContentPicture
from mobisearch.types import Relation, Verdict


@dataclass(frozen=True, eq=False, slots=True)
class ComparedPair:
    """What two thumbnails say.

    Attributes:
        needs_closer_look: larger pixels could change that.
        may_have_same_pixels: decoding both files whole could show them to be the same.
    """

    outcome: Outcome
    needs_closer_look: bool = False
    may_have_same_pixels: bool = False


class PreparedPictures:
    """Thumbnails ready to be compared, those that were asked for last. Not safe from threads."""

    def __init__(self, most: int) -> None:
        """Prepare to hold pictures, some 200 KB each.

        Args:
            most: how many are held after :meth:`tidy`.
        """
        self._most = most
        self._held: OrderedDict[int, Prepared | None] = OrderedDict()

    def __contains__(self, content_id: int) -> bool:
        return content_id in self._held

    def __getitem__(self, content_id: int) -> Prepared | None:
        """Return what :meth:`put` was given; None also where that was never done."""
        if content_id in self._held:
            self._held.move_to_end(content_id)
        return self._held.get(content_id)

    def put(self, content_id: int, prepared: Prepared | None) -> None:
        """Hold a picture; None is one that is damaged."""
        self._held[content_id] = prepared

    def tidy(self) -> None:
        """Let go of those that were not asked for for longest."""
        while len(self._held) > self._most:
            self._held.popitem(last=False)


def open_picture(row: ContentPicture) -> Picture | None:
    """Return a stored thumbnail as it is compared, or None if it is damaged."""
    try:
        pixels = decode_jpeg(row.thumbnail, name=row.sha256, max_px=THUMBNAIL_PX)
        return Picture(
            pixels, row.width, row.height, row.format, row.taken_at, row.camera, row.sha256
        )
    except (ImageError, ValueError):
        return None


def prepare_picture(row: ContentPicture) -> Prepared | None:
    """Return a stored thumbnail ready to be compared, or None if it is damaged."""
    picture = open_picture(row)
    return None if picture is None else prepare(picture)


def compare_pictures(first: Prepared | None, second: Prepared | None) -> ComparedPair:
    """Compare two thumbnails; with a damaged one nothing is related."""
    if first is None or second is None:
        return ComparedPair(Outcome(Relation(Verdict.UNRELATED)))
    outcome = look(first, second)
    return ComparedPair(
        outcome,
        needs_closer_look(first, second, outcome),
        may_have_same_pixels(first.picture, second.picture, outcome.relation),
    )
