"""The page to review copies in: one file with everything inside, which loads nothing from anywhere.

What is marked in it is saved as a plan, which ``mobisearch apply`` takes. The page itself can do
nothing to a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mobisearch.cleanup import Plan, PlannedFile, PlannedGroup, plan_document
from mobisearch.errors import ImageError
from mobisearch.imaging import read_thumbnail_jpeg
from mobisearch.outputs import OutputKind, begins_with, check_output_path, save_output
from mobisearch.text import counted, printable
from mobisearch.types import DuplicateGroup, GroupMember

MAX_PICTURE_BYTES = 80_000_000
"""What the pictures of a page take at most: browsers open such a file at once. The groups that free
least are shown without."""

PAGE = OutputKind(
    "page to review copies in", begins_with("<title>Copies to review"), (".htm", ".html")
)
_SIZES_PX = ((600, 384), (3_000, 256), (12_000, 176))
"""Up to so many pictures, so large: the more there are, the smaller each is."""
_LEAST_PX = 128


@dataclass(slots=True)
class _Pictures:
    """Makes the pictures of a page as long as they fit."""

    max_px: int
    room_bytes: int = MAX_PICTURE_BYTES
    n_left_out: int = 0

    def encode(self, path: str) -> tuple[str | None, str]:
        """Return a picture as base64, or None and why there is none."""
        if self.room_bytes <= 0:
            self.n_left_out += 1
            return None, "left out: the page would be too large"
        try:
            data = base64.b64encode(read_thumbnail_jpeg(path, max_px=self.max_px)).decode("ascii")
        except ImageError as error:
            return None, printable(error.reason)
        self.room_bytes -= len(data)
        return data, ""


def write_review(
    path: str | os.PathLike[str], groups: Sequence[DuplicateGroup], plan: Plan
) -> None:
    """Write the page. An earlier page is replaced, any other file of that name is left alone.

    Args:
        path: ``.html`` or ``.htm``.
        groups: what was found.
        plan: made of these groups; its order is that of the page.

    Raises:
        ReportError: another kind of file, in the way, or not writable.
    """
    target = check_review_path(path)
    text = review_page(groups, plan, file_name=f"{target.stem}.plan.json")
    save_output(lambda file: file.write(text.encode()), target, PAGE)


def check_review_path(path: str | os.PathLike[str]) -> Path:
    """Return where a page would be written.

    Raises:
        ReportError: it is another kind of file, or one that is no such page.
    """
    return check_output_path(path, PAGE)


def review_page(groups: Sequence[DuplicateGroup], plan: Plan, *, file_name: str) -> str:
    """Return the page as text; see :func:`write_review`."""
    by_keeper = {group.keep.image.path: group for group in groups}
    n_pictures = sum(len(group.members) for group in groups)
    pictures = _Pictures(next((px for n, px in _SIZES_PX if n_pictures <= n), _LEAST_PX))
    shown = [
        _group(planned, by_keeper[planned.keep.path], pictures)
        for planned in plan.groups
        if planned.keep.path in by_keeper
    ]
    document = plan_document(plan)
    for entry in document["groups"]:
        for file in (entry["keep"], *entry["files"]):
            file["mtime_ns"] = str(file["mtime_ns"])
    removal = "link" if any(f.action == "link" for g in plan.groups for f in g.files) else "trash"
    data = {
        "plan": document,
        "groups": shown,
        "removal": removal,
        "file_name": printable(file_name),
    }
    limits = "All pictures are inside this file."
    if pictures.n_left_out:
        limits = (
            f"{counted(pictures.n_left_out, 'picture')} left out, or this file would be larger "
            f"than {MAX_PICTURE_BYTES // 1_000_000} MB; their groups are here all the same."
        )
    css, js = _asset("review.css"), _asset("review.js")
    parts = {
        "css_hash": _csp_hash(css),
        "js_hash": _csp_hash(js),
        "made": f"{counted(len(shown), 'group')}, found {printable(plan.created_at)}",
        "limits": limits,
        "css": css,
        "js": js,
        "data": _inert_json(data),
    }
    page = _asset("review.html")
    pieces = page.split("{{")
    return pieces[0] + "".join(
        parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:])
    )


def _group(planned: PlannedGroup, group: DuplicateGroup, pictures: _Pictures) -> dict[str, Any]:
    """Return what the page shows of a group; its members are in the order of the plan."""
    members = {member.image.path: member for member in group.members}
    images = [file for file in planned.files if file.companion_of is None]
    shown = [_member(members[planned.keep.path], None, (), pictures)]
    for file in images:
        companions = [other for other in planned.files if other.companion_of == file.step]
        shown.append(_member(members[file.path], file, companions, pictures))
    return {"members": shown}


def _member(
    member: GroupMember,
    file: PlannedFile | None,
    companions: Sequence[PlannedFile],
    pictures: _Pictures,
) -> dict[str, Any]:
    image, relation = member.image, member.relation
    folder, name = os.path.split(image.path)
    facts = [
        f"{image.width} \u00d7 {image.height}",
        image.format,
        _size(image.size_bytes),
        *([image.taken_at.replace("T", " ")] if image.taken_at else []),
        *([image.camera] if image.camera else []),
        *(["protected"] if member.is_protected else []),
    ]
    thumbnail, note = pictures.encode(image.path)
    return {
        "name": printable(name),
        "folder": printable(folder),
        "path": printable(image.path),
        "facts": printable(" · ".join(facts)),
        "verdict": str(member.verdict),
        "score": member.score,
        "reason": printable(file.reason if file is not None else member.reason),
        "action": file.action if file is not None else "keep",
        "bytes": image.size_bytes,
        "sha256": image.sha256,
        "protected": member.is_protected,
        "turn": round(relation.turn_degrees) if relation else 0,
        "mirrored": bool(relation and relation.is_mirrored),
        "companions": [
            printable(f"{other.verdict}: {os.path.basename(other.path)} ({other.reason})")
            for other in companions
        ],
        "thumbnail": thumbnail,
        "note": note,
    }


def _size(n_bytes: int) -> str:
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _asset(name: str) -> str:
    return (resources.files("mobisearch.reports") / name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest())
    return f"sha256-{digest.decode('ascii')}"


def _inert_json(value: object) -> str:
    """Return JSON in ASCII in which nothing can end the element that it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
