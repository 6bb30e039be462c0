"""Replacing a byte-identical copy by a hard link to the image that stays, and back."""

from __future__ import annotations

import contextlib
import os

from mobisearch.cleanup.identity import FileIdentity, has_content, identify
from mobisearch.cleanup.moves import copy_to, is_same_file, sync_folder
from mobisearch.errors import StepRefusedError
from mobisearch.types import FileAction

_KEEPER_CHANGED = "the one kept changed at the last moment"


def link_name(action: FileAction) -> str:
    """Return the temporary name of the new link, beside the copy."""
    return _beside(action, "link")


def spare_name(action: FileAction) -> str:
    """Return the name that the copy's own file has until the exchange is known to be right."""
    return _beside(action, "copy")


def copy_name(action: FileAction) -> str:
    """Return the temporary name of the copy that a link becomes when it is taken back."""
    return _beside(action, "own")


def _beside(action: FileAction, word: str) -> str:
    name = f".mobisearch-{action.plan[:16]}-{action.id}.{word}"
    return os.path.join(os.path.dirname(action.path), name)


def replace_by_link(action: FileAction, copy: FileIdentity, keeper: FileIdentity) -> None:
    """Let the path of a copy become another name of the file that stays.

    The copy's own file keeps a second name until its bytes were seen to be unchanged, and to be
    those that the path has now: what somebody wrote at the last moment, into it or in place of the
    one that stays, costs nothing.

    Args:
        action: as written in the journal.
        copy: the copy as it was just verified.
        keeper: the one that stays, likewise.

    Raises:
        StepRefusedError: one of the two changed meanwhile; the copy is at its path.
        OSError: the system refuses, for instance since it has no hard links; nothing was changed.
    """
    link, spare = link_name(action), spare_name(action)
    os.link(action.path, spare, follow_symlinks=False)
    try:
        os.link(action.keeper, link, follow_symlinks=False)
        sync_folder(os.path.dirname(action.path))
        if not keeper.is_same_file(os.lstat(link)):
            raise StepRefusedError(action.path, _KEEPER_CHANGED)
        if not copy.is_same_file(os.lstat(action.path)):
            raise StepRefusedError(action.path, "it changed at the last moment")
        os.rename(link, action.path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(link)
        if is_same_file(spare, action.path):  # else it is the only name of the copy's own file
            with contextlib.suppress(OSError):
                os.unlink(spare)
        raise
    sync_folder(os.path.dirname(action.path))
    if not has_content(spare, copy.sha256):
        _put_back(action)
        raise StepRefusedError(action.path, "it changed at the last moment; it was put back")
    if not has_content(action.path, copy.sha256):
        _put_back(action)
        raise StepRefusedError(action.path, f"{_KEEPER_CHANGED}; it was put back")
    _drop(spare)


def _put_back(action: FileAction) -> None:
    """Give the path its own file again. What it led to has another name, that of the one kept."""
    os.rename(spare_name(action), action.path)
    sync_folder(os.path.dirname(action.path))


def is_exchanged(action: FileAction) -> bool:
    """Say whether a path is a link now that may stay one. Nothing is changed."""
    spare = spare_name(action)
    if not is_same_file(action.path, action.keeper):
        return False
    return not os.path.lexists(spare) or is_same_file(spare, action.path) or _is_spared(action)


def _is_spared(action: FileAction) -> bool:
    """Say whether both the copy's own file and the path have what the copy had."""
    return has_content(spare_name(action), action.sha256) and has_content(
        action.path, action.sha256
    )


def tidy_link(action: FileAction) -> bool:
    """Settle what a cut-off exchange left, and say whether the path is a link now."""
    link, spare = link_name(action), spare_name(action)
    is_linked = is_exchanged(action)
    if os.path.lexists(spare):
        if not os.path.lexists(action.path):
            _put_back(action)
        elif is_same_file(spare, action.path) or _is_spared(action):
            _drop(spare)
        elif is_same_file(action.path, action.keeper):  # one of the two was written to meanwhile
            _put_back(action)
    if is_same_file(link, action.keeper) or is_same_file(link, action.path):
        _drop(link)
    elif has_content(link, action.sha256) and has_content(action.path, action.sha256):
        _drop(link)  # the one kept was replaced since
    return is_linked


def _drop(name: str) -> None:
    os.unlink(name)
    sync_folder(os.path.dirname(name))


def drop_copy(action: FileAction) -> None:
    """Delete what a cut-off copy left: some bytes of the file that is kept, under our own name."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(copy_name(action))


def make_file_of_its_own(action: FileAction, target: str) -> None:
    """Give a path that is a hard link a file of its own again, with its old time and mode.

    Args:
        target: the path itself, or a free one if something else is there now.

    Raises:
        StepRefusedError: its content is nowhere to be had any more.
        OSError: the system refuses; nothing was changed.
    """
    sources = (action.path, action.keeper)
    source = next((path for path in sources if has_content(path, action.sha256)), None)
    if source is None:
        raise StepRefusedError(action.path, "neither it nor the one kept has its content any more")
    temporary = copy_name(action)
    drop_copy(action)
    copy_to(source, temporary, mode=action.mode, mtime_ns=action.mtime_ns)
    try:
        if identify(temporary).sha256 != action.sha256:
            raise StepRefusedError(source, "it changed while it was copied")
        if target == action.path and os.path.lexists(target):
            if not is_same_file(target, action.keeper):
                raise StepRefusedError(target, "it is no link any more")
            os.rename(temporary, target)
        else:
            os.link(temporary, target, follow_symlinks=False)
            os.unlink(temporary)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(target))
