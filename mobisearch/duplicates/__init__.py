"""Copies among the images of an index: which there are, and which of them is kept."""

from mobisearch.duplicates.companions import (
    Companion,
    CompanionFinder,
    CompanionKind,
    find_companions,
)
from mobisearch.duplicates.finding import CopyFinder
from mobisearch.duplicates.found import DuplicateGroups
from mobisearch.duplicates.keep_rules import ALL_RULES, is_inside, parse_rules
from mobisearch.duplicates.keeping import KeeperChoice, choose_keeper
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.duplicates.verification import (
    describe,
    draw_difference,
    find_descent,
    is_version,
    shows_all,
)

__all__ = [
    "ALL_RULES",
    "Companion",
    "CompanionFinder",
    "CompanionKind",
    "CopyFinder",
    "DuplicateGroups",
    "KeeperChoice",
    "StoppedError",
    "choose_keeper",
    "describe",
    "draw_difference",
    "find_companions",
    "find_descent",
    "is_inside",
    "is_version",
    "parse_rules",
    "shows_all",
]
