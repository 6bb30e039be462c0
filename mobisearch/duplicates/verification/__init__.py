"""A second, cheap look at two images: proves that one is a copy of the other, and says how."""

from mobisearch.duplicates.verification.comparison import needs_closer_look, verify
from mobisearch.duplicates.verification.description import describe
from mobisearch.duplicates.verification.exactness import compare_pixels, may_have_same_pixels
from mobisearch.duplicates.verification.pictures import (
    CLOSE_PX,
    THUMBNAIL_PX,
    THUMBNAIL_QUALITY,
    Picture,
)
from mobisearch.duplicates.verification.preparation import Prepared, prepare

__all__ = [
    "CLOSE_PX",
    "THUMBNAIL_PX",
    "THUMBNAIL_QUALITY",
    "Picture",
    "Prepared",
    "compare_pixels",
    "describe",
    "may_have_same_pixels",
    "needs_closer_look",
    "prepare",
    "verify",
]
