"""The JSON documents of the API about copies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mobisearch.cleanup import CleanupReport, Plan, plan_document
from mobisearch.duplicates import describe
from mobisearch.text import printable
from mobisearch.types import DEFAULT_KEEP, DuplicateGroup, GroupMember
from mobisearch.types.duplicates import MAX_WRONG_GROUPS
from mobisearch.web.documents import ImageDocument, ImageId, describe_image

_SHA256 = r"^[0-9a-f]{64}$"


class FindBody(BaseModel):
    """What to look for; as the options of ``mobisearch duplicates``."""

    model_config = ConfigDict(extra="forbid")

    wrong_groups: float = Field(default=0.5, gt=0, le=MAX_WRONG_GROUPS)
    keep: list[Annotated[str, Field(max_length=4096)]] = Field(
        default=list(DEFAULT_KEEP), max_length=32
    )
    protect: list[Annotated[str, Field(max_length=4096)]] = Field(default=[], max_length=64)


class ChosenImage(BaseModel):
    """An image as the page showed it."""

    model_config = ConfigDict(extra="forbid")

    image: ImageId
    sha256: str = Field(pattern=_SHA256)


class ChosenGroup(BaseModel):
    """What was chosen of a group."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=64)
    keep: ChosenImage
    trash: list[ChosenImage] = Field(min_length=1, max_length=10_000)


class PlanBody(BaseModel):
    """What a plan is to be made of: choices of groups, or all groups by the rules of the search."""

    model_config = ConfigDict(extra="forbid")

    groups: list[ChosenGroup] = Field(default=[], max_length=10_000)
    by_rule: bool = False
    action: Literal["trash", "link"] = "trash"
    companions: bool = False


class DecisionBody(BaseModel):
    """What was decided about some images."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["different", "keep"]
    images: list[ImageId] = Field(min_length=1, max_length=1000)


class CopiesDocument(BaseModel):
    """How the search for copies stands, and what the last one found."""

    state: Literal["none", "running", "ready", "failed"]
    step: str
    done: int
    total: int
    error: str | None
    groups: int
    copies: int
    reclaimable_bytes: int
    similar: int
    images: int
    generation: int | None
    is_stale: bool
    warnings: list[str]


class MemberDocument(BaseModel):
    """One image of a group."""

    image: ImageDocument
    verdict: str
    score: float
    detail: str
    reason: str
    is_kept: bool
    is_protected: bool
    turn_degrees: float
    is_mirrored: bool


class GroupDocument(BaseModel):
    """Copies of one another: the one that is proposed to stay comes first."""

    number: int
    key: str
    reclaimable_bytes: int
    images: list[MemberDocument]


class GroupsDocument(BaseModel):
    """A part of the groups, those first that free most."""

    total: int
    offset: int
    groups: list[GroupDocument]


class PlannedDocument(BaseModel):
    """What a plan would do to a file. ``loss_accepted``: the reason says what is lost with it."""

    name: str
    folder: str
    action: str
    verdict: str
    reason: str
    size_bytes: int
    loss_accepted: bool


class PlanDocument(BaseModel):
    """A plan. ``document`` is what ``mobisearch apply`` takes as a file."""

    plan: str
    steps: int
    bytes: int
    files: list[PlannedDocument]
    document: dict[str, Any]


class OutcomeDocument(BaseModel):
    """What became of a file."""

    name: str
    folder: str
    state: str
    reason: str


class ReportDocument(BaseModel):
    """What carrying out a plan, or taking it back, did."""

    plan: str
    done: int
    refused: int
    failed: int
    freed_bytes: int
    outcomes: list[OutcomeDocument]


class PlanSummaryDocument(BaseModel):
    """A plan that was begun, as the journal has it."""

    plan: str
    done: int
    undone: int
    failed: int
    changed_at: str


class PlansDocument(BaseModel):
    """All of them, the newest first."""

    plans: list[PlanSummaryDocument]


class DecidedDocument(BaseModel):
    """The decision as it is remembered."""

    id: int
    kind: str
    images: int


def describe_group(number: int, key: str, group: DuplicateGroup) -> dict[str, Any]:
    """Return a group as its document; ``number`` is its place among all."""
    return {
        "number": number,
        "key": key,
        "reclaimable_bytes": group.reclaimable_bytes,
        "images": [
            _describe_member(member, is_kept=member is group.keep) for member in group.members
        ],
    }


def _describe_member(member: GroupMember, *, is_kept: bool) -> dict[str, Any]:
    relation = member.relation
    return {
        "image": describe_image(member.image),
        "verdict": "kept" if is_kept else str(member.verdict),
        "score": round(member.score, 6),
        "detail": printable(describe(relation).partition(": ")[2])
        if relation and not is_kept
        else "",
        "reason": printable(member.reason),
        "is_kept": is_kept,
        "is_protected": member.is_protected,
        "turn_degrees": relation.turn_degrees if relation else 0.0,
        "is_mirrored": bool(relation and relation.is_mirrored),
    }


def _place(path: str) -> dict[str, str]:
    folder, _, name = path.rpartition("/")
    return {"name": printable(name), "folder": printable(folder)}


def describe_plan(plan: Plan) -> PlanDocument:
    """Return what a plan would do."""
    steps = list(plan.steps())
    return PlanDocument(
        plan=plan.id,
        steps=len(steps),
        bytes=sum(file.size_bytes for _, file in steps),
        files=[
            PlannedDocument(
                **_place(file.path),
                action=file.action,
                verdict=file.verdict,
                reason=printable(file.reason),
                size_bytes=file.size_bytes,
                loss_accepted=file.is_loss_accepted,
            )
            for group in plan.groups
            for file in group.files
        ],
        document=plan_document(plan),
    )


def describe_report(plan_id: str, report: CleanupReport) -> ReportDocument:
    """Return what carrying out a plan did."""
    return ReportDocument(
        plan=plan_id,
        done=report.count("done"),
        refused=report.count("refused"),
        failed=report.count("failed"),
        freed_bytes=report.freed_bytes,
        outcomes=[
            OutcomeDocument(
                **_place(outcome.path), state=outcome.state, reason=printable(outcome.reason)
            )
            for outcome in report.outcomes
        ],
    )
