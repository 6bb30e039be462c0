"""Whether images of a library can stand for the photos of a folder: judged one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from mobisearch.cleanup.identity import identify, trace_of
from mobisearch.cleanup.substitution import Substitution
from mobisearch.cleanup.versions import CoverStatus, compare_versions
from mobisearch.duplicates import is_inside
from mobisearch.errors import StepRefusedError
from mobisearch.imaging import trash_of
from mobisearch.types import DecodeSettings, DuplicateGroup, ImageRecord, Relation, Verdict

_SECOND_NAME = (
    "a second name of one file is no copy: it is the library's own file, by a link or a mount"
)
_IN_LIBRARY = "it is in the library itself, which is inside the folder"


@dataclass(frozen=True, slots=True)
class CoveredPhoto:
    """One photo of the folder, or something in it that cannot be read.

    Attributes:
        copy: the image in the library that was found for it, if any.
        reason: what else there is to say.
    """

    path: str
    status: CoverStatus
    copy: str | None = None
    verdict: Verdict | None = None
    reason: str = ""


class CopyChecker:
    """Judges the photos of a folder: by the files of the same bytes, then by what was found."""

    def __init__(
        self,
        root: str,
        libraries: tuple[str, ...],
        paths: Iterable[str],
        images_of: Callable[[str], list[str]],
        trashed: Iterable[ImageRecord],
    ) -> None:
        """Prepare to judge.

        Args:
            paths: of all photos in the folder.
            images_of: gives the paths of images by the SHA-256 of their bytes.
            trashed: images that are in a trash, and not among those.
        """
        self._root = root
        self._libraries = libraries
        own = [path for path in paths if not self._is_library(path)]
        self._own = {mark for path in own for mark in _marks(path)}
        self._images_of = images_of
        self._trashed: dict[str, list[str]] = {}
        for image in trashed:
            self._trashed.setdefault(image.sha256, []).append(image.path)
        self._likes: dict[str, tuple[ImageRecord, Relation | None, Verdict]] = {}
        self._problems: dict[tuple[str, str], tuple[CoverStatus, str] | None] = {}
        self._substitution = Substitution(DecodeSettings())

    def needs_likes(self, images: Iterable[ImageRecord]) -> bool:
        """Say whether any photo has no file of the same bytes in the library."""
        return any(not self._judge_by_bytes(image).status.is_covered for image in images)

    def take(self, groups: Iterable[DuplicateGroup]) -> None:
        """Remember groups for those of their images that are in the folder."""
        for group in groups:
            keep = group.keep.image
            if self._is_library(keep.path):
                for member in group.copies:
                    self._likes[member.image.path] = (keep, member.relation, member.verdict)

    def _is_library(self, path: str) -> bool:
        if is_inside(path, (self._root,)):
            # The innermost folder decides: a library inside the folder is still a library.
            return any(
                is_inside(path, (folder,)) and is_inside(folder, (self._root,))
                for folder in self._libraries
            )
        return not self._libraries or is_inside(path, self._libraries)

    def judge(self, image: ImageRecord) -> CoveredPhoto:
        """Return what the library has of a photo."""
        if self._is_library(image.path):
            return CoveredPhoto(image.path, CoverStatus.ITSELF, reason=_IN_LIBRARY)
        by_bytes = self._judge_by_bytes(image)
        if by_bytes.status.is_covered or image.path not in self._likes:
            return by_bytes
        by_look = self._judge_by_look(image, *self._likes[image.path])
        if by_look.status.is_covered or by_bytes.status is not CoverStatus.ITSELF:
            return by_look
        return by_bytes

    def _judge_by_bytes(self, image: ImageRecord) -> CoveredPhoto:
        """Look for a sound file of the same bytes; else return what is wrong with the first."""
        judged = CoveredPhoto(image.path, CoverStatus.NOWHERE)
        for path in (*self._images_of(image.sha256), *self._trashed.get(image.sha256, ())):
            if not self._is_library(path):
                continue
            problem = self._find_problem(path, image.sha256)
            status, reason = problem or (CoverStatus.SAME_FILE, "")
            found = CoveredPhoto(image.path, status, path, Verdict.SAME_FILE, reason)
            if problem is None:
                return found
            if judged.copy is None:
                judged = found
        return judged

    def _judge_by_look(
        self, image: ImageRecord, copy: ImageRecord, relation: Relation | None, verdict: Verdict
    ) -> CoveredPhoto:
        """Compare a photo with the library's image that it was grouped with."""
        status, reason = compare_versions(image, copy, relation, verdict)
        judged = CoveredPhoto(image.path, status, copy.path, verdict, reason)
        if not status.is_covered:
            return judged
        problem = self._find_problem(copy.path, copy.sha256)
        if problem is not None:
            return replace(judged, status=problem[0], reason=problem[1])
        loss = self._substitution.find_loss(image.path, copy.path)
        loss = loss or self._substitution.find_difference(image.path, copy.path)
        return replace(judged, status=CoverStatus.OTHER, reason=loss) if loss else judged

    def _find_problem(self, path: str, sha256: str) -> tuple[CoverStatus, str] | None:
        """Return why a file of the library vouches for nothing now, read again; None if it does."""
        key = (path, sha256)
        if key not in self._problems:
            reason = self._look_for_problem(path, sha256)
            if reason and reason != _SECOND_NAME:
                self._problems[key] = CoverStatus.NOWHERE, f"the library's {path}: {reason}"
            else:
                self._problems[key] = (CoverStatus.ITSELF, reason) if reason else None
        return self._problems[key]

    def _look_for_problem(self, path: str, sha256: str) -> str:
        real = os.path.realpath(path)
        is_within = is_inside(real, (self._root,)) and not self._is_library(real)
        if is_within or not self._own.isdisjoint(_marks(path)):
            return _SECOND_NAME
        if trash_of(path) is not None:
            return "is in a trash"
        try:
            return "" if identify(path).sha256 == sha256 else "has changed since it was indexed"
        except StepRefusedError as error:
            return error.reason


def _marks(path: str) -> tuple[tuple[int, ...], ...]:
    """Return what tells a file from all others, links followed; nothing where it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return (status.st_dev, status.st_ino), trace_of(status)
