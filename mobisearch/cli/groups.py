"""Groups of copies, and what a score means, as text and as JSON."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from mobisearch.cli.output import format_bytes, json_path, print_line, print_message
from mobisearch.text import counted
from mobisearch.types import DuplicateGroup, GroupMember, ScoreCurve, SimilarPair

if TYPE_CHECKING:
    from mobisearch.cleanup import Outlook, PlannedFile
    from mobisearch.duplicates import DuplicateGroups

_SIMILAR_SHOWN = 10
_BAR_COLUMNS = 30


def groups_document(found: DuplicateGroups, outlook: Outlook) -> dict[str, object]:
    """Return groups as JSON values: all members in ``images``, the one that is kept first."""
    return {
        "groups": [_group_document(group, outlook) for group in found],
        "similar": [_pair_document(pair) for pair in found.similar],
        "images": found.images,
        "copies": sum(len(group.copies) for group in found),
        "reclaimable_bytes": found.reclaimable_bytes,
        "planned_copies": outlook.n_moved,
        "planned_companions": outlook.n_companions,
        "planned_bytes": outlook.moved_bytes,
        "completeness": found.completeness,
        "hidden": found.hidden,
        "interrupted": found.interrupted,
        "failures": [
            {**json_path(f.path), "code": f.code, "reason": f.reason} for f in found.failures
        ],
    }


def _group_document(group: DuplicateGroup, outlook: Outlook) -> dict[str, object]:
    keep = json_path(group.keep.image.path)
    document: dict[str, object] = {"keep": keep["path"]}
    if "path_b64" in keep:
        document["keep_b64"] = keep["path_b64"]
    document["reclaimable_bytes"] = group.reclaimable_bytes
    document["planned_bytes"] = outlook.group_bytes[group.keep.image.path]
    document["images"] = [_member_document(group.keep, None)] + [
        _member_document(copy, outlook.copies[copy.image.path]) for copy in group.copies
    ]
    return document


def _member_document(member: GroupMember, planned: PlannedFile | None) -> dict[str, object]:
    """Return a member as JSON values; of the one that is kept, nothing is planned."""
    image, relation = member.image, member.relation
    return {
        **json_path(image.path),
        "id": image.id,
        "verdict": "keep" if planned is None else str(member.verdict),
        "score": 1.0 if planned is None else round(member.score, 6),
        "reason": member.reason,
        "changes": [] if relation is None else [str(change) for change in relation.changes],
        "detail": "" if relation is None else relation.detail,
        "protected": member.is_protected,
        "planned_action": "none" if planned is None else planned.action,
        "planned_reason": "" if planned is None else planned.reason,
        "width": image.width,
        "height": image.height,
        "size_bytes": image.size_bytes,
        "format": image.format,
        "sha256": image.sha256,
        "companions": [json_path(path) for path in member.companions],
    }


def _pair_document(pair: SimilarPair) -> dict[str, object]:
    return {
        "images": [json_path(pair.first.path), json_path(pair.second.path)],
        "score": round(pair.score, 6),
        "verdict": str(pair.relation.verdict),
    }


def print_groups(found: DuplicateGroups, outlook: Outlook) -> None:
    """Print groups in the order of the plan and its page, then similar shots and totals.

    What is to be freed is what a plan moves; copies that it leaves are marked, with the reason.
    """
    place = {path: number for number, path in enumerate(outlook.group_bytes)}
    ordered = sorted(found, key=lambda group: place[group.keep.image.path])
    for number, group in enumerate(ordered, 1):
        n_images = len(group.members)
        freed = format_bytes(outlook.group_bytes[group.keep.image.path])
        print_line(f"group {number}: {n_images} images, {freed} to be freed")
        _print_member(group.keep, "keep", group.keep.reason)
        for copy in group.copies:
            planned = outlook.copies[copy.image.path]
            mark = "protected" if copy.is_protected else "stays"
            mark = f", {mark}" if planned.action == "none" else ""
            _print_member(copy, _verdict(copy) + mark, planned.reason)
    for pair in found.similar[:_SIMILAR_SHOWN]:
        print_line(f"similar shots, no copies: {pair.first.path}  {pair.second.path}")
    if len(found.similar) > _SIMILAR_SHOWN:
        n_more = counted(len(found.similar) - _SIMILAR_SHOWN, "more pair")
        print_line(f"and {n_more} of similar shots")
    n_copies = sum(len(group.copies) for group in found)
    print_line(
        f"{counted(len(found), 'group')} with {counted(n_copies, 'copy', 'copies')} among "
        f"{counted(found.images, 'image')}; "
        f"a plan {_plan_words(outlook)}, {format_bytes(outlook.moved_bytes)} to be freed"
    )
    if found.hidden:
        print_message(
            f"not shown: {counted(found.hidden, 'group')} of which all images are to stay, as was "
            "decided"
        )
    if found.completeness < 1:
        print_message(f"{found.completeness:.4%} of the likely pairs were compared")


def _plan_words(outlook: Outlook) -> str:
    if any(planned.action == "link" for planned in outlook.copies.values()):
        return f"makes links of {outlook.n_moved:,} of them"
    beside = counted(outlook.n_companions, "file")
    with_them = f" and {beside} beside them" if outlook.n_companions else ""
    return f"moves {outlook.n_moved:,} of them{with_them}"


def _print_member(member: GroupMember, verdict: str, reason: str) -> None:
    image = member.image
    size = f"{image.width}x{image.height} {image.format} {format_bytes(image.size_bytes)}"
    print_line(f"  {verdict:14}  {size}  {image.path}")
    if reason:
        print_line(f"  {'':14}  {reason}")
    for path in member.companions:
        print_line(f"  {'':14}  with {os.path.basename(path)}")


def _verdict(member: GroupMember) -> str:
    if member.relation is None:
        return str(member.verdict)
    from mobisearch.duplicates.verification import describe

    return describe(member.relation)


def curve_document(curve: ScoreCurve) -> dict[str, object]:
    """Return what a score means as JSON values."""
    document = dataclasses.asdict(curve)
    document["mistake_rate"] = curve.mistake_rate
    document["recall_by_alteration"] = dict(curve.recall_by_alteration)
    return document


def print_curve(curve: ScoreCurve) -> None:
    """Print what a score means: a line for each, with a bar for the share of copies found."""
    print_line("")
    print_line("score    wrong groups   copies   found of altered copies")
    for point in curve.points:
        bar = "#" * round(_BAR_COLUMNS * point.recall)
        mark = "  <- taken" if point.score == curve.accepted_score else ""
        print_line(
            f"{point.score:.3f}  {point.wrong_groups:13.3f}  {point.copies:7,}   "
            f"{point.recall:6.1%} {bar}{mark}"
        )
    print_line(
        f"copies are grouped from {curve.accepted_score:.3f} on; every pair from "
        f"{curve.candidate_score:.3f} on was compared"
    )
    print_line(
        f"{curve.mistakes:,} of {counted(curve.trials, 'pair')} of different pictures "
        f"{'was' if curve.mistakes == 1 else 'were'} taken for copies"
    )
    if curve.recall_by_alteration:
        n_copies = counted(curve.synthetic_copies, "altered copy", "altered copies")
        print_line(f"found of {n_copies} of your own photos:")
    for name, share in curve.recall_by_alteration:
        print_line(f"  {share:6.1%}  {name}")
