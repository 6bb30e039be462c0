"""What the user decided about images, as far as a plan is concerned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mobisearch.cleanup.plans import Plan, PlannedFile, PlannedGroup
from mobisearch.errors import StepRefusedError
from mobisearch.types import Decision


def planned_decisions(plan: Plan) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Give what the plan says about images that stay, with the number of files of each content.

    Byte-identical images are never different.
    """
    for group in plan.groups:
        images = [file.sha256 for file in group.files if file.companion_of is None]
        contents = Counter([group.keep.sha256, *images])
        if group.decision and (group.decision == "keep" or len(contents) > 1):
            yield group.decision, contents


def check_decided(decisions: Sequence[Decision], group: PlannedGroup, file: PlannedFile) -> None:
    """Refuse a step that a decision stands against, made before the plan or after it.

    Byte-identical files are one content: they are never different pictures, and all of them stay
    if that content does. A content that was decided to stay by itself stays whatever is kept.

    Raises:
        StepRefusedError: the file and the one that is kept are different pictures, or both stay.
    """
    both = {file.sha256, group.keep.sha256}
    for decision in decisions:
        contents = set(decision.sha256s)
        if decision.kind == "different":
            words = "it and the one kept are different pictures"
            stands_against = len(both) > 1 and both <= contents
        else:
            words = "it and the one kept both stay" if both <= contents else "it stays"
            stands_against = both <= contents or contents == {file.sha256}
        if stands_against:
            reason = f"you decided that {words} (see: mobisearch decisions)"
            raise StepRefusedError(file.path, reason)
