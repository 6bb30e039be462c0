"""What a plan would move, to be said before there is one."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mobisearch.cleanup.absence import leave_absent
from mobisearch.cleanup.drafting import DraftSettings, draft_plan
from mobisearch.cleanup.identity import FileIdentity
from mobisearch.cleanup.plans import Plan, PlannedFile
from mobisearch.errors import StepRefusedError
from mobisearch.types import Decision, DuplicateGroup


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan does with copies.

    Attributes:
        copies: what becomes of each copy and why, by its path.
        group_bytes: what the files take that are moved or replaced, by the path that is kept, in
            the order of the plan.
        n_moved: copies that are moved or replaced.
        n_companions: files that are moved with them.
    """

    copies: Mapping[str, PlannedFile]
    group_bytes: Mapping[str, int]
    n_moved: int
    n_companions: int

    @property
    def moved_bytes(self) -> int:
        """What all files take that are moved or replaced."""
        return sum(self.group_bytes.values())


def outlook_of(plan: Plan) -> Outlook:
    """Return what a plan does with copies."""
    files = [file for group in plan.groups for file in group.files]
    copies = {file.path: file for file in files if file.companion_of is None}
    moved = [file for file in files if file.action != "none"]
    n_moved = sum(file.companion_of is None for file in moved)
    return Outlook(
        copies=copies,
        group_bytes={group.keep.path: group.reclaimable_bytes for group in plan.groups},
        n_moved=n_moved,
        n_companions=len(moved) - n_moved,
    )


def foresee_plan(
    groups: Iterable[DuplicateGroup],
    settings: DraftSettings,
    *,
    decisions: Sequence[Decision] = (),
    outgrown: Collection[int] = (),
    absent: Collection[str] = (),
) -> Outlook:
    """Return what :func:`draft_plan` would do with copies, without reading a file.

    Folders are listed, each once. Whether two companions have the same bytes is taken from their
    sizes, and what else a file holds is not looked at, so a plan may yet leave a copy for that.

    Args:
        absent: folders that are not available: see :func:`leave_absent`.
    """
    plan = draft_plan(
        groups,
        settings,
        decisions=decisions,
        outgrown=outgrown,
        identify=_look_at,
        find_loss=lambda *_: "",
    )
    return outlook_of(leave_absent(plan, absent))


def _look_at(path: str) -> FileIdentity:
    """Return an identity in which the size stands for the hash."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError) as error:
        raise StepRefusedError(path, "it cannot be looked at") from error
    if not stat.S_ISREG(status.st_mode):
        raise StepRefusedError(path, "it is not a regular file")
    return FileIdentity(
        sha256=f"{status.st_size:064x}",
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        mode=stat.S_IMODE(status.st_mode),
        device=status.st_dev,
        inode=status.st_ino,
        ctime_ns=status.st_ctime_ns,
    )
