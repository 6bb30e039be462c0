"""What the user said of some images."""

from __future__ import annotations

from dataclasses import dataclass

DECISION_KINDS = ("different", "keep")
"""``different``: no two of the images are copies. ``keep``: they are, and all of them stay."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about some contents, wherever their files are.

    Attributes:
        id: stable for the life of the index.
        kind: one of :data:`DECISION_KINDS`.
        sha256s: of the contents, hexadecimal, sorted: two or more, or one that is kept whatever its
            copies are.
        decided_at: UTC, ISO 8601.
    """

    id: int
    kind: str
    sha256s: tuple[str, ...]
    decided_at: str
