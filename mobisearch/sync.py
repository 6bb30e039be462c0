"""Bringing a catalog up to date with folders: scan, compare, read what changed, store, settle.

Photos are only ever read. What a run committed stays, whatever happens to the rest of it.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mobisearch.embedding import Embedder
from mobisearch.errors import ModelMismatchError, RootUnavailableError
from mobisearch.imaging import ScannedFile, ScanProblem, ScanSettings, scan_folder, stamp_of
from mobisearch.pipeline import EmbeddedFile, FailedFile, FileOutcome, KnownFile, embed_files
from mobisearch.store import CatalogWriter, FileRow, StagedFile, is_index, path_range
from mobisearch.types import FileFailure, FileStamp, OnProgress, Progress, SyncReport

_FILES_PER_COMMIT = 64
_RACY_NS = 2_000_000_000
"""A file changed this shortly before the scan could change again without a new time stamp: FAT
keeps times to two seconds. Such a file is hashed again at the next sync."""

_MIN_PROBE_COSINE = 0.9999
"""Between the stored probe and today's: other processors and builds stay above, changes of the
network, its weights or the resizing fall below."""


@dataclass(slots=True)
class _Counts:
    added: int = 0
    updated: int = 0
    moved: int = 0
    returned: int = 0
    unchanged: int = 0
    failed: int = 0


class Synchroniser:
    """One run over some folders or files."""

    def __init__(
        self, catalog: CatalogWriter, embedder: Embedder, *, on_progress: OnProgress | None
    ) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._racy_after_ns = time.time_ns() - _RACY_NS
        self._known = catalog.known_sha256()
        self._counts = _Counts()
        self._failures: list[FileFailure] = []
        self._warnings: list[str] = []
        self._moved: set[int] = set()
        self._is_probed = False

    def sync(self, roots: Sequence[str], scan: ScanSettings, *, prune: bool) -> SyncReport:
        """Mirror folders, given by real absolute paths.

        Raises:
            RootUnavailableError: a folder that held images holds none now. Nothing was changed.
        """
        staging = self._catalog.staging
        staging.begin()
        roots = _outermost(roots)
        gaps: list[str] = []
        complete: list[str] = []
        for root in roots:
            problems: list[ScanProblem] = []
            n_found = staging.put(_split(scan_folder(root, scan, is_ours=is_index), problems))
            root_gaps = [problem.path for problem in problems if problem.is_gap]
            self._warnings += [f"{problem.path}: {problem.reason}" for problem in problems]
            is_empty = not n_found and not staging.count_below(path_range(root))
            if is_empty and self._catalog.count_below(root, "ok", "missing"):
                raise RootUnavailableError(
                    root,
                    "holds no images now but did before; if it is a drive, mount it and try "
                    "again; if the images are gone for good: mobisearch remove FOLDER. "
                    "Nothing was changed",
                )
            gaps += root_gaps
            if not root_gaps:
                complete.append(root)
        for root in roots:
            staging.assign_root(self._catalog.put_root(root), path_range(root))
        counts = staging.compare()
        staging.find_vanished([path_range(root) for root in roots], gaps=gaps)
        self._counts.unchanged = counts.unchanged
        self._record_unsupported(staging.iter_changed(supported=False))
        self._read(staging.iter_changed(supported=True), total=counts.to_read)
        n_pruned = self._catalog.settle_missing(prune=prune, scopes=complete)
        for root in complete:
            self._catalog.finish_root(root)
        if prune and len(complete) < len(roots):
            self._warnings.append("a folder could not be read completely; nothing was pruned there")
        return self._report(
            returned=counts.returned,
            failed=counts.known_failures,
            missing=sum(self._catalog.count_below(root, "missing") for root in roots),
            pruned=n_pruned,
        )

    def add(self, paths: Sequence[str]) -> SyncReport:
        """Add single files, given by real absolute paths, whatever their names end in."""
        self._catalog.staging.begin()
        known = self._catalog.find_files(paths)
        files = [known.get(path, StagedFile(path)) for path in dict.fromkeys(paths)]
        self._read(iter(files), total=len(files))
        self._catalog.settle_missing(prune=False, scopes=())
        return self._report()

    def _record_unsupported(self, files: Iterator[StagedFile]) -> None:
        for batch in _batches(files, _FILES_PER_COMMIT):
            rows: list[FileRow | None] = []
            for file in batch:
                ending = os.path.splitext(file.path)[1].lower()
                reason = f"{ending} files are not read; export the picture as JPEG, PNG or TIFF"
                outcome = FailedFile(
                    file.path, _stamp_now(file.path), FileFailure(file.path, "unsupported", reason)
                )
                rows.append(self._row(file, outcome))
            self._catalog.put_files([row for row in rows if row is not None])

    def _read(self, files: Iterator[StagedFile], *, total: int) -> None:
        """Read, embed and store files; one commit for each batch."""
        ahead, paths = itertools.tee(files)
        outcomes = embed_files(
            (file.path for file in paths), self._embedder, is_known=self._known.__contains__
        )
        seen = self._watched(outcomes, total=total)
        try:
            for batch in _batches(zip(ahead, seen, strict=True), _FILES_PER_COMMIT):
                if any(isinstance(outcome, EmbeddedFile) for _, outcome in batch):
                    self._check_probe()
                rows = [self._row(file, outcome) for file, outcome in batch]
                self._catalog.put_files([row for row in rows if row is not None])
                self._known.update(o.sha256 for _, o in batch if isinstance(o, EmbeddedFile))
        finally:
            outcomes.close()

    def _watched(self, outcomes: Iterator[FileOutcome], *, total: int) -> Iterator[FileOutcome]:
        """Pass outcomes on, and tell of each."""
        failed = 0
        for done, outcome in enumerate(outcomes, start=1):
            failed += isinstance(outcome, FailedFile)
            yield outcome
            if self._on_progress is not None:
                self._on_progress(Progress(done, total, failed))

    def _check_probe(self) -> None:
        """Compare the network with the one that the index was built with, once a run."""
        if self._is_probed:
            return
        model = self._catalog.model()
        cosine = float(self._embedder.probe() @ model.probe)
        if cosine < _MIN_PROBE_COSINE:
            label = self._embedder.spec.label
            raise ModelMismatchError(
                self._catalog.location,
                expected=model.label,
                actual=f"{label} on libraries that embed differently (probe cosine {cosine:.5f})",
            )
        self._is_probed = True

    def _row(self, file: StagedFile, outcome: FileOutcome) -> FileRow | None:
        """Turn an outcome into what the catalog stores, and count it."""
        if isinstance(outcome, FailedFile):
            self._counts.failed += 1
            self._failures.append(outcome.failure)
            if file.image_id is None and file.root_id is None and outcome.stamp is None:
                return None  # asked for by name and not there: nothing to remember
            if file.sha256 is not None and outcome.failure.code == "not_found":
                return None  # gone since the scan: the next one will miss it, and keep it
            stamp = outcome.stamp or _stamp_now(file.path)
            return FileRow(
                file.path,
                stamp,
                self._is_racy(stamp),
                failure=outcome.failure,
                root_id=file.root_id,
            )
        moved_from = self._find_moved(file, outcome)
        if moved_from is not None:
            self._counts.moved += 1
        elif file.image_id is None:
            self._counts.added += 1
        elif file.sha256 == outcome.sha256 and file.is_missing:
            self._counts.returned += 1
        elif file.sha256 == outcome.sha256:
            self._counts.unchanged += 1
        else:
            self._counts.updated += 1
        return FileRow(
            file.path,
            outcome.stamp,
            self._is_racy(outcome.stamp),
            sha256=outcome.sha256,
            facts=outcome.facts if isinstance(outcome, EmbeddedFile) else None,
            embedding=outcome.embedding if isinstance(outcome, EmbeddedFile) else None,
            moved_from=moved_from,
            root_id=file.root_id,
        )

    def _find_moved(self, file: StagedFile, outcome: EmbeddedFile | KnownFile) -> int | None:
        """Return the image that this new path is: same content, and its own file gone; or None."""
        if file.image_id is not None or isinstance(outcome, EmbeddedFile):
            return None
        for image_id, path in self._catalog.images_of_content(outcome.sha256):
            if image_id not in self._moved and _is_gone(path):
                self._moved.add(image_id)
                return image_id
        return None

    def _is_racy(self, stamp: FileStamp) -> bool:
        return max(stamp.mtime_ns, stamp.ctime_ns) >= self._racy_after_ns

    def _report(
        self, *, returned: int = 0, failed: int = 0, missing: int = 0, pruned: int = 0
    ) -> SyncReport:
        counts = self._counts
        return SyncReport(
            added=counts.added,
            updated=counts.updated,
            moved=counts.moved,
            returned=counts.returned + returned,
            unchanged=counts.unchanged,
            missing=missing,
            pruned=pruned,
            failed=counts.failed + failed,
            failed_now=counts.failed,
            seconds=round(time.monotonic() - self._started, 3),
            failures=tuple(self._failures),
            warnings=tuple(dict.fromkeys(self._warnings)),
        )


_T = TypeVar("_T")


def _batches(values: Iterable[_T], n: int) -> Iterator[list[_T]]:
    remaining = iter(values)
    while batch := list(itertools.islice(remaining, n)):
        yield batch


def _split(
    findings: Iterable[ScannedFile | ScanProblem], problems: list[ScanProblem]
) -> Iterator[tuple[str, FileStamp, bool]]:
    """Give the files of a scan as the catalog takes them, and put the problems aside."""
    for finding in findings:
        if isinstance(finding, ScanProblem):
            problems.append(finding)
        else:
            yield finding.path, finding.stamp, finding.is_supported


def _stamp_now(path: str) -> FileStamp:
    try:
        return stamp_of(os.stat(path))
    except (OSError, ValueError):
        return FileStamp(0, 0)


def _is_gone(path: str) -> bool:
    """Say whether there is no file; one that may not be looked at is not gone."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _outermost(roots: Sequence[str]) -> list[str]:
    """Leave out roots that are inside another one, and repetitions."""
    kept: list[str] = []
    for root in sorted(set(roots), key=len):
        if not any(root.startswith(outer.rstrip(os.sep) + os.sep) for outer in kept):
            kept.append(root)
    return kept
