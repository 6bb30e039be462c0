"""Whether one image can stand for another: what would be lost with that one."""

from __future__ import annotations

import enum

from mobisearch.types import ImageRecord, Relation, Verdict

_SHARE_SHOWN = 0.98
"""Of a photo, what the library's shows of it: less is a crop. Alignment is exact to about 1 %."""

_SCALE_EQUAL = 1.02
"""Sides within 2 % of each other: the same size, as far as alignment tells."""

_FRUGAL_FORMATS = frozenset({"HEIF", "AVIF", "WEBP"})
"""They take about half the bytes of a JPEG of the same quality."""

_STRETCHED = frozenset({"stretched", "bent"})

_ALTERING = (Verdict.RETOUCHED, Verdict.RECOLOURED, Verdict.OVERLAID, Verdict.MIRRORED)


class CoverStatus(enum.StrEnum):
    """What a library has of a photo."""

    SAME_FILE = "same file"
    SAME_PIXELS = "same pixels"
    BETTER = "better in library"
    WORSE = "worse in library"
    OTHER = "other version in library"
    ITSELF = "the library's own file"
    NOWHERE = "not in library"
    UNREADABLE = "cannot be compared"

    @property
    def is_covered(self) -> bool:
        """Whether nothing would be lost with the photo."""
        return self in (CoverStatus.SAME_FILE, CoverStatus.SAME_PIXELS, CoverStatus.BETTER)


def compare_versions(
    image: ImageRecord, copy: ImageRecord, relation: Relation | None, verdict: Verdict
) -> tuple[CoverStatus, str]:
    """Compare a photo with the one that is to stand for it, the first of the relation.

    Returns:
        What it is, and why, in words; empty where there is nothing to say.
    """
    if image.sha256 == copy.sha256:
        return CoverStatus.SAME_FILE, ""
    if relation is None:
        return CoverStatus.OTHER, "it is a copy of a copy, not compared itself"
    if verdict is Verdict.SAME_PIXELS:
        return CoverStatus.SAME_PIXELS, ""
    altered = [str(change) for change in (*relation.changes, verdict) if change in _ALTERING]
    if altered:
        return CoverStatus.OTHER, f"one of the two was {altered[0]}"
    if _STRETCHED.intersection(relation.detail.split(", ")):
        return CoverStatus.OTHER, "one of the two was stretched"
    if relation.second_share < _SHARE_SHOWN:
        share = f"{relation.second_share:.0%}"
        return CoverStatus.WORSE, f"the other shows {share} of it"
    if relation.first_share < _SHARE_SHOWN:
        # It may be a cut of the other, or what that was made from by adding something around it.
        return CoverStatus.OTHER, f"it is {relation.first_share:.0%} of what the other shows"
    if relation.scale > _SCALE_EQUAL:
        return CoverStatus.WORSE, f"the other has {1 / relation.scale:.0%} of its resolution"
    if _worth_bytes(image) > _worth_bytes(copy):
        # Pixels alone are no measure: an enlarged or blurred picture has many, and little in them.
        return CoverStatus.WORSE, "the other takes fewer bytes"
    return CoverStatus.BETTER, ""


def _worth_bytes(image: ImageRecord) -> int:
    return image.size_bytes * (2 if image.format.upper() in _FRUGAL_FORMATS else 1)
