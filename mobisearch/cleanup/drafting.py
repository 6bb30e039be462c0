"""From groups of copies to a plan."""

from __future__ import annotations

import dataclasses
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mobisearch.cleanup.decided import why_decided_against
from mobisearch.cleanup.identity import FileIdentity, identify
from mobisearch.cleanup.plans import KeptFile, Plan, PlannedFile, PlannedGroup
from mobisearch.cleanup.substitution import Substitution
from mobisearch.cleanup.versions import compare_versions
from mobisearch.duplicates import Companion, CompanionFinder, is_inside
from mobisearch.errors import StepRefusedError
from mobisearch.types import Decision, DecodeSettings, DuplicateGroup, GroupMember


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """How a plan is drafted.

    Attributes:
        action: what is to be done to copies: ``trash``, or ``link`` for byte-identical ones.
        protect: folders, real absolute paths, of which nothing is moved.
        moves_companions: move a copy also when it has a RAW, a film or a sidecar beside it that the
            one kept has not, and that file with it. Otherwise such a copy stays where it is.
        moves_versions: move also what is another version of the one kept, such as a grey or a
            captioned one, or what shows more or has more pixels, and what holds something that the
            one kept has not, such as a film or a date: something would be lost with it.
    """

    action: str = "trash"
    protect: tuple[str, ...] = ()
    moves_companions: bool = False
    moves_versions: bool = False


def draft_plan(
    groups: Iterable[DuplicateGroup],
    settings: DraftSettings = DraftSettings(),
    *,
    plan_id: str | None = None,
    created_at: str | None = None,
    decisions: Sequence[Decision] = (),
    outgrown: Collection[int] = (),
    identify: Callable[[str], FileIdentity] = identify,
    find_loss: Callable[[str, str], str] | None = None,
) -> Plan:
    """Return a plan that keeps the best of each group, those with most to gain first.

    Copies with other bytes that would be moved to the trash are read, once each, and so are the
    images kept instead of them.

    Args:
        plan_id: 32 hexadecimal digits; None makes one up.
        created_at: None takes the present time.
        decisions: what was decided about images; those that stay by them are not moved.
        outgrown: ids of those to be made again: see ``ImageIndex.outgrown_decisions``.
        identify: gives the identity of a companion, or refuses the step; by default it reads it.
        find_loss: says what the file of a copy holds that the file of the one kept, the second
            argument, does not; by default it reads both.
    """
    find_loss = find_loss or Substitution(DecodeSettings()).find_loss
    drafter = _Drafter(settings, decisions, outgrown, identify, find_loss)
    drafted = [drafter.group(group) for group in groups]
    drafted.sort(key=lambda group: (-group.reclaimable_bytes, os.fsencode(group.keep.path)))
    return Plan(
        id=plan_id or uuid.uuid4().hex,
        created_at=created_at or datetime.now(UTC).isoformat(timespec="seconds"),
        groups=tuple(_numbered(drafted)),
        protect=settings.protect,
    )


def _numbered(groups: Sequence[PlannedGroup]) -> Iterator[PlannedGroup]:
    """Give groups whose steps are numbered through the whole plan."""
    last = 0
    for group in groups:
        yield PlannedGroup(group.keep, tuple(_renumbered(file, first=last) for file in group.files))
        last += len(group.files)


def _renumbered(file: PlannedFile, *, first: int) -> PlannedFile:
    image = None if file.companion_of is None else first + file.companion_of
    return dataclasses.replace(file, step=first + file.step, companion_of=image)


class _Drafter:
    def __init__(
        self,
        settings: DraftSettings,
        decisions: Sequence[Decision],
        outgrown: Collection[int],
        identify: Callable[[str], FileIdentity],
        find_loss: Callable[[str, str], str],
    ) -> None:
        self._settings = settings
        self._decisions = decisions
        self._outgrown = outgrown
        self._read_identity = identify
        self._finder = CompanionFinder()
        self._find_loss = find_loss
        self._identities: dict[str, FileIdentity | None] = {}

    def group(self, group: DuplicateGroup) -> PlannedGroup:
        """Return one group, its steps numbered from 1."""
        kept = group.keep.image
        files: list[PlannedFile] = []
        # The kept one's own companions are nobody else's, even if a copy has the same stem.
        taken = {companion.path for companion in self._finder.find(kept.path)}
        taken |= {member.image.path for member in group.members}
        for copy in group.copies:
            companions = [c for c in self._finder.find(copy.image.path) if c.path not in taken]
            taken |= {companion.path for companion in companions}
            files += self._copy(group, copy, companions, step=len(files) + 1)
        return PlannedGroup(
            KeptFile(kept.path, kept.sha256, kept.size_bytes, kept.mtime_ns, group.keep.reason),
            tuple(files),
        )

    def _copy(
        self, group: DuplicateGroup, copy: GroupMember, companions: list[Companion], *, step: int
    ) -> Iterator[PlannedFile]:
        image = copy.image
        image_step = step
        action, reason = self._settings.action, copy.reason
        is_loss_accepted = False
        own = [c for c in companions if not self._has_twin(c, group.keep.image.path)]
        loss = _loss_of_picture(group, copy)
        if copy.is_protected or is_inside(image.path, self._settings.protect):
            action, reason = "none", _joined("it is protected", reason)
        elif decided := why_decided_against(
            self._decisions,
            image.sha256,
            kept=group.keep.image.sha256,
            outgrown=self._outgrown,
        ):
            action, reason = "none", _joined(f"it stays: {decided}", reason)
        elif action == "link" and image.sha256 != group.keep.image.sha256:
            action, reason = "none", _joined("only byte-identical files can be links", reason)
        elif action == "trash" and loss and not self._settings.moves_versions:
            action, reason = "none", _joined(f"it stays: {loss}", reason)
        elif action == "trash" and own and not self._settings.moves_companions:
            names = ", ".join(f"{c.kind} {os.path.basename(c.path)}" for c in own)
            lacking = f"it stays: it has what the one kept has not ({names})"
            action, reason = "none", _joined(lacking, reason)
        elif action == "trash" and (loss := loss or self._loss_of_file(group, copy)):
            if self._settings.moves_versions:
                is_loss_accepted, reason = True, _joined(f"it goes all the same: {loss}", reason)
            else:
                action, reason = "none", _joined(f"it stays: {loss}", reason)
        yield PlannedFile(
            step=step,
            action=action,
            path=image.path,
            sha256=image.sha256,
            size_bytes=image.size_bytes,
            mtime_ns=image.mtime_ns,
            verdict=str(copy.verdict),
            score=copy.score,
            reason=reason,
            is_loss_accepted=is_loss_accepted,
        )
        if self._settings.action != "trash":
            return  # a link keeps its name, and so its companions
        for companion in companions:
            found = self._identify(companion.path)
            if found is None:
                continue
            step += 1
            yield PlannedFile(
                step=step,
                action=action,
                path=companion.path,
                sha256=found.sha256,
                size_bytes=found.size_bytes,
                mtime_ns=found.mtime_ns,
                verdict=str(companion.kind),
                reason=(
                    "the one kept has none like it"
                    if companion in own
                    else "the one kept has the same"
                ),
                companion_of=image_step,
                is_loss_accepted=action == "trash" and companion in own,
            )

    def _loss_of_file(self, group: DuplicateGroup, copy: GroupMember) -> str:
        """Say what a copy's file holds that the kept one's does not."""
        if copy.image.sha256 == group.keep.image.sha256:
            return ""
        return self._find_loss(copy.image.path, group.keep.image.path)

    def _has_twin(self, companion: Companion, kept: str) -> bool:
        """Say whether the image that is kept has a companion with the same bytes."""
        candidates = [c for c in self._finder.find(kept) if c.kind is companion.kind]
        if not candidates:
            return False
        found = self._identify(companion.path)
        if found is None:
            return False
        others = [self._identify(candidate.path) for candidate in candidates]
        return any(other is not None and other.sha256 == found.sha256 for other in others)

    def _identify(self, path: str) -> FileIdentity | None:
        if path not in self._identities:
            try:
                self._identities[path] = self._read_identity(path)
            except StepRefusedError:
                self._identities[path] = None
        return self._identities[path]


def _loss_of_picture(group: DuplicateGroup, copy: GroupMember) -> str:
    """Say what a copy shows that the kept one does not."""
    status, reason = compare_versions(copy.image, group.keep.image, copy.relation, copy.verdict)
    return "" if status.is_covered else f"it is another version ({reason or status.value})"


def _joined(first: str, second: str) -> str:
    return f"{first}; {second}" if second else first
