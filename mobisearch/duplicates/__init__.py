"""Copies among the images of an index: which there are, and which of them is kept."""

from mobisearch.duplicates.companions import (
    Companion,
    CompanionFinder,
    CompanionKind,
    find_companions,
)
from mobisearch.duplicates.keeping import (
    ALL_RULES,
    KeeperChoice,
    choose_keeper,
    is_inside,
    parse_rules,
)

__all__ = [
    "ALL_RULES",
    "Companion",
    "CompanionFinder",
    "CompanionKind",
    "KeeperChoice",
    "choose_keeper",
    "find_companions",
    "is_inside",
    "parse_rules",
]
