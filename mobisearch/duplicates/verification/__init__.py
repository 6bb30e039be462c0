"""A second, cheap look at two images: proves that one is a copy of the other, and says how."""

from mobisearch.duplicates.verification.alignment import Start
from mobisearch.duplicates.verification.comparison import (
    Outcome,
    look,
    look_closer,
    needs_closer_look,
    verify,
)
from mobisearch.duplicates.verification.description import describe
from mobisearch.duplicates.verification.difference import draw_difference
from mobisearch.duplicates.verification.exactness import compare_pixels, may_have_same_pixels
from mobisearch.duplicates.verification.lineage import find_descent
from mobisearch.duplicates.verification.pictures import (
    CLOSE_PX,
    THUMBNAIL_PX,
    THUMBNAIL_QUALITY,
    Picture,
)
from mobisearch.duplicates.verification.preparation import Prepared, prepare
from mobisearch.duplicates.verification.sameness import is_version, shows_all

__all__ = [
    "CLOSE_PX",
    "THUMBNAIL_PX",
    "THUMBNAIL_QUALITY",
    "Outcome",
    "Picture",
    "Prepared",
    "Start",
    "compare_pixels",
    "describe",
    "draw_difference",
    "find_descent",
    "is_version",
    "look",
    "look_closer",
    "may_have_same_pixels",
    "needs_closer_look",
    "prepare",
    "shows_all",
    "verify",
]
