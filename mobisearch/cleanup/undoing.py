"""Taking back what was done for a plan: everything returns, and nothing is overwritten."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace

from mobisearch.cleanup.applying import OnOutcome
from mobisearch.cleanup.identity import has_content
from mobisearch.cleanup.links import make_file_of_its_own
from mobisearch.cleanup.moves import free_name_beside, is_same_file
from mobisearch.cleanup.outcomes import CleanupReport, StepOutcome
from mobisearch.cleanup.plan_reading import read_plan
from mobisearch.cleanup.recovery import (
    UNSEEN,
    foresee_settled,
    is_unsettled,
    settle_all,
    settle_undoing,
)
from mobisearch.cleanup.trash import move_out
from mobisearch.errors import CleanupError, PlanError, PlanNotFoundError, ReportError
from mobisearch.index import ImageIndex
from mobisearch.journal import Journal
from mobisearch.types import FileAction


def undo_plan(
    index: ImageIndex,
    plan_id: str,
    *,
    is_real: bool = False,
    stop: threading.Event | None = None,
    on_outcome: OnOutcome | None = None,
) -> CleanupReport:
    """Take back what the journal has as done for a plan, the last step first.

    A file returns to its old place, or beside it with another name if that place is taken. Doing it
    twice does nothing the second time. A step that was cut off and cannot be looked at now, such as
    on a drive that is away, counts as refused.

    Args:
        plan_id: the plan's id; the file of the plan may have been changed since.
        is_real: without it, nothing is changed.
        stop: once it is set, the run ends before the next step.

    Raises:
        IndexLockedError, StorageError: as for ``ImageIndex.sync``; what was done stays done.
    """
    stop = stop or threading.Event()
    if not is_real:
        actions = _to_take_back(foresee_settled(index.actions(plan_id)))
        taken: set[str] = set()
        return CleanupReport(tuple(_look(action, taken) for action in actions), is_dry=True)
    outcomes: list[StepOutcome] = []
    returned: dict[str, str] = {}
    with index.journal() as journal:
        settled = settle_all(journal)
        actions = _to_take_back(journal.of_plan(plan_id))
        try:
            for action in actions:
                if stop.is_set():
                    break
                outcome, target = _take_back(action, journal)
                if target is not None:
                    returned[target] = action.path
                outcomes.append(outcome)
                if on_outcome is not None:
                    on_outcome(outcome)
        finally:
            journal.take_back(returned)
    return CleanupReport(
        tuple(outcomes),
        settled=tuple(settled),
        interrupted=stop.is_set() and len(outcomes) < len(actions),
    )


def _to_take_back(actions: Sequence[FileAction]) -> list[FileAction]:
    """Return the steps that are done, and those of which that is not known, the last first."""
    return [a for a in reversed(actions) if a.state == "done" or is_unsettled(a)]


def _look(action: FileAction, taken: set[str]) -> StepOutcome:
    """Say what taking back a step would do.

    Args:
        taken: where the steps before would have put files; this one's path is added.
    """
    reason = _why_not(action)
    if reason:
        return _outcome(action, "refused", reason)
    target = _target(action, taken)
    taken.add(target)
    note = "" if target == action.path else f"its place is taken, so as {target}"
    return _outcome(action, "would", note, target)


def _why_not(action: FileAction) -> str:
    if is_unsettled(action):
        return f"an earlier run was cut off here, and {UNSEEN}"
    in_the_way = _file_in_the_way(action.path)
    if in_the_way:
        return f"{in_the_way} is no folder now: something else has its name"
    if action.kind == "link":
        return ""
    if action.destination is None:
        if has_content(action.path, action.sha256):
            return ""
        name = os.path.basename(action.path)
        return f"this system does not tell where its trash keeps it: restore {name} there by hand"
    if not os.path.lexists(action.destination):
        return f"it is not in the trash any more ({action.destination})"
    if not has_content(action.destination, action.sha256):
        return f"what is in the trash as {action.destination} is another file now"
    return ""


def _file_in_the_way(path: str) -> str:
    """Return what is no folder where one has to be for a path, or an empty string."""
    folder = os.path.dirname(path)
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder if os.path.lexists(folder) and not os.path.isdir(folder) else ""


def _target(action: FileAction, taken: Collection[str] = ()) -> str:
    """Return where a file is to return to: its place, unless something else is there."""
    if action.path not in taken and not os.path.lexists(action.path):
        return action.path
    if action.kind == "link" and is_same_file(action.path, action.keeper):
        return action.path
    return free_name_beside(action.path, taken)


def _take_back(action: FileAction, journal: Journal) -> tuple[StepOutcome, str | None]:
    """Take back one step; return what became of it, and where the file is now."""
    if is_unsettled(action):
        return _outcome(action, "refused", _why_not(action)), None
    if action.kind == "link" and _is_own_file(action):
        journal.settle(action, "undone", reason="it was a file of its own already")
        return _outcome(action, "done", "it was a file of its own already"), action.path
    is_unknown = action.kind == "trash" and action.destination is None
    if is_unknown and has_content(action.path, action.sha256):
        journal.settle(action, "undone", reason="it was back already")
        return _outcome(action, "done", "it was back already"), action.path
    reason = _why_not(action)
    if reason:
        return _outcome(action, "refused", reason), None
    target = _target(action)
    journal.settle(action, "undoing", restored=target)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if action.kind == "link":
            make_file_of_its_own(action, target)
        else:
            assert action.destination is not None
            move_out(action.destination, target)
    except (CleanupError, OSError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        state, _, back = settle_undoing(replace(action, restored=target))
        journal.settle(action, state, reason=f"taking it back failed: {reason}")
        if state == "undone":
            return _outcome(action, "done", f"{reason}, after it was back", target), back[0]
        return _outcome(action, "failed", reason), None
    note = "" if target == action.path else f"its place was taken, so it is {target} now"
    journal.settle(action, "undone", reason=note or None)
    return _outcome(action, "done", note, target), target


def _is_own_file(action: FileAction) -> bool:
    return not is_same_file(action.path, action.keeper) and has_content(action.path, action.sha256)


def _outcome(
    action: FileAction, state: str, reason: str = "", place: str | None = None
) -> StepOutcome:
    return StepOutcome(action.step, action.path, action.kind, state, reason, place)


def check_not_carried_out(index: ImageIndex, path: str) -> None:
    """Refuse to write over a plan that is needed to take back what was done for it.

    Raises:
        ReportError: steps of the plan in that file are done, and not taken back.
    """
    if not os.path.lexists(path):
        return
    try:
        plan = read_plan(path)
    except (PlanError, PlanNotFoundError):
        return  # what is no sound plan is looked at where the new one is written
    n_done = len(_to_take_back(foresee_settled(index.actions(plan.id))))
    if n_done:
        raise ReportError(
            path,
            f"this plan was carried out, {n_done:,} steps of it, and is needed to take that back; "
            "give the new plan another name",
        )
