"""Carrying out a plan, a step at a time; nothing is ever deleted for good."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Collection, Sequence

from mobisearch.cleanup.decided import check_decided, planned_decisions
from mobisearch.cleanup.identity import is_still_there
from mobisearch.cleanup.links import replace_by_link, tidy_link
from mobisearch.cleanup.moves import is_empty_file, is_same_file, link_or_move
from mobisearch.cleanup.outcomes import CleanupReport, StepOutcome
from mobisearch.cleanup.plans import Plan, PlannedFile, PlannedGroup
from mobisearch.cleanup.recovery import foresee_settled, settle_all
from mobisearch.cleanup.safeguards import Evidence, Safeguards
from mobisearch.cleanup.trash import (
    TrashFolder,
    move_into,
    release,
    send_elsewhere,
    trash_folders,
    uses_freedesktop,
)
from mobisearch.errors import CleanupError, StepRefusedError, TrashUnavailableError
from mobisearch.index import ImageIndex
from mobisearch.journal import Journal
from mobisearch.types import Decision, FileAction

_WENT = ("done", "would", "before")

OnOutcome = Callable[[StepOutcome], None]


def apply_plan(
    index: ImageIndex,
    plan: Plan,
    *,
    is_real: bool = False,
    as_links: bool = False,
    stop: threading.Event | None = None,
    on_outcome: OnOutcome | None = None,
) -> CleanupReport:
    """Carry out a plan, or say what would be done.

    Before each step both files are read again; see :mod:`mobisearch.cleanup.safeguards`. A step
    that is not safe is left out, the others are done. Whatever ends a run, no photo is lost, and
    the same call goes on where it ended.

    Args:
        is_real: without it, everything is checked and nothing is changed.
        as_links: replace byte-identical files by hard links instead of moving them to the trash;
            other files are left.
        stop: once it is set, the run ends before the next step.
        on_outcome: is told of each step when it has ended.

    Raises:
        IndexLockedError, StorageError: as for ``ImageIndex.sync``; what was done stays done.
    """
    decided = index.decisions(), index.outgrown_decisions()
    run = _Run(plan, *decided, as_links=as_links, stop=stop, on_outcome=on_outcome)
    if not is_real:
        return run.go(foresee_settled(index.actions(plan.id)), None)
    with index.journal() as journal:
        settled = settle_all(journal)
        journal.remember(list(planned_decisions(plan)))
        return run.go(journal.of_plan(plan.id), journal, tuple(settled))


class _Run:
    def __init__(
        self,
        plan: Plan,
        decisions: Sequence[Decision],
        outgrown: Collection[int],
        *,
        as_links: bool,
        stop: threading.Event | None,
        on_outcome: OnOutcome | None,
    ) -> None:
        self._plan = plan
        self._decisions = decisions
        self._outgrown = outgrown
        self._as_links = as_links
        self._stop = stop or threading.Event()
        self._on_outcome = on_outcome
        self._safeguards = Safeguards(plan)
        self._states: dict[int, str] = {}
        self._gone: set[str] = set()

    def go(
        self, history: list[FileAction], journal: Journal | None, settled: tuple[str, ...] = ()
    ) -> CleanupReport:
        past = {(action.step, action.path): action for action in history}
        outcomes: list[StepOutcome] = []
        for group, file in self._plan.steps():
            if self._stop.is_set():
                return CleanupReport(tuple(outcomes), journal is None, settled, interrupted=True)
            outcome = self._take(group, file, past.get((file.step, file.path)), journal)
            self._states[file.step] = outcome.state
            if outcome.state in _WENT and outcome.action == "trash":
                self._gone.add(file.path)
            outcomes.append(outcome)
            if self._on_outcome is not None:
                self._on_outcome(outcome)
        return CleanupReport(tuple(outcomes), journal is None, settled)

    def _take(
        self,
        group: PlannedGroup,
        file: PlannedFile,
        past: FileAction | None,
        journal: Journal | None,
    ) -> StepOutcome:
        action = "link" if self._as_links else file.action
        if past is not None and _is_still_done(past):
            return _outcome(file, past.kind, "before", "it was done before", past.destination)
        if past is not None and past.state == "done" and journal is not None:
            journal.settle(past, "undone", reason="it was back at its place")
        if self._as_links and file.companion_of is not None:
            return _outcome(file, action, "left", "it is a companion, and stays with its name")
        if self._as_links and file.sha256 != group.keep.sha256:
            return _outcome(file, action, "left", "only byte-identical files can become links")
        try:
            if file.companion_of is not None:
                self._check_image_went(file)
            check_decided(self._decisions, group, file, self._outgrown)
            evidence = self._safeguards.check(group, file, action, self._gone)
        except StepRefusedError as error:
            return _outcome(file, action, "refused", error.reason)
        freed = file.size_bytes if _is_last_name(file.path) else 0
        if journal is None:
            return _outcome(file, action, "would", freed_bytes=freed)
        planned = FileAction(
            id=0,
            plan=self._plan.id,
            step=file.step,
            kind=action,
            path=file.path,
            sha256=evidence.file.sha256,
            size_bytes=evidence.file.size_bytes,
            mtime_ns=evidence.file.mtime_ns,
            mode=evidence.file.mode,
            keeper=group.keep.path,
            keeper_sha256=group.keep.sha256,
        )
        if action == "link":
            begun = journal.begin(planned)
            return _carry_out(file, begun, journal, lambda: _link(begun, evidence), freed)
        if not uses_freedesktop():
            begun = journal.begin(planned)
            return _carry_out(file, begun, journal, lambda: _send_elsewhere(begun), freed)
        return self._trash(file, planned, evidence, journal, freed)

    def _check_image_went(self, file: PlannedFile) -> None:
        state = self._states.get(file.companion_of or 0)
        if state not in _WENT:
            raise StepRefusedError(file.path, "its image stays, so it stays too")

    def _trash(
        self,
        file: PlannedFile,
        planned: FileAction,
        evidence: Evidence,
        journal: Journal,
        freed: int,
    ) -> StepOutcome:
        """Try the trash folders of the drive, the best first."""
        failed: StepOutcome | None = None
        try:
            for folder in trash_folders(file.path):
                begun = journal.begin(
                    dataclasses.replace(planned, destination=folder.choose_name(file.path))
                )
                outcome = _carry_out(
                    file, begun, journal, _trash_step(folder, begun, evidence), freed
                )
                if outcome.state != "failed":
                    return outcome
                failed = failed or outcome
        except (TrashUnavailableError, OSError) as error:
            if failed is None:
                return _outcome(file, "trash", "refused", _words(error))
        assert failed is not None
        return failed


def _trash_step(folder: TrashFolder, begun: FileAction, evidence: Evidence) -> Callable[[], None]:
    def step() -> None:
        destination = begun.destination
        assert destination is not None
        folder.reserve(destination, begun.path)
        try:
            if not evidence.file.is_same_file(os.lstat(begun.path)):
                raise StepRefusedError(begun.path, "it changed at the last moment")
            move_into(begun.path, destination)
        except BaseException:
            release(destination)
            raise
        _check_after(begun, evidence)

    return step


def _check_after(begun: FileAction, evidence: Evidence) -> None:
    """Put the file back if it was not the one meant, or if the one kept went with it."""
    destination = begun.destination
    assert destination is not None
    reason = ""
    if not evidence.file.is_same_file(os.lstat(destination)):
        reason = "it was replaced at the last moment"
    elif not is_still_there(
        begun.keeper,
        evidence.keeper,
        is_listed=evidence.file.device != evidence.keeper.device,
    ):
        reason = f"the one kept, {begun.keeper}, vanished with it: they are one file"
    if reason:
        link_or_move(destination, begun.path)
        release(destination)
        raise StepRefusedError(begun.path, f"{reason}; it was put back")


def _link(begun: FileAction, evidence: Evidence) -> None:
    replace_by_link(begun, evidence.file, evidence.keeper)


def _send_elsewhere(begun: FileAction) -> None:
    send_elsewhere(begun.path)


def _carry_out(
    file: PlannedFile,
    begun: FileAction,
    journal: Journal,
    step: Callable[[], None],
    freed: int,
) -> StepOutcome:
    """Do what the journal has as begun, and write down how it ended."""
    try:
        step()
    except (CleanupError, OSError) as error:
        reason = _words(error)
        if _went_all_the_same(begun):
            reason = f"{reason}, after it had been moved"
            journal.settle(begun, "done", reason=reason)
            return _outcome(file, begun.kind, "done", reason, begun.destination, freed)
        journal.settle(begun, "failed", reason=reason)
        state = "refused" if isinstance(error, StepRefusedError) else "failed"
        return _outcome(file, begun.kind, state, reason)
    journal.settle(begun, "done")
    return _outcome(file, begun.kind, "done", "", begun.destination, freed)


def _went_all_the_same(begun: FileAction) -> bool:
    """Say whether a step that ended with an error, such as of a flush, was taken before that."""
    if begun.kind == "link":
        return tidy_link(begun)
    if os.path.lexists(begun.path) or begun.destination is None:
        return False
    return os.path.lexists(begun.destination) and not is_empty_file(begun.destination)


def _is_still_done(past: FileAction) -> bool:
    if past.state != "done":
        return False
    if past.kind == "link":
        return is_same_file(past.path, past.keeper)
    return not os.path.lexists(past.path)


def _is_last_name(path: str) -> bool:
    try:
        return os.lstat(path).st_nlink == 1
    except OSError:
        return False


def _words(error: Exception) -> str:
    if isinstance(error, StepRefusedError | TrashUnavailableError):
        return error.reason
    return getattr(error, "strerror", None) or str(error)


def _outcome(
    file: PlannedFile,
    action: str,
    state: str,
    reason: str = "",
    place: str | None = None,
    freed_bytes: int = 0,
) -> StepOutcome:
    return StepOutcome(file.step, file.path, action, state, reason, place, freed_bytes)
