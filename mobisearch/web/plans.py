"""Plans that were made on the page: held until they are carried out, a limited number of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mobisearch.cleanup import DraftSettings, Plan, draft_plan
from mobisearch.types import DuplicateGroup, GroupMember, Verdict
from mobisearch.web.failures import RefusedError

_MAX_HELD = 64
_CHOSEN = "you chose it"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen of a group: the image that stays, and those that go, by id with SHA-256."""

    key: str
    keep: tuple[int, str]
    trash: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class HeldPlan:
    """A plan, and whether it was carried out."""

    plan: Plan
    as_links: bool
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_carried_out: bool = False


class HeldPlans:
    """The plans that were made last. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, HeldPlan] = OrderedDict()

    def put(self, held: HeldPlan) -> None:
        """Keep a plan; the oldest are let go."""
        with self._lock:
            self._held[held.plan.id] = held
            while len(self._held) > _MAX_HELD:
                self._held.popitem(last=False)

    def find(self, plan_id: str) -> HeldPlan:
        """Return a plan.

        Raises:
            RefusedError: it is not held.
        """
        with self._lock:
            held = self._held.get(plan_id)
        if held is None:
            raise RefusedError(404, "no_plan", "this plan is not held any more; make it again")
        return held


def plan_of_choices(
    groups: Mapping[str, DuplicateGroup], choices: Sequence[Choice], settings: DraftSettings
) -> Plan:
    """Return the plan for what was chosen, image by image.

    What the image that stays lacks does not speak against it: the user has seen both.

    Raises:
        RefusedError: a choice contradicts the groups, or itself.
    """
    chosen = [_chosen_group(groups, choice) for choice in choices]
    return draft_plan(chosen, replace(settings, moves_versions=True))


def _chosen_group(groups: Mapping[str, DuplicateGroup], choice: Choice) -> DuplicateGroup:
    group = groups.get(choice.key)
    if group is None:
        raise RefusedError(409, "stale", "a group is not what it was; look for copies again")
    by_id = {member.image.id: member for member in group.members}
    for image_id, sha256 in (choice.keep, *choice.trash):
        if image_id not in by_id or by_id[image_id].image.sha256 != sha256:
            raise RefusedError(409, "stale", "an image is not what it was; look for copies again")
    going = [image_id for image_id, _ in choice.trash]
    if choice.keep[0] in going or len(set(going)) != len(going):
        raise RefusedError(422, "contradiction", "one image cannot both stay and go, or go twice")
    keep = by_id[choice.keep[0]]
    if keep is not group.keep:
        keep = GroupMember(keep.image, Verdict.SAME_FILE, 1.0, None, _CHOSEN, keep.is_protected)
    copies = tuple(
        by_id[image_id]
        if keep is group.keep
        else replace(by_id[image_id], relation=None, verdict=_verdict(by_id[image_id], group))
        for image_id in going
    )
    return DuplicateGroup(keep, copies)


def _verdict(member: GroupMember, group: DuplicateGroup) -> Verdict:
    """Return what a member is called beside another one than was proposed."""
    if member is group.keep:
        return Verdict.RETOUCHED
    return member.verdict
