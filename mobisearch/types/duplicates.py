"""What is said of images that are copies of one another, and what is asked."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from mobisearch.types.images import ImageRecord


class Verdict(enum.StrEnum):
    """How two images are related: the chief thing that was done to one to get the other.

    Members from ``SAME_FILE`` to ``OVERLAID`` are copies. Where several things were done, the last
    of them in this order is the verdict, and ``Relation.changes`` has all.
    """

    SAME_FILE = "same file"
    SAME_PIXELS = "same pixels"
    RECOMPRESSED = "recompressed"
    RESIZED = "resized"
    RETOUCHED = "retouched"
    RECOLOURED = "recoloured"
    ROTATED = "rotated"
    MIRRORED = "mirrored"
    CROPPED = "cropped"
    OVERLAID = "overlaid"
    SIMILAR_SHOT = "similar shot"
    UNRELATED = "unrelated"

    @property
    def is_copy(self) -> bool:
        """Whether one of the two images was made from the other, or both from a third."""
        return self not in (Verdict.SIMILAR_SHOT, Verdict.UNRELATED)


_PAIRS = (("brighter", "darker"), ("more contrast", "less contrast"), ("warmer", "cooler"),
          ("more colour", "less colour"), ("grey", "coloured"), ("sepia", "without sepia"),
          ("one tint", "without tint"), ("noisier", "less noise"), ("sharper", "softer"),
          ("caption", "without caption"), ("mark", "without mark"),
          ("marks", "without marks"))  # fmt: skip
_OPPOSITES = {**dict(_PAIRS), **{second: first for first, second in _PAIRS}}


@dataclass(frozen=True, slots=True)
class Relation:
    """What comparing two images, a first and a second, has proved.

    Attributes:
        verdict: the chief of ``changes``, or that the two are no copies.
        changes: everything that was found, in the order of :class:`Verdict`; empty for no copies.
        agreement: of the pixels where the two show the same, once they lie on one another: 0 to 1.
        first_share, second_share: of the area of each, how much shows what the other shows too.
        scale: sides of the second picture over sides of the first, of what both show, in pixels of
            the files. 0.5: the second has half the resolution.
        turn_degrees: how far the first is turned clockwise to lie as the second does, -180 to 180.
            After mirroring, where there is mirroring.
        is_mirrored: the first has to be mirrored left to right.
        detail: what else there is to say, in words, such as ``"grey"`` or ``"caption below"``.
    """

    verdict: Verdict
    changes: tuple[Verdict, ...] = ()
    agreement: float = 0.0
    first_share: float = 1.0
    second_share: float = 1.0
    scale: float = 1.0
    turn_degrees: float = 0.0
    is_mirrored: bool = False
    detail: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether one of the two was made from the other, or both from a third."""
        return self.verdict.is_copy

    def reversed(self) -> Relation:
        """Return the same with first and second exchanged."""
        turn = self.turn_degrees if self.is_mirrored else -self.turn_degrees
        return replace(
            self,
            detail=", ".join(_OPPOSITES.get(word, word) for word in self.detail.split(", ")),
            first_share=self.second_share,
            second_share=self.first_share,
            scale=1 / self.scale if self.scale else self.scale,
            turn_degrees=180.0 if turn == -180 else turn,
        )


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One image of a group.

    Attributes:
        verdict: its relation to the image that is kept; of that image itself, ``SAME_FILE``.
        score: how alike the looks of both are, -1 to 1: the score of candidates.
        relation: the image that is kept as the first, this one as the second. None if the two were
            not compared themselves, but are copies through another member; the verdict is then that
            of this member to the one that links it.
        reason: why it is kept, or what it lacks that the image kept has.
        is_protected: it is in a folder that is never touched.
        companions: paths of files that belong to it and share its fate: its RAW, the film of a Live
            Photo, sidecars.
    """

    image: ImageRecord
    verdict: Verdict
    score: float
    relation: Relation | None = None
    reason: str = ""
    is_protected: bool = False
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Images that are copies of one another: at least two.

    Attributes:
        keep: the best of them.
        copies: the others, by path; none of them is ``keep``.
    """

    keep: GroupMember
    copies: tuple[GroupMember, ...]

    @property
    def members(self) -> tuple[GroupMember, ...]:
        """All of them, the one that is kept first."""
        return (self.keep, *self.copies)

    @property
    def reclaimable_bytes(self) -> int:
        """What the files take that are neither kept nor protected, companions left out."""
        return sum(copy.image.size_bytes for copy in self.copies if not copy.is_protected)


@dataclass(frozen=True, slots=True)
class SimilarPair:
    """Two images of one scene that are no copies of one another."""

    first: ImageRecord
    second: ImageRecord
    score: float
    relation: Relation


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """What taking pairs from a score on means in a library.

    Attributes:
        score: of a candidate; higher is more alike.
        unrelated: pairs at or above it that comparing has shown to be of different scenes: with
            nothing in common, or a part at most.
        wrong_groups: how many of those may be expected to be taken for copies all the same.
        copies: pairs at or above it that are copies.
        recall: of altered copies of the library's own pictures, the share that is found.
    """

    score: float
    unrelated: int
    wrong_groups: float
    copies: int
    recall: float


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """What a score means in one library, from its own pictures.

    Attributes:
        points: by score, ascending.
        accepted_score: copies at or above it are grouped.
        candidate_score: every pair at or above it was compared.
        mistakes: of how many pairs of different pictures that were compared for this, how many were
            taken for copies.
        trials: how many pairs those were.
        synthetic_copies: altered copies that the recall was measured with.
        recall_by_alteration: name and share found, by name.
    """

    points: tuple[ScorePoint, ...] = ()
    accepted_score: float = 1.0
    candidate_score: float = 1.0
    mistakes: int = 0
    trials: int = 0
    synthetic_copies: int = 0
    recall_by_alteration: tuple[tuple[str, float], ...] = ()

    @property
    def mistake_rate(self) -> float:
        """How often different pictures are taken for copies, no less than the trials can tell."""
        return (self.mistakes + 0.5) / (self.trials + 1)


DEFAULT_KEEP = ("original", "largest", "raw", "richest", "finest", "oldest", "shortest-path")
"""Which copy is kept: the first rule that tells two apart decides."""


MAX_WRONG_GROUPS = 1_000_000
"""More may not be asked for: as many as a library of millions has groups at all."""

SCOPES = ("all", "within", "across", "new")
"""The names that ``DuplicateSettings.scope`` takes."""


@dataclass(frozen=True, slots=True)
class DuplicateSettings:
    """What to look for among the images of an index, and which of several copies to keep.

    Attributes:
        wrong_groups: how many groups of the whole result may be expected to be wrong. Below one, so
            that a library has probably none; at most :data:`MAX_WRONG_GROUPS`.
        keep: rules, the most important first: ``original`` (not made from another, where that
            shows: grey, with a mark or a border), ``largest`` (pixels), ``smallest`` (bytes),
            ``raw`` (has a RAW beside it, or else a sidecar), ``lossless`` (format), ``richest``
            (EXIF date, camera, position), ``finest`` (bytes for each pixel: compressed least),
            ``oldest``, ``newest`` (taken, else modified), ``shortest-path``,
            ``path:FOLDER`` (is in it), ``format:NAME``.
        protect: folders of which nothing is ever moved; their images may be kept.
        folders: only images in these; none means the whole index.
        scope: ``all``; ``within``: only copies in the same of ``folders``; ``across``: only groups
            over two or more of ``folders``; ``new``: only groups with images both inside and
            outside ``folders``, of which those inside are the copies.
        similar: tell similar shots too, of images that could be one group in the scope.
    """

    wrong_groups: float = 0.5
    keep: tuple[str, ...] = DEFAULT_KEEP
    protect: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    scope: str = "all"
    similar: bool = True
