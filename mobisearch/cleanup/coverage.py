"""Which photos of a folder have an equal or better copy in a library: to know before wiping it."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mobisearch.arguments import PathArgument, resolve_root
from mobisearch.cleanup.identity import identify
from mobisearch.cleanup.versions import CoverStatus, compare_versions
from mobisearch.duplicates import is_inside
from mobisearch.errors import InvalidScopeError, StepRefusedError
from mobisearch.imaging import ScannedFile, scan_folder
from mobisearch.index import ImageIndex
from mobisearch.types import (
    DuplicateSettings,
    FileFailure,
    ImageRecord,
    OnProgress,
    Relation,
    Verdict,
)

_SECOND_NAME = "a second name of one file is no copy: it is the library's own file, linked"


@dataclass(frozen=True, slots=True)
class CoveredPhoto:
    """One photo of the folder.

    Attributes:
        copy: the image in the library that was found for it, if any.
        reason: what else there is to say.
    """

    path: str
    status: CoverStatus
    copy: str | None = None
    verdict: Verdict | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CoverReport:
    """What a library has of a folder.

    Attributes:
        photos: by path.
        other_files: files in the folder that are no pictures, such as films; nothing is said of
            them.
        warnings: what users should know about how it was done.
        interrupted: it was stopped on request; what is said is not complete.
    """

    photos: tuple[CoveredPhoto, ...]
    other_files: int = 0
    warnings: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """True when every photo is covered."""
        return not self.interrupted and all(photo.status.is_covered for photo in self.photos)


def cover_folder(
    index: ImageIndex,
    folder: PathArgument,
    library: Sequence[PathArgument] = (),
    *,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> CoverReport:
    """Say of each photo in a folder what a library has of it. Nothing is changed.

    The work is done in a temporary copy of the index, to which the folder is added. Every copy that
    counts is read again and must have the bytes that the index knows.

    Args:
        folder: it need not be in the index.
        library: folders inside the index; none means all of it but the folder itself.

    Raises:
        RootUnavailableError: the folder, or one of the library, is not there.
        FolderNotIndexedError: nothing of a library folder is in the index.
        InvalidScopeError: the folder is itself one of the library.
        StorageError: there is no room for the temporary copy.
    """
    root = resolve_root(folder)
    libraries = tuple(resolve_root(path) for path in library)
    if root in libraries:
        raise InvalidScopeError("cover", (), f"{root} is both the folder and the library")
    with tempfile.TemporaryDirectory(prefix="mobisearch-cover-") as temporary:
        path = index.backup(os.path.join(temporary, "index"))
        with ImageIndex.open(path, index.embedder) as copy:
            synced = copy.sync(root, on_progress=on_progress, stop=stop)
            failures = [f for f in copy.errors() if is_inside(f.path, (root,))]
            images = copy.images_below(root)
            found = copy.duplicates(_settings(root, libraries), on_progress=on_progress, stop=stop)
    checker = _Checker(root, libraries)
    for group in found:
        checker.take(group.keep.image, [(m.image, m.relation, m.verdict) for m in group.copies])
    photos = [checker.judge(image) for image in images] + [_failed(f) for f in failures]
    photos += _second_names(root, photos)
    return CoverReport(
        tuple(sorted(photos, key=lambda photo: os.fsencode(photo.path))),
        other_files=_count_files(root) - len(photos),
        warnings=synced.warnings,
        interrupted=found.interrupted or synced.interrupted,
    )


def _settings(root: str, libraries: tuple[str, ...]) -> DuplicateSettings:
    """Look for copies over the border of the folder; the one kept is then in the library."""
    if not libraries:
        return DuplicateSettings(folders=(root,), scope="new", similar=False)
    return DuplicateSettings(
        folders=(root, *libraries), scope="across", protect=libraries, similar=False
    )


class _Checker:
    """Judges the photos of a folder by what was found."""

    def __init__(self, root: str, libraries: tuple[str, ...]) -> None:
        self._root = root
        self._libraries = libraries
        self._found: dict[str, tuple[ImageRecord, Relation | None, Verdict]] = {}
        self._sound: dict[str, str] = {}

    def take(
        self, keep: ImageRecord, copies: Sequence[tuple[ImageRecord, Relation | None, Verdict]]
    ) -> None:
        """Remember a group for those of its images that are in the folder."""
        if not self._is_library(keep.path):
            return
        equal = {keep.sha256: keep}
        equal |= {image.sha256: image for image, _, _ in copies if self._is_library(image.path)}
        for image, relation, verdict in copies:
            if is_inside(image.path, (self._root,)) and not self._is_library(image.path):
                twin = equal.get(image.sha256)
                if twin is not None:
                    self._found[image.path] = (twin, None, Verdict.SAME_FILE)
                else:
                    self._found[image.path] = (keep, relation, verdict)

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
        if image.path not in self._found:
            return CoveredPhoto(image.path, CoverStatus.NOWHERE)
        copy, relation, verdict = self._found[image.path]
        status, reason = compare_versions(image, copy, relation, verdict)
        judged = CoveredPhoto(image.path, status, copy.path, verdict, reason)
        if _is_same_file(image.path, copy.path):
            return replace(
                judged,
                status=CoverStatus.ITSELF,
                reason=_SECOND_NAME,
            )
        if status.is_covered:
            problem = self._problem(copy)
            if problem:
                return replace(judged, status=CoverStatus.NOWHERE, reason=problem)
        return judged

    def _problem(self, copy: ImageRecord) -> str:
        """Say what is wrong with the library's image now, read again; empty for nothing."""
        if copy.path not in self._sound:
            try:
                is_same = identify(copy.path).sha256 == copy.sha256
                reason = "" if is_same else "has changed since it was indexed"
            except StepRefusedError as error:
                reason = error.reason
            self._sound[copy.path] = f"the library's {copy.path}: {reason}" if reason else ""
        return self._sound[copy.path]


def _is_same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _failed(failure: FileFailure) -> CoveredPhoto:
    return CoveredPhoto(failure.path, CoverStatus.UNREADABLE, reason=failure.reason)


def _second_names(root: str, photos: Sequence[CoveredPhoto]) -> list[CoveredPhoto]:
    """Return the files that an index leaves out, as other names of files that it has."""
    known = {photo.path: photo for photo in photos}
    by_file = {_numbers(path): photo for path, photo in known.items()}
    found = []
    for entry in scan_folder(root):
        if isinstance(entry, ScannedFile) and entry.path not in known:
            twin = by_file.get(_numbers(entry.path))
            if twin is not None:
                reason = f"it is another name of {twin.path}"
                found.append(replace(twin, path=entry.path, reason=reason))
            else:
                found.append(CoveredPhoto(entry.path, CoverStatus.ITSELF, reason=_SECOND_NAME))
    return found


def _numbers(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _count_files(root: str) -> int:
    n_files = 0
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                n_files += stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode)
            except OSError:
                continue
    return n_files
