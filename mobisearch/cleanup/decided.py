"""What the user decided about images, as far as a plan is concerned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobisearch.cleanup.plans import Plan, PlannedFile, PlannedGroup
from mobisearch.errors import StepRefusedError
from mobisearch.types import Decision


def planned_decisions(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give what the plan says about images that stay; byte-identical ones are never different."""
    for group in plan.groups:
        images = [file for file in group.files if file.companion_of is None]
        contents = tuple(sorted({group.keep.sha256, *(file.sha256 for file in images)}))
        if group.decision and (group.decision == "keep" or len(contents) > 1):
            yield group.decision, contents


def check_decided(decisions: Sequence[Decision], group: PlannedGroup, file: PlannedFile) -> None:
    """Refuse a step that a decision stands against, made before the plan or after it.

    Raises:
        StepRefusedError: the file and the one that is kept are different pictures, or both stay.
    """
    both = {file.sha256, group.keep.sha256}
    if len(both) < 2:
        return
    for decision in decisions:
        if both <= set(decision.sha256s):
            words = "are different pictures" if decision.kind == "different" else "both stay"
            reason = f"you decided that it and the one kept {words} (see: mobisearch decisions)"
            raise StepRefusedError(file.path, reason)
