"""What was done to files, as the journal has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileAction:
    """One step of a plan: a file that is moved to the trash, or replaced by a hard link.

    Attributes:
        id: its row in the journal; 0 before it is there.
        plan, step: which step of which plan.
        kind: ``trash`` or ``link``.
        path: of the file, absolute.
        sha256, size_bytes, mtime_ns, mode: of the file just before the step.
        keeper, keeper_sha256: the image that stays.
        destination: where in the trash it is to be, or is; None where the system does not tell.
        restored: where undoing puts it.
        state: ``begun``, ``done``, ``failed``, ``undoing``, ``undone``.
        reason: why it failed, or what else there is to say.
    """

    id: int
    plan: str
    step: int
    kind: str
    path: str
    sha256: str
    size_bytes: int
    mtime_ns: int
    mode: int
    keeper: str
    keeper_sha256: str
    destination: str | None = None
    restored: str | None = None
    state: str = "begun"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What became of a plan, as the journal has it.

    Attributes:
        done: steps that are done and not taken back.
        undone: steps that were taken back.
        failed: steps that the system refused.
        changed_at: when the last of them changed, ISO 8601.
    """

    plan: str
    done: int
    undone: int
    failed: int
    changed_at: str
