"""Which of several copies is kept: rules in order, the first that tells two apart decides.

The same images and rules give the same choice, in whatever order the images come: what no rule
tells apart is told apart by path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobisearch.duplicates.alterations import FRAMED, NOTHING_KNOWN, Alterations
from mobisearch.duplicates.companions import CompanionFinder
from mobisearch.duplicates.keep_rules import KeepRule, is_inside, parse_rules
from mobisearch.types import DEFAULT_KEEP, ImageRecord


@dataclass(frozen=True, slots=True)
class KeeperChoice:
    """Which image is kept, and why.

    Attributes:
        keeper: its place among the images.
        reason: why it is kept, in words.
        reasons: for each image in order, what it lacks that the kept one has; for that, ``reason``.
    """

    keeper: int
    reason: str
    reasons: tuple[str, ...]


def choose_keeper(
    images: Sequence[ImageRecord],
    rules: Sequence[str] = DEFAULT_KEEP,
    protected: Sequence[str] = (),
    *,
    done: Alterations = NOTHING_KNOWN,
    finder: CompanionFinder | None = None,
) -> KeeperChoice:
    """Choose which of several copies is kept.

    Protected images come before all rules: they are never moved, so one of them is what stays.

    Args:
        images: at least one.
        rules: names of rules, the most important first.
        protected: folders, real absolute paths, of which nothing is ever moved.
        done: what was done to the images. For ``original`` those that were made from another one
            come last, for ``largest`` those with something around the picture, since that is no
            picture, and for ``finest`` those that are noisier, since noise takes many bytes.
        finder: what to find companions with.

    Raises:
        UnknownKeepRuleError: a rule does not exist.
    """
    if not images:
        raise ValueError("expected at least one image to choose among, got none")
    ordered = [
        KeepRule(
            "protected",
            lambda image: not is_inside(image.path, protected),
            lambda image: (
                "is protected" if is_inside(image.path, protected) else "is not protected"
            ),
        ),
        *(_aware_of(rule, done) for rule in parse_rules(rules, finder)),
        KeepRule("path", lambda image: _path_rank(image.path), lambda _: "its path comes first"),
        KeepRule("id", lambda image: image.id, lambda _: "it was in the index first"),
    ]
    ranked = sorted(range(len(images)), key=lambda n: [rule.rank(images[n]) for rule in ordered])
    keeper = ranked[0]
    reasons = [
        _compare(images[keeper], image, ordered) if n != keeper else ("", "")
        for n, image in enumerate(images)
    ]
    wins = dict.fromkeys(won for n, (won, _) in enumerate(reasons) if n != keeper)
    reason = "; ".join(wins) or "the only one"
    return KeeperChoice(
        keeper,
        reason,
        tuple(reason if n == keeper else lost for n, (_, lost) in enumerate(reasons)),
    )


def _aware_of(rule: KeepRule, done: Alterations) -> KeepRule:
    """Return a rule that knows what was done to images."""
    words: Mapping[int, str] = {}
    if rule.name == "original":
        words = done.made
    elif rule.name == "largest":
        words = dict.fromkeys(done.framed, FRAMED)
    elif rule.name == "finest":
        words = dict.fromkeys(done.noisy, "is noisier")
    if not words:
        return rule
    return KeepRule(
        rule.name,
        lambda image: (image.id in words, rule.rank(image)),
        lambda image: words.get(image.id) or rule.describe(image),
    )


def _compare(kept: ImageRecord, other: ImageRecord, rules: Sequence[KeepRule]) -> tuple[str, str]:
    """Return why the kept image won against another, and why that one lost."""
    for rule in rules:
        if rule.rank(kept) != rule.rank(other):
            mine, theirs = rule.describe(kept), rule.describe(other)
            if rule.name in ("path", "id"):
                return mine, f"nothing tells it from the one kept but its {rule.name}"
            return f"{rule.name}: {mine}", f"{rule.name}: {theirs}, the one kept {mine}"
    return "the same image twice", "the same image twice"


def _path_rank(path: str) -> tuple[str, bytes]:
    return path.lower(), os.fsencode(path)
