"""A plan: what a clean-up would do, as a file that people can read and change before it is done.

::

    {
     "mobisearch_plan": 1,
     "id": "0123456789abcdef0123456789abcdef",
     "created_at": "2026-01-31T12:00:00+00:00",
     "protect": [{"path": "/photos/archive"}],
     "groups": [
      {
       "keep": {"path": ..., "sha256": ..., "size_bytes": ..., "mtime_ns": ..., "reason": ...},
       "files": [
        {"step": 1, "action": "trash", "path": ..., "sha256": ..., "size_bytes": ...,
         "mtime_ns": ..., "verdict": "resized", "score": 0.98, "reason": ...}
       ]
      }
     ]
    }

``action`` is ``trash``, ``link`` (a hard link to the image that is kept, for byte-identical
files) or ``none``. A path that is not UTF-8 has its bytes beside it as ``path_b64``, and counts as
those. An image with ``"loss_accepted": true`` is moved even if its file holds what that of the one
kept does not, such as a film, more pages, a date or a description; else that is refused. A
companion has ``companion_of``, the step of its image, and is moved only after that one; both stay
if the image that is kept has no companion of the same bytes, unless the companion has
``"loss_accepted": true``. A group may have a ``decision``, ``different`` or ``keep``, to be
remembered of its images.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobisearch.outputs import OutputKind, begins_with, check_output_path, save_output
from mobisearch.text import printable

PLAN_VERSION = 1
MARK = "mobisearch_plan"
ACTIONS = ("trash", "link", "none")
_PLAN = OutputKind("plan", begins_with(MARK))


@dataclass(frozen=True, slots=True)
class KeptFile:
    """The image of a group that stays, as it was when the plan was made."""

    path: str
    sha256: str
    size_bytes: int
    mtime_ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """What is to become of one file, as it was when the plan was made.

    Attributes:
        step: its number, which no other file of the plan has.
        action: one of :data:`ACTIONS`.
        verdict: its relation to the image that is kept; of a companion, what it is.
        companion_of: the step of the image that it belongs to; None for an image.
        is_loss_accepted: move it even if its file holds what that of the image kept does not; of a
            companion, even if the image kept has none of the same bytes.
    """

    step: int
    action: str
    path: str
    sha256: str
    size_bytes: int
    mtime_ns: int
    verdict: str = ""
    score: float = 0.0
    reason: str = ""
    companion_of: int | None = None
    is_loss_accepted: bool = False


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """Copies of one image, and which of them stays.

    Attributes:
        decision: ``different`` or ``keep``, to be remembered of the images when the plan is carried
            out; nothing is done to them then. Else empty.
    """

    keep: KeptFile
    files: tuple[PlannedFile, ...]
    decision: str = ""

    @property
    def reclaimable_bytes(self) -> int:
        """What the files take that are to be moved or replaced."""
        return sum(file.size_bytes for file in self.files if file.action != "none")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan.

    Attributes:
        id: 32 hexadecimal digits; the journal knows it by this, whatever the file is called.
        protect: folders, real absolute paths, of which nothing is moved.
    """

    id: str
    created_at: str
    groups: tuple[PlannedGroup, ...]
    protect: tuple[str, ...] = ()

    def steps(self) -> Iterator[tuple[PlannedGroup, PlannedFile]]:
        """Give each file that something is to be done to, with its group, in order."""
        for group in self.groups:
            for file in group.files:
                if file.action != "none":
                    yield group, file


def plan_text(plan: Plan) -> str:
    """Return a plan as the text of its file."""
    return json.dumps(plan_document(plan), indent=1) + "\n"


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    return {
        MARK: PLAN_VERSION,
        "id": plan.id,
        "created_at": plan.created_at,
        "protect": [path_fields(folder) for folder in plan.protect],
        "groups": [
            {
                "keep": _file_fields(group.keep) | {"reason": printable(group.keep.reason)},
                "files": [_planned_fields(file) for file in group.files],
                **({"decision": group.decision} if group.decision else {}),
            }
            for group in plan.groups
        ],
    }


def path_fields(path: str) -> dict[str, str]:
    """Return the JSON fields for a path: itself, or its bytes beside a form for reading."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return {"path": printable(path), "path_b64": _b64(path)}
    return {"path": path}


def _b64(path: str) -> str:
    return base64.b64encode(os.fsencode(path)).decode("ascii")


def _file_fields(file: KeptFile | PlannedFile) -> dict[str, Any]:
    return {
        **path_fields(file.path),
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
    }


def _planned_fields(file: PlannedFile) -> dict[str, Any]:
    fields = {
        "step": file.step,
        "action": file.action,
        **_file_fields(file),
        "verdict": file.verdict,
        "score": round(file.score, 6),
        "reason": printable(file.reason),
    }
    if file.companion_of is not None:
        fields["companion_of"] = file.companion_of
    if file.is_loss_accepted:
        fields["loss_accepted"] = True
    return fields


def check_plan_path(path: str | os.PathLike[str]) -> Path:
    """Return where a plan would be written.

    Raises:
        ReportError: a file that is no plan is there; it was left alone.
    """
    return check_output_path(path, _PLAN)


def write_plan(path: str | os.PathLike[str], plan: Plan) -> None:
    """Write a plan file, whole or not at all. An earlier plan is replaced, any other file is not.

    Raises:
        ReportError: it cannot be written, or another file is in the way.
    """
    target = check_plan_path(path)
    save_output(lambda file: file.write(plan_text(plan).encode("ascii")), target, _PLAN)
