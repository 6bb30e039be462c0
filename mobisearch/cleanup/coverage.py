"""What of a folder has an equal or better copy in a library: to know before wiping it."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mobisearch.arguments import PathArgument, resolve_root
from mobisearch.cleanup.checking import CopyChecker, CoveredPhoto
from mobisearch.cleanup.inventory import OtherFile, take_inventory
from mobisearch.cleanup.twins import TwinFinder
from mobisearch.cleanup.versions import CoverStatus
from mobisearch.duplicates import is_inside
from mobisearch.errors import FolderNotIndexedError, InvalidScopeError
from mobisearch.imaging import trash_of
from mobisearch.index import ImageIndex
from mobisearch.types import DuplicateSettings, ImageRecord, OnProgress, Verdict

_NOT_READ = "it was not read"


@dataclass(frozen=True, slots=True)
class CoverReport:
    """What a library has of a folder.

    Attributes:
        photos: by path. What cannot be read is among them, be it a photo or a folder.
        others: what is not compared as pictures are: films and sound files, other files that are
            no pictures, and folders of trash and thumbnails; by path.
        warnings: what users should know about how it was done.
        interrupted: it was stopped on request; what is said is not complete.
    """

    photos: tuple[CoveredPhoto, ...]
    others: tuple[OtherFile, ...] = ()
    warnings: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """True when there is something, and every photo and every film is covered."""
        if self.interrupted or self.is_empty:
            return False
        return all(photo.status.is_covered for photo in self.photos) and all(
            film.copy is not None for film in self.films
        )

    @property
    def is_empty(self) -> bool:
        """True when the folder holds no photo and no film, as one where no card is mounted."""
        return not self.photos and not self.films

    @property
    def films(self) -> tuple[OtherFile, ...]:
        """The films and sound files; one is covered by a file of the same bytes only."""
        return tuple(other for other in self.others if other.is_film)

    @property
    def other_files(self) -> int:
        """How many files are no pictures; they are looked for byte by byte."""
        return sum(not other.is_folder for other in self.others)

    @property
    def other_covered(self) -> int:
        """How many of those files the library has byte by byte."""
        return sum(other.copy is not None for other in self.others)

    @property
    def other_pictures(self) -> int:
        """How many pictures are in folders of trash and thumbnails; nothing is said of them."""
        return sum(other.pictures for other in self.others)


def cover_folder(
    index: ImageIndex,
    folder: PathArgument,
    library: Sequence[PathArgument] = (),
    *,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> CoverReport:
    """Say of each photo and film in a folder what a library has of it. Nothing is changed.

    All files of the folder are looked at, hidden ones and those with strange names too. The work is
    done in a temporary copy of the index, to which the photos are added. Every copy that counts is
    read again and must have the bytes that the index knows. What is in a trash is no copy. Files
    that cannot be compared as pictures, such as RAW and films, are covered if one in the library's
    folders has the same bytes, whether the index knows it or not.

    Args:
        folder: it need not be in the index.
        library: folders inside the index; none means all of it but the folder itself, and of files
            that are not compared as pictures, those below its roots.

    Raises:
        RootUnavailableError: the folder, or one of the library, is not there or cannot be read.
        FolderNotIndexedError: nothing of a library folder is in the index.
        InvalidScopeError: the folder is itself one of the library.
        StorageError: there is no room for the temporary copy.
    """
    root = resolve_root(folder)
    libraries = tuple(resolve_root(path) for path in library)
    if root in libraries:
        raise InvalidScopeError("cover", (), f"{root} is both the folder and the library")
    for path in libraries:
        if not index.holds(path):
            raise FolderNotIndexedError(path)
    inventory = take_inventory(root, stop)
    report = CoverReport(())
    if inventory.pictures:
        with tempfile.TemporaryDirectory(prefix="mobisearch-cover-") as temporary:
            path = index.backup(os.path.join(temporary, "index"))
            with ImageIndex.open(path, index.embedder) as copy:
                report = _compare(
                    copy, root, libraries, inventory.pictures, on_progress=on_progress, stop=stop
                )
    unseen = [
        CoveredPhoto(failure.path, CoverStatus.UNREADABLE, reason=failure.reason)
        for failure in inventory.unseen
    ]
    roots = [path for path in index.status().roots if not is_inside(path, (root,))]
    finder = TwinFinder(root, libraries or roots, inventory.paths(), stop)
    return replace(
        report,
        photos=tuple(sorted(_with_twins((*report.photos, *unseen), finder), key=_by_path)),
        others=tuple(
            replace(other, copy=None if other.is_folder else finder.find(other.path))
            for other in sorted(inventory.others, key=_by_path)
        ),
        interrupted=report.interrupted or (stop is not None and stop.is_set()),
    )


def _with_twins(photos: Iterable[CoveredPhoto], finder: TwinFinder) -> Iterator[CoveredPhoto]:
    """Give photos, of which those that cannot be compared are looked for byte by byte."""
    for photo in photos:
        twin = finder.find(photo.path) if photo.status is CoverStatus.UNREADABLE else None
        if twin is None:
            yield photo
        else:
            yield CoveredPhoto(photo.path, CoverStatus.SAME_FILE, twin, Verdict.SAME_FILE)


def _by_path(found: CoveredPhoto | OtherFile) -> bytes:
    return os.fsencode(found.path)


def _compare(
    copy: ImageIndex,
    root: str,
    libraries: tuple[str, ...],
    paths: Sequence[str],
    *,
    on_progress: OnProgress | None,
    stop: threading.Event | None,
) -> CoverReport:
    """Compare photos with what an index has besides. The index is changed by it."""
    trashed = copy.images_in_trashes()
    copy.remove(sorted({trash_of(image.path) or image.path for image in trashed}))
    added = copy.add(paths, on_progress=on_progress, stop=stop)
    failures = {failure.path: failure.reason for failure in added.failures}
    below = {image.path: image for image in copy.images_below(root)}
    images = [below[path] for path in paths if path in below and path not in failures]
    checker = CopyChecker(root, libraries, paths, copy.images_of, trashed)
    interrupted = added.interrupted
    libraries = tuple(path for path in libraries if copy.holds(path))

    def before_stop() -> Iterator[ImageRecord]:  # judging reads files, and may take long
        return itertools.takewhile(lambda _: stop is None or not stop.is_set(), images)

    if checker.needs_likes(before_stop()) and not interrupted:
        found = copy.duplicates(_settings(root, libraries), on_progress=on_progress, stop=stop)
        checker.take(found)
        interrupted = found.interrupted
    photos = [checker.judge(image) for image in before_stop()]
    judged = {photo.path for photo in photos}
    photos += [
        CoveredPhoto(path, CoverStatus.UNREADABLE, reason=failures.get(path, _NOT_READ))
        for path in paths
        if path not in judged
    ]
    return CoverReport(tuple(photos), warnings=added.warnings, interrupted=interrupted)


def _settings(root: str, libraries: tuple[str, ...]) -> DuplicateSettings:
    """Look for copies over the border of the folder; the one kept is then in the library."""
    if not libraries:
        return DuplicateSettings(folders=(root,), scope="new", similar=False)
    return DuplicateSettings(
        folders=(root, *libraries), scope="across", protect=libraries, similar=False
    )
