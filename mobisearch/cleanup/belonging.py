"""What must hold of companions just before they or their image are moved.

A companion goes only with its image, and only if the image that is kept has the same, or if the
plan says that its loss is accepted.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from mobisearch.cleanup.identity import has_content, identify
from mobisearch.cleanup.moves import is_second_name
from mobisearch.cleanup.plans import PlannedFile, PlannedGroup
from mobisearch.duplicates import CompanionFinder
from mobisearch.errors import StepRefusedError


def check_companions(group: PlannedGroup, image: PlannedFile) -> None:
    """Refuse to take a photo from companions that the plan knows nothing of, or that have to stay.

    Raises:
        StepRefusedError: one of its companions is not as the plan says, or has no twin.
    """
    known = {other.path for other in group.files}
    finder = CompanionFinder()
    of_keeper = {companion.path for companion in finder.find(group.keep.path)}
    for companion in finder.find(image.path):
        if companion.path not in known | of_keeper:
            raise StepRefusedError(
                image.path,
                f"it has a {companion.kind} beside it that the plan does not know: "
                f"{os.path.basename(companion.path)}; make a new plan",
            )
    for file in group.files:
        is_going = file.companion_of == image.step and file.action != "none"
        if not is_going or not os.path.lexists(file.path):  # what is gone needs no twin
            continue
        if not has_content(file.path, file.sha256):
            name = os.path.basename(file.path)
            reason = f"what belongs to it, {name}, has changed since the plan was made"
            raise StepRefusedError(image.path, reason)
        if reason := _find_lack(group, image, file, finder):
            raise StepRefusedError(image.path, reason)


def check_companion(group: PlannedGroup, file: PlannedFile, gone: Collection[str]) -> None:
    """Refuse to move a companion that no photo may go with, or that a photo that stays needs.

    Args:
        gone: paths that are moved already, or would be by now.

    Raises:
        StepRefusedError: so it is.
    """
    image = next(other for other in group.files if other.step == file.companion_of)
    finder = CompanionFinder()
    if reason := _find_lack(group, image, file, finder):
        raise StepRefusedError(file.path, reason)
    sharers = [path for path in finder.sharers(file.path, image.path) if path not in gone]
    if sharers:
        raise StepRefusedError(file.path, f"it also belongs to {sharers[0]}, which stays")


def _find_lack(
    group: PlannedGroup, image: PlannedFile, file: PlannedFile, finder: CompanionFinder
) -> str:
    """Say what keeps a companion from being moved after its image, or "" if nothing does."""
    name = os.path.basename(file.path)
    kinds = {companion.path: companion.kind for companion in finder.find(image.path)}
    if file.path not in kinds:
        return f"{name} is no companion of {os.path.basename(image.path)}, by its name"
    if file.is_loss_accepted:
        return ""
    kind = kinds[file.path]
    twins = [c.path for c in finder.find(group.keep.path) if c.kind is kind]
    if any(_is_twin(path, file) for path in twins):
        return ""
    return f"the one kept has not the same {kind} now ({name}); make a new plan"


def _is_twin(path: str, file: PlannedFile) -> bool:
    """Say whether a companion has the bytes of another, and is not that file through a mount."""
    try:
        twin, own = identify(path), identify(file.path)
    except StepRefusedError:
        return False
    is_other = twin.trace != own.trace or is_second_name(path, file.path)
    return is_other and twin.sha256 == file.sha256
