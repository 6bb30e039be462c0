"""Steps that were cut off: how they stand is seen on the disk, and written into the journal."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

from mobisearch.cleanup.identity import has_content
from mobisearch.cleanup.links import drop_copy, is_exchanged, spare_name, tidy_link
from mobisearch.cleanup.moves import is_empty_file, is_same_file, is_second_name
from mobisearch.cleanup.trash import info_of, release
from mobisearch.index import ImageIndex
from mobisearch.journal import Journal
from mobisearch.types import FileAction

_IN_TRASH = "it is in the trash"
_NOT_BACK = "it had not been taken back"
UNSEEN = "its folder cannot be seen now; it is looked at again next time"


def settle_interrupted(index: ImageIndex) -> list[str]:
    """Settle what an apply or undo that was cut off has left, if there is anything.

    Returns:
        A line for each step.

    Raises:
        IndexLockedError, StorageError: as for ``ImageIndex.sync``.
    """
    if not index.unsettled_actions():
        return []
    with index.journal() as journal:
        return settle_all(journal)


def settle_all(journal: Journal) -> list[str]:
    """Settle every step, of whatever plan, of which it is not known how it ended.

    Returns:
        A line for each.
    """
    lines = []
    returned: dict[str, str] = {}
    for action in journal.unsettled():
        if not _is_near(action):
            judged = _judge_afar(action)
            if judged is None:
                lines.append(f"{action.path}: {UNSEEN}")
                continue
            state, reason = judged
        elif action.state == "undoing":
            state, reason, back = settle_undoing(action)
            returned |= dict.fromkeys(back, action.path)
        elif action.kind == "link":
            state, reason = _settle_link(action)
        else:
            state, reason = _settle_trash(action)
        journal.settle(action, state, reason=reason)
        lines.append(f"{action.path}: an earlier run was cut off here: {reason}")
    journal.take_back(returned)
    return lines


def foresee_settled(actions: Iterable[FileAction]) -> list[FileAction]:
    """Return steps as they will stand once those that were cut off are settled; change nothing.

    Those that cannot be settled now are as they were.
    """
    return [
        dataclasses.replace(action, state=judged[0], reason=judged[1])
        if is_unsettled(action) and (judged := _judge(action)) is not None
        else action
        for action in actions
    ]


def is_unsettled(action: FileAction) -> bool:
    """Say whether it is not known how a step ended."""
    return action.state in ("begun", "undoing")


def _judge(action: FileAction) -> tuple[str, str] | None:
    """See how a step that was cut off stands; None if that cannot be seen now."""
    if not _is_near(action):
        return _judge_afar(action)
    if action.state == "undoing":
        return _judge_undoing(action)
    return _judge_link(action) if action.kind == "link" else _judge_trash(action)


def _is_near(action: FileAction) -> bool:
    return os.path.isdir(os.path.dirname(action.path))


def _judge_afar(action: FileAction) -> tuple[str, str] | None:
    """See how a step stands whose folder is gone, be it deleted or on a drive that is away."""
    if action.kind == "link":
        is_there = action.state == "undoing" and has_content(action.keeper, action.sha256)
    else:
        is_there = action.destination is not None and has_content(action.destination, action.sha256)
    if not is_there:
        return None
    return "done", _NOT_BACK if action.state == "undoing" else _IN_TRASH


def _judge_trash(action: FileAction) -> tuple[str, str]:
    destination = action.destination
    if has_content(action.path, action.sha256):
        return "failed", "it had not been moved"
    if destination is None:  # a system that does not say where it puts files
        return "done", "it is not there any more, so the system's trash has it"
    if has_content(destination, action.sha256):
        return "done", _IN_TRASH
    if os.path.lexists(action.path):
        return "failed", "it had not been moved, and has been changed since"
    return "failed", (
        f"it is neither at its place nor in the trash ({destination}); somebody else moved it. "
        f"The one kept is {action.keeper}"
    )


def _settle_trash(action: FileAction) -> tuple[str, str]:
    state, reason = _judge_trash(action)
    destination = action.destination
    if state == "failed" and destination is not None and os.path.lexists(action.path):
        is_back = has_content(action.path, action.sha256)
        if is_back and is_second_name(action.path, destination):
            os.unlink(destination)
        release(destination)
    return state, reason


def _judge_link(action: FileAction) -> tuple[str, str]:
    if is_exchanged(action):
        return "done", "it is a link to the one kept"
    return "failed", "it had not been replaced"


def _settle_link(action: FileAction) -> tuple[str, str]:
    state, reason = _judge_link(action)
    tidy_link(action)
    spare = spare_name(action)
    if os.path.lexists(spare):  # another file has the path now
        return state, f"something else is there; its own file is {spare}"
    return state, reason


def settle_undoing(action: FileAction) -> tuple[str, str, list[str]]:
    """See how far taking back a step has come, and tidy up after it.

    Returns:
        The state, a reason, and the paths that are back.
    """
    target = action.restored or action.path
    state, reason = _judge_undoing(action)
    destination = action.destination
    if action.kind == "link":
        drop_copy(action)
    elif destination is not None and state == "undone":
        if is_second_name(target, destination):
            os.unlink(destination)
        if not os.path.lexists(destination) and os.path.lexists(info_of(destination)):
            os.unlink(info_of(destination))
    elif destination is not None and is_empty_file(target) and os.path.lexists(destination):
        os.unlink(target)  # it only held the name
    return state, reason, [target] if state == "undone" else []


def _judge_undoing(action: FileAction) -> tuple[str, str]:
    target = action.restored or action.path
    is_back = has_content(target, action.sha256)
    if action.kind == "link":
        is_back = is_back and not is_same_file(target, action.keeper)
    else:
        is_back = is_back and action.destination is not None
    return ("undone", _where(action, target)) if is_back else ("done", _NOT_BACK)


def _where(action: FileAction, target: str) -> str:
    return "it was back" if target == action.path else f"it was back as {target}"
