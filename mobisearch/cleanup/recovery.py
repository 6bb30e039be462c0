"""Steps that were cut off: how they stand is seen on the disk, and written into the journal."""

from __future__ import annotations

import os

from mobisearch.cleanup.identity import has_content
from mobisearch.cleanup.links import drop_copy, spare_name, tidy_link
from mobisearch.cleanup.moves import is_empty_file, is_same_file, is_second_name
from mobisearch.cleanup.trash import info_of, release
from mobisearch.index import ImageIndex
from mobisearch.journal import Journal
from mobisearch.types import FileAction

_UNSEEN = "its folder cannot be seen now; it is looked at again next time"


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
        if not os.path.isdir(os.path.dirname(action.path)):
            lines.append(f"{action.path}: {_UNSEEN}")
            continue
        if action.state == "undoing":
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


def _settle_trash(action: FileAction) -> tuple[str, str]:
    destination = action.destination
    is_there = has_content(action.path, action.sha256)
    if destination is None:  # a system that does not say where it puts files
        if is_there:
            return "failed", "it had not been moved"
        return "done", "it is not there any more, so the system's trash has it"
    if is_there:
        if is_second_name(action.path, destination):
            os.unlink(destination)
        release(destination)
        return "failed", "it had not been moved"
    if has_content(destination, action.sha256):
        return "done", "it is in the trash"
    if os.path.lexists(action.path):
        release(destination)
        return "failed", "it had not been moved, and has been changed since"
    return "failed", (
        f"it is neither at its place nor in the trash ({destination}); somebody else moved it. "
        f"The one kept is {action.keeper}"
    )


def _settle_link(action: FileAction) -> tuple[str, str]:
    if tidy_link(action):
        return "done", "it is a link to the one kept"
    spare = spare_name(action)
    if os.path.lexists(spare):  # another file has the path now
        return "failed", f"something else is there; its own file is {spare}"
    return "failed", "it had not been replaced"


def settle_undoing(action: FileAction) -> tuple[str, str, list[str]]:
    """See how far taking back a step has come, and tidy up after it.

    Returns:
        The state, a reason, and the paths that are back.
    """
    target = action.restored or action.path
    if action.kind == "link":
        drop_copy(action)
        if has_content(target, action.sha256) and not is_same_file(target, action.keeper):
            return "undone", _where(action, target), [target]
        return "done", "it had not been taken back", []
    destination = action.destination
    if destination is None:
        return "done", "it had not been taken back", []
    if has_content(target, action.sha256):
        if is_second_name(target, destination):
            os.unlink(destination)
        if not os.path.lexists(destination) and os.path.lexists(info_of(destination)):
            os.unlink(info_of(destination))
        return "undone", _where(action, target), [target]
    if is_empty_file(target) and os.path.lexists(destination):  # it only held the name
        os.unlink(target)
    return "done", "it had not been taken back", []


def _where(action: FileAction, target: str) -> str:
    return "it was back" if target == action.path else f"it was back as {target}"
