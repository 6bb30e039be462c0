"""Copies on the page: found in the background, decided on, planned, carried out, taken back."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from mobisearch.arguments import real_path
from mobisearch.cleanup import (
    DraftSettings,
    absent_folders,
    apply_plan,
    draft_plan,
    leave_absent,
    undo_plan,
)
from mobisearch.duplicates import DuplicateGroups, draw_difference, parse_rules
from mobisearch.errors import FolderNotIndexedError, MobisearchError
from mobisearch.imaging import encode_jpeg
from mobisearch.text import printable
from mobisearch.types import (
    DuplicateGroup,
    DuplicateSettings,
    Progress,
)
from mobisearch.web.copy_documents import (
    CopiesDocument,
    DecidedDocument,
    DecisionBody,
    FindBody,
    GroupsDocument,
    PlanBody,
    PlanDocument,
    ReportDocument,
    describe_group,
    describe_plan,
    describe_report,
)
from mobisearch.web.failures import RefusedError
from mobisearch.web.jobs import Job
from mobisearch.web.plans import Choice, HeldPlan, HeldPlans, plan_of_choices
from mobisearch.web.state import WebState

_DIFFERENCE_PX = 768
_IN_FOLDER = "path:"


@dataclass(frozen=True, eq=False, slots=True)
class FoundCopies:
    """What a search found, at one generation of the index."""

    found: DuplicateGroups
    groups: tuple[tuple[str, DuplicateGroup], ...]
    generation: int
    protect: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def by_key(self) -> dict[str, DuplicateGroup]:
        """The groups by their keys."""
        return dict(self.groups)


def key_of(group: DuplicateGroup) -> str:
    """Return what a group is asked for by: the same as long as it has the same images."""
    names = sorted(f"{member.image.id} {member.image.sha256}" for member in group.members)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]


class Copies:
    """Answers the routes below."""

    def __init__(self, state: WebState) -> None:
        self._state = state
        self._index = state.index
        self.job: Job[FoundCopies] = Job("mobisearch-copies")
        self.plans = HeldPlans()

    def start(self, body: FindBody) -> None:
        """Look for copies in the background."""
        parse_rules(tuple(body.keep))
        for rule in body.keep:
            if rule.startswith(_IN_FOLDER):
                self._folder_of(rule.removeprefix(_IN_FOLDER), "keep")
        protect = tuple(self._folder_of(given, "protect") for given in body.protect)
        settings = DuplicateSettings(
            wrong_groups=body.wrong_groups, keep=tuple(body.keep), protect=protect
        )

        def work(note: Callable[[Progress], None], stop: threading.Event) -> FoundCopies:
            found = self._index.duplicates(settings, on_progress=note, stop=stop)
            generation = self._index.generation()
            ordered = sorted(found, key=lambda group: -group.reclaimable_bytes)
            keyed = tuple((key_of(group), group) for group in ordered)
            absent = [f"not available: {folder}" for folder in absent_folders(self._index)]
            return FoundCopies(found, keyed, generation, protect, (*absent, *found.warnings))

        self.job.start(work)

    def _folder_of(self, given: str, name: str) -> str:
        """Return the real path of a folder of the index, which a misspelt one is not.

        Raises:
            RefusedError: it is no absolute path.
            FolderNotIndexedError: nothing of it is in the index.
        """
        try:
            is_absolute = os.path.isabs(os.path.expanduser(given))
            path = real_path(given) if is_absolute else ""
        except ValueError:  # a NUL, or what no file name can hold
            path = ""
        if not path:
            reason = f"{name}: expected the absolute path of a folder, got {given!r}"
            raise RefusedError(422, "invalid", reason)
        if not self._index.holds(path):
            raise FolderNotIndexedError(path)
        return path

    def status(self) -> CopiesDocument:
        """Return how the search stands."""
        now, result = self.job.now, self.job.now.result
        groups = [group for _, group in result.groups] if result else []
        error = None
        if now.error is not None:
            is_own = isinstance(now.error, MobisearchError)
            error = printable(str(now.error)) if is_own else "something unexpected went wrong"
        return CopiesDocument(
            state=now.state,  # type: ignore[arg-type]
            step=now.step,
            done=now.done,
            total=now.total,
            error=error,
            groups=len(groups),
            copies=sum(len(group.copies) for group in groups),
            reclaimable_bytes=sum(group.reclaimable_bytes for group in groups),
            similar=len(result.found.similar) if result else 0,
            images=result.found.images if result else 0,
            generation=result.generation if result else None,
            is_stale=bool(result and result.generation != self._index.generation()),
            warnings=[printable(line) for line in result.warnings] if result else [],
        )

    def result(self) -> FoundCopies:
        """Return what the last search found.

        Raises:
            RefusedError: there was none.
        """
        result = self.job.now.result
        if result is None:
            raise RefusedError(409, "not_looked", "copies were not looked for yet")
        return result

    def page(self, offset: int, limit: int) -> GroupsDocument:
        """Return some of the groups."""
        groups = self.result().groups
        return GroupsDocument.model_validate(
            {
                "total": len(groups),
                "offset": offset,
                "groups": [
                    describe_group(offset + place, key, group)
                    for place, (key, group) in enumerate(groups[offset : offset + limit])
                ],
            }
        )

    def difference(self, key: str, image_id: int) -> bytes:
        """Return where an image differs from the one that is kept, as a JPEG."""
        group = self.result().by_key.get(key)
        if group is None or image_id not in {member.image.id for member in group.members}:
            raise RefusedError(404, "no_group", "there is no such image in a group")
        first, second = (
            self._index.picture(number, max_px=_DIFFERENCE_PX)
            for number in (group.keep.image.id, image_id)
        )
        return encode_jpeg(draw_difference(first, second)[0], quality=85)

    def decide(self, body: DecisionBody) -> DecidedDocument:
        """Remember a decision, and leave out the groups that it settles."""
        self._check_writable()
        images = [self._index.image(number) for number in dict.fromkeys(body.images)]
        made = self._index.decide(body.kind, [image.path for image in images])
        result = self.job.now.result
        if result is not None:
            decided = {image.id for image in images}
            left = tuple(
                (key, group)
                for key, group in result.groups
                if not {member.image.id for member in group.members} <= decided
            )
            self.job.replace(replace(result, groups=left))
        return DecidedDocument(id=made.id, kind=body.kind, images=len(images))

    def plan(self, body: PlanBody) -> PlanDocument:
        """Make a plan, and change nothing."""
        result = self.result()
        if body.by_rule == bool(body.groups):
            raise RefusedError(422, "invalid", "name groups, or take all of them by rule")
        settings = DraftSettings(
            action=body.action, protect=result.protect, moves_companions=body.companions
        )
        if body.by_rule:
            made = draft_plan([group for _, group in result.groups], settings)
        else:
            choices = [
                Choice(
                    chosen.key,
                    (chosen.keep.image, chosen.keep.sha256),
                    tuple((each.image, each.sha256) for each in chosen.trash),
                )
                for chosen in body.groups
            ]
            if len({choice.key for choice in choices}) != len(choices):
                raise RefusedError(422, "contradiction", "a group is named twice")
            made = plan_of_choices(result.by_key, choices, settings)
        made = leave_absent(made, [folder.path for folder in absent_folders(self._index)])
        self.plans.put(HeldPlan(made, body.action == "link"))
        return describe_plan(made)

    def apply(self, plan_id: str) -> ReportDocument:
        """Carry out a plan, once."""
        self._check_may_trash()
        held = self.plans.find(plan_id)
        if not held.lock.acquire(blocking=False):
            raise RefusedError(409, "under_way", "this plan is being carried out")
        try:
            if held.is_carried_out:
                raise RefusedError(409, "carried_out", "this plan was carried out already")
            report = apply_plan(self._index, held.plan, is_real=True, as_links=held.as_links)
            held.is_carried_out = True
        finally:
            held.lock.release()
        return describe_report(plan_id, report)

    def undo(self, plan_id: str) -> ReportDocument:
        """Take back what was done for a plan, made on the page or by the command."""
        self._check_may_trash()
        if not self._index.actions(plan_id):
            raise RefusedError(404, "no_plan", "this plan was never carried out with this index")
        report = undo_plan(self._index, plan_id, is_real=True)
        return describe_report(plan_id, report)

    def _check_writable(self) -> None:
        if self._state.settings.is_read_only or not self._index.is_writable:
            raise RefusedError(403, "read_only", "the index is read-only here")

    def _check_may_trash(self) -> None:
        self._check_writable()
        if not self._state.settings.may_trash:
            reason = "start 'mobisearch serve' with --allow-trash to carry out plans from the page"
            raise RefusedError(403, "no_trash", reason)
