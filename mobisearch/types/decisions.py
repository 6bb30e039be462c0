"""What the user said of some images."""

from __future__ import annotations

from collections.abc import Mapping
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
        n_files: of each content in order, how many files it had then; None where nobody counted, as
            in an index of before format 7.
    """

    id: int
    kind: str
    sha256s: tuple[str, ...]
    decided_at: str
    n_files: tuple[int | None, ...] = ()

    def is_about_all(self, n_files: Mapping[str, int]) -> bool:
        """Say whether files were there when it was decided; no more of a content than then.

        Args:
            n_files: how many there are, by the SHA-256 of their content.
        """
        decided = dict.fromkeys(self.sha256s) | dict(zip(self.sha256s, self.n_files, strict=False))
        return all(
            sha256 in decided and ((known := decided[sha256]) is None or n <= known)
            for sha256, n in n_files.items()
        )
