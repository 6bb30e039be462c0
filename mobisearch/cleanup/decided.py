"""What the user decided about images, as far as a plan is concerned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from mobisearch.cleanup.plans import Plan, PlannedFile, PlannedGroup
from mobisearch.errors import StepRefusedError
from mobisearch.types import Decision

_ASK_AGAIN = (
    "you decided that files of its bytes stay when there were fewer of them, and which one is new "
    "cannot be told; decide again, or let it go with: mobisearch decisions --forget {}"
)


def planned_decisions(plan: Plan) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Give what the plan says about images that stay, with the number of files of each content.

    Byte-identical images are never different.
    """
    for group in plan.groups:
        images = [file.sha256 for file in group.files if file.companion_of is None]
        contents = Counter([group.keep.sha256, *images])
        if group.decision and (group.decision == "keep" or len(contents) > 1):
            yield group.decision, contents


def check_decided(
    decisions: Sequence[Decision],
    group: PlannedGroup,
    file: PlannedFile,
    outgrown: Collection[int] = (),
) -> None:
    """Refuse a step that a decision stands against, made before the plan or after it.

    Raises:
        StepRefusedError: see :func:`why_decided_against`.
    """
    reason = why_decided_against(decisions, file.sha256, kept=group.keep.sha256, outgrown=outgrown)
    if reason:
        raise StepRefusedError(file.path, reason)


def why_decided_against(
    decisions: Sequence[Decision], sha256: str, *, kept: str, outgrown: Collection[int] = ()
) -> str:
    """Say what was decided against moving a file as a copy of another; nothing if nothing was.

    Byte-identical files are one content: they are never different pictures, and all of them stay
    if that content does. A content that was decided to stay by itself stays whatever is kept.
    Where files of such a content came afterwards, none is moved before that was decided again:
    they cannot be told from those that stay.

    Args:
        sha256: of the file.
        kept: the SHA-256 of the one that is kept.
        outgrown: ids of decisions: see ``ImageIndex.outgrown_decisions``.
    """
    for decision in decisions:
        if sha256 not in decision.sha256s:
            continue
        is_about_both = kept in decision.sha256s
        words = ""
        if decision.kind == "different":
            if is_about_both and sha256 != kept:
                words = "it and the one kept are different pictures"
        elif is_about_both:
            words = "it and the one kept both stay"
        elif len(decision.sha256s) == 1:
            words = "it stays"
        if words and decision.id in outgrown:
            return _ASK_AGAIN.format(decision.id)
        if words:
            return f"you decided that {words} (see: mobisearch decisions)"
    return ""
