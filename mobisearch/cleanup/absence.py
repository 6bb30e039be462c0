"""Folders of an index that are not there now: what is in them is only known as it was last seen.

A drive that is not plugged in looks like this, and a folder that was renamed. What lies beside the
photos in it, such as RAW and sidecars, cannot be seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mobisearch.arguments import resolve_root
from mobisearch.cleanup.plans import Plan, PlannedFile, PlannedGroup
from mobisearch.duplicates import is_inside
from mobisearch.errors import RootUnavailableError
from mobisearch.imaging import ScannedFile, ScanSettings, scan_folder
from mobisearch.index import ImageIndex

_EMPTY = "holds no images now"
_OF_COPY = "it stays: its folder is not available now"
_OF_KEPT = "it stays: the folder of the one kept is not available now"


@dataclass(frozen=True, slots=True)
class AbsentFolder:
    """A folder of an index that is not available, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.reason}; its files are taken as they were last seen, RAW and "
            "sidecars beside them cannot be seen, and no plan moves them"
        )


def absent_folders(index: ImageIndex, folders: Sequence[str] = ()) -> tuple[AbsentFolder, ...]:
    """Return the folders of an index, its roots, that hold images and are not available now.

    Args:
        folders: real absolute paths; only roots that are in one of them, or one of them in it; all
            without any.
    """
    found = []
    for root in index.status().roots:
        is_meant = not folders or is_inside(root, folders)
        if is_meant or any(is_inside(folder, (root,)) for folder in folders):
            reason = _why_absent(root)
            if reason and index.holds(root):
                found.append(AbsentFolder(root, reason))
    return tuple(found)


def _why_absent(root: str) -> str:
    """Say why a folder is not available, or nothing if a picture is in it."""
    try:
        path = resolve_root(root)
    except RootUnavailableError as error:
        return error.reason
    reason = _EMPTY
    for found in scan_folder(path, ScanSettings(hidden=True, follow=True)):
        if isinstance(found, ScannedFile):
            return ""
        if found.path == path:
            reason = found.reason
    return reason


def leave_absent(plan: Plan, absent: Collection[str]) -> Plan:
    """Return a plan in which nothing is done with files of folders that are not available.

    Of a copy that is there nothing is done either if the one kept is not.

    Args:
        absent: real absolute paths of folders.
    """
    if not absent:
        return plan
    groups = tuple(_group_left(group, tuple(absent)) for group in plan.groups)
    return dataclasses.replace(plan, groups=groups)


def _group_left(group: PlannedGroup, absent: tuple[str, ...]) -> PlannedGroup:
    is_kept_absent = is_inside(group.keep.path, absent)
    files = []
    for file in group.files:
        is_absent = is_inside(file.path, absent)
        if is_absent:
            files.append(_left(file, _OF_COPY))
        elif is_kept_absent and file.action != "none":
            files.append(_left(file, _OF_KEPT))
        else:
            files.append(file)
    return dataclasses.replace(group, files=tuple(files))


def _left(file: PlannedFile, why: str) -> PlannedFile:
    reason = f"{why}; {file.reason}" if file.reason else why
    return dataclasses.replace(file, action="none", reason=reason, is_loss_accepted=False)
