"""What must hold just before a file is moved or replaced.

Both files are read again for each step.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field

from mobisearch.cleanup.belonging import check_companion, check_companions
from mobisearch.cleanup.identity import FileIdentity, identify
from mobisearch.cleanup.plans import KeptFile, Plan, PlannedFile, PlannedGroup
from mobisearch.cleanup.substitution import Substitution
from mobisearch.duplicates import is_inside
from mobisearch.errors import ImageError, StepRefusedError
from mobisearch.imaging import decode, read_file, trash_of
from mobisearch.types import DecodeSettings, Verdict

_SAME_PICTURE = frozenset(map(str, (Verdict.SAME_PIXELS, Verdict.RECOMPRESSED, Verdict.RESIZED)))
"""Verdicts after which two pictures show the same, unless one file holds more than the other."""

_ACCEPT = 'to move it all the same, give it "loss_accepted": true in the plan'
_NEED_PX = 64
"""A JPEG is read to its end at any size; small is quicker."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both files of a step, as they are now."""

    file: FileIdentity
    keeper: FileIdentity


@dataclass(slots=True)
class Safeguards:
    """The checks of one run over one plan."""

    plan: Plan
    settings: DecodeSettings = field(default_factory=DecodeSettings)
    _decodable: set[str] = field(default_factory=set)
    _substitution: Substitution = field(init=False)

    def __post_init__(self) -> None:
        self._substitution = Substitution(self.settings)

    def check(
        self, group: PlannedGroup, file: PlannedFile, action: str, gone: Collection[str] = ()
    ) -> Evidence:
        """Return proof that a step is safe now.

        Args:
            action: what is to be done, ``trash`` or ``link``.
            gone: paths that are moved already, or would be by now.

        Raises:
            StepRefusedError: it is not; the reason says why.
        """
        self._check_place(file.path)
        if trash_of(group.keep.path) is not None:
            reason = f"the one kept, {group.keep.path}, is in a trash itself"
            raise StepRefusedError(file.path, reason)
        if file.verdict == str(Verdict.SAME_FILE) and file.sha256 != group.keep.sha256:
            raise StepRefusedError(file.path, "it is not the same file as the one kept")
        _check_real(file.path, "it")
        keeper = self._check_keeper(file.path, group.keep)
        found = identify(file.path)
        if (found.sha256, found.size_bytes) != (file.sha256, file.size_bytes):
            raise StepRefusedError(file.path, "it has changed since the plan was made")
        if (found.device, found.inode) == (keeper.device, keeper.inode):
            raise StepRefusedError(
                file.path,
                f"it is the very file that is kept, under a second name ({group.keep.path}): "
                "nothing would be gained",
            )
        if found.trace == keeper.trace:
            raise StepRefusedError(
                file.path,
                f"it seems to be the very file that is kept, seen through another mount "
                f"({group.keep.path})",
            )
        if action == "link":
            _check_linkable(file, found, keeper)
        elif file.companion_of is None:
            check_companions(group, file)
            if found.sha256 != keeper.sha256:
                self._check_loss(group, file)
        else:
            check_companion(group, file, gone)
        return Evidence(found, keeper)

    def _check_place(self, path: str) -> None:
        if is_inside(path, self.plan.protect) or is_inside(
            os.path.realpath(path), [os.path.realpath(folder) for folder in self.plan.protect]
        ):
            raise StepRefusedError(path, "it is in a protected folder")

    def _check_keeper(self, path: str, keep: KeptFile) -> FileIdentity:
        try:
            _check_real(keep.path, "the one kept")
            keeper = identify(keep.path)
        except StepRefusedError as error:
            reason = f"the one kept, {keep.path}, cannot vouch for it: {error.reason}"
            raise StepRefusedError(path, reason) from error
        if (keeper.sha256, keeper.size_bytes) != (keep.sha256, keep.size_bytes):
            reason = f"the one kept, {keep.path}, has changed since the plan was made"
            raise StepRefusedError(path, reason)
        if keeper.sha256 not in self._decodable:
            try:
                content = read_file(keep.path, max_bytes=self.settings.max_bytes)
                decode(content.data, name=keep.path, settings=self.settings, need_px=_NEED_PX)
            except ImageError as error:
                reason = f"the one kept, {keep.path}, is no whole picture: {error.reason}"
                raise StepRefusedError(path, reason) from error
            if content.sha256 != keep.sha256:
                reason = f"the one kept, {keep.path}, changes right now"
                raise StepRefusedError(path, reason)
            self._decodable.add(keeper.sha256)
        return keeper

    def _check_loss(self, group: PlannedGroup, file: PlannedFile) -> None:
        """A photo is moved only if the one kept has all of it, or is a version of it at least."""
        compare = self._substitution
        if file.is_loss_accepted:
            is_same = file.verdict in _SAME_PICTURE and not compare.find_loss(
                file.path, group.keep.path
            )
            find = compare.find_difference if is_same else compare.find_strangeness
            if reason := find(file.path, group.keep.path):
                raise StepRefusedError(file.path, reason)
            return
        if loss := compare.find_loss(file.path, group.keep.path):
            raise StepRefusedError(file.path, f"{loss}; {_ACCEPT}")
        if difference := compare.find_difference(file.path, group.keep.path):
            hint = "" if file.verdict in _SAME_PICTURE else f"; {_ACCEPT}"
            raise StepRefusedError(file.path, difference + hint)


def _check_real(path: str, what: str) -> None:
    try:
        if os.path.islink(path):
            raise StepRefusedError(path, f"{what} is a symbolic link")
        if os.path.realpath(path) != path:
            raise StepRefusedError(path, f"{what} is reached through a symbolic link")
    except (OSError, ValueError) as error:
        raise StepRefusedError(path, f"{what} cannot be looked at ({error})") from error


def _check_linkable(file: PlannedFile, found: FileIdentity, keeper: FileIdentity) -> None:
    if found.sha256 != keeper.sha256:
        raise StepRefusedError(file.path, "it is not byte-identical to the one kept: no link")
    if found.device != keeper.device:
        raise StepRefusedError(
            file.path, "it is on another file system than the one kept: no hard link is possible"
        )
