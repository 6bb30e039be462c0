"""What a search for copies returns, and how it shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mobisearch.results import picture_cell, picture_row, safe_html
from mobisearch.text import counted
from mobisearch.types import (
    DuplicateGroup,
    FileFailure,
    GroupMember,
    ScoreCurve,
    SimilarPair,
)

_MAX_SHOWN = 20


class DuplicateGroups(list[DuplicateGroup]):
    """Groups of copies, those first that free most space, and what else there is to say.

    Attributes:
        similar: pairs of images that show one scene and are no copies, none of them in one group.
        curve: what a score means in this library.
        images: how many images were compared.
        failures: images that could not be read now, and took no part.
        completeness: of all pairs at or above the curve's candidate score, the share that was
            compared: 1, unless very many pictures are one and the same.
        hidden: groups that are not shown because all their images are to stay.
        warnings: what users should know about how it was done.
        interrupted: it was stopped on request; what had been done is remembered.
    """

    def __init__(
        self,
        groups: Iterable[DuplicateGroup] = (),
        *,
        similar: tuple[SimilarPair, ...] = (),
        curve: ScoreCurve | None = None,
        images: int = 0,
        failures: tuple[FileFailure, ...] = (),
        completeness: float = 1.0,
        hidden: int = 0,
        warnings: tuple[str, ...] = (),
        interrupted: bool = False,
    ) -> None:
        super().__init__(groups)
        self.similar = similar
        self.curve = curve or ScoreCurve()
        self.images = images
        self.failures = failures
        self.completeness = completeness
        self.hidden = hidden
        self.warnings = warnings
        self.interrupted = interrupted

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (list(self), dict(self.__dict__))

    @property
    def reclaimable_bytes(self) -> int:
        """What the files take that are neither kept nor protected."""
        return sum(group.reclaimable_bytes for group in self)

    def _repr_html_(self) -> str:
        n_copies = sum(len(group.copies) for group in self)
        groups, copies = counted(len(self), "group"), counted(n_copies, "copy", "copies")
        title = f"<p>{groups} with {copies} among {counted(self.images, 'image')}</p>"
        shown = [picture_row([_cell(member) for member in group.members]) for group in self]
        more = f"<p>and {len(self) - _MAX_SHOWN} more</p>" if len(self) > _MAX_SHOWN else ""
        return title + "<hr>".join(shown[:_MAX_SHOWN]) + more


def _rebuild(groups: list[DuplicateGroup], values: dict[str, Any]) -> DuplicateGroups:
    made = DuplicateGroups(groups)
    made.__dict__.update(values)
    return made


def _cell(member: GroupMember) -> str:
    heading = "keep" if member.relation is None and member.score == 1 else member.verdict.value
    return picture_cell(member.image, safe_html(heading))
