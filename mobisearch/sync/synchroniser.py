"""One run over some folders or files. Photos are only ever read.

What a run committed stays, whatever happens to the rest of it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from mobisearch.drift import check_probe
from mobisearch.embedding import Embedder
from mobisearch.errors import RootUnavailableError
from mobisearch.imaging import ScanSettings, is_read, unread_reason
from mobisearch.pipeline import EmbeddedFile, FailedFile, FileOutcome, embed_files
from mobisearch.store import CatalogWriter, StagedFile, path_range
from mobisearch.sync.folders import (
    ScannedRoot,
    emptied_folders,
    outermost,
    scan_root,
    settings_as_text,
)
from mobisearch.sync.recording import Recorder, stamp_now
from mobisearch.types import FileFailure, OnProgress, Progress, SyncReport

_FILES_PER_COMMIT = 64


class Synchroniser:
    """One run over some folders or files."""

    def __init__(
        self,
        catalog: CatalogWriter,
        embedder: Embedder,
        *,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            stop: once it is set, the run finishes what it has begun, stores that, and ends.
        """
        self._catalog = catalog
        self._embedder = embedder
        self._on_progress = on_progress
        self._stop = stop or threading.Event()
        self._started = time.monotonic()
        self._known = catalog.known_sha256()
        self._recorder = Recorder(catalog)
        self._warnings: list[str] = []
        self._progress = Progress(0, 0, 0, 0)
        self._is_probed = False

    def sync(
        self,
        roots: Sequence[str],
        settings: ScanSettings | None,
        *,
        prune: bool = False,
        rehash: bool = False,
        unavailable: Sequence[str] = (),
    ) -> SyncReport:
        """Mirror folders, given by real absolute paths.

        Args:
            settings: None takes what each folder was last scanned with.
            unavailable: folders that were asked for but are not there, each with the reason.

        Raises:
            RootUnavailableError: none of the folders is available. Nothing was changed.
        """
        staging = self._catalog.staging
        staging.begin()
        scans = [
            scan_root(self._catalog, root, settings, is_stopped=self._stop.is_set)
            for root in outermost(roots)
        ]
        absent = [scan for scan in scans if scan.unavailable is not None]
        scans = [scan for scan in scans if scan.unavailable is None]
        if absent and not scans:
            raise RootUnavailableError(
                absent[0].path, f"{absent[0].unavailable}; nothing was changed"
            )
        unavailable = [*unavailable, *(f"{scan.path}: {scan.unavailable}" for scan in absent)]
        if self._stop.is_set():
            return self._report(unavailable=unavailable)
        for scan in scans:
            text = settings_as_text(scan.settings)
            staging.assign_root(self._catalog.put_root(scan.path, scan=text), path_range(scan.path))
            self._warnings += scan.notes
        counts = staging.compare(rehash=rehash)
        gaps = [gap for scan in scans for gap in scan.gaps]
        staging.find_vanished([path_range(scan.path) for scan in scans], gaps=gaps)
        self._recorder.counts.unchanged = counts.unchanged
        self._record_unsupported(staging.iter_changed(supported=False))
        self._read(staging.iter_changed(supported=True), total=counts.to_read)
        n_pruned = 0 if self._stop.is_set() else self._settle(scans, prune=prune)
        return self._report(
            returned=counts.returned,
            doubles=counts.doubles,
            failed=counts.known_failures,
            missing=sum(self._catalog.count_below(scan.path, "missing") for scan in scans),
            pruned=n_pruned,
            unavailable=unavailable,
            unreadable=[failure for scan in scans for failure in scan.unreadable],
        )

    def _settle(self, scans: Sequence[ScannedRoot], *, prune: bool) -> int:
        """Mark what is missing, or forget it, and return how many were forgotten."""
        complete = [scan.path for scan in scans if not scan.gaps]
        emptied: list[str] = []
        if prune:
            for root in complete:
                emptied += emptied_folders(self._catalog.staging.iter_missing(root), root)
            self._warnings += [
                f"{folder}: is empty although it held images; nothing was pruned there. If it is "
                "a drive, mount it; if the images are gone for good: mobisearch remove FOLDER"
                for folder in emptied
            ]
            if len(complete) < len(scans):
                self._warnings.append(
                    "a folder could not be read completely; nothing was pruned there"
                )
        n_pruned = self._catalog.settle_missing(prune=complete if prune else (), keep=emptied)
        for root in complete:
            self._catalog.finish_root(root)
        return n_pruned

    def add(self, paths: Sequence[str]) -> SyncReport:
        """Add single files, given by real absolute paths, whatever their names end in."""
        self._catalog.staging.begin()
        known = self._catalog.find_files(paths)
        files = [known.get(path, StagedFile(path)) for path in dict.fromkeys(paths)]
        self._read(iter(files), total=len(files))
        self._catalog.settle_missing()
        return self._report()

    def retry(self) -> SyncReport:
        """Try again all files that could not be indexed, of the formats that are read."""
        paths = [failure.path for failure in self._catalog.failures() if is_read(failure.path)]
        return self.add(paths)

    def _record_unsupported(self, files: Iterator[StagedFile]) -> None:
        for batch in _batches(files, _FILES_PER_COMMIT):
            outcomes: list[FileOutcome] = []
            for file in batch:
                failure = FileFailure(file.path, "unsupported", unread_reason(file.path))
                outcomes.append(FailedFile(file.path, stamp_now(file.path), failure))
            self._store(zip(batch, outcomes, strict=True))

    def _read(self, files: Iterator[StagedFile], *, total: int) -> None:
        """Read, embed and store files; one commit for each batch."""
        wanted = itertools.takewhile(lambda _: not self._stop.is_set(), files)
        ahead, paths = itertools.tee(wanted)
        outcomes = embed_files(
            (file.path for file in paths), self._embedder, is_known=self._is_known
        )
        seen = self._watched(outcomes, total=total)
        try:
            for batch in _batches(zip(ahead, seen, strict=True), _FILES_PER_COMMIT):
                if any(isinstance(outcome, EmbeddedFile) for _, outcome in batch):
                    self._check_probe()
                self._store(batch)
                self._tell(stored=len(batch))
        finally:
            outcomes.close()

    def _is_known(self, sha256: str) -> bool:
        return bytes.fromhex(sha256) in self._known

    def _store(self, batch: Iterable[tuple[StagedFile, FileOutcome]]) -> None:
        rows = [self._recorder.row(file, outcome) for file, outcome in batch]
        self._catalog.put_files([row for row in rows if row is not None])

    def _watched(self, outcomes: Iterator[FileOutcome], *, total: int) -> Iterator[FileOutcome]:
        """Pass outcomes on, and tell of each."""
        self._progress = Progress(0, total, 0, 0)
        for outcome in outcomes:
            yield outcome
            self._tell(done=1, failed=int(isinstance(outcome, FailedFile)))

    def _tell(self, *, done: int = 0, failed: int = 0, stored: int = 0) -> None:
        now = self._progress
        self._progress = Progress(
            now.done + done, now.total, now.failed + failed, now.stored + stored
        )
        if self._on_progress is not None:
            self._on_progress(self._progress)

    def _check_probe(self) -> None:
        """Compare the network with the one that the index was built with, once a run."""
        if self._is_probed:
            return
        check_probe(self._embedder, self._catalog.model(), location=self._catalog.location)
        self._is_probed = True

    def _report(
        self,
        *,
        returned: int = 0,
        doubles: int = 0,
        failed: int = 0,
        missing: int = 0,
        pruned: int = 0,
        unavailable: Sequence[str] = (),
        unreadable: Sequence[FileFailure] = (),
    ) -> SyncReport:
        counts = self._recorder.counts
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
            doubles=doubles,
            seconds=round(time.monotonic() - self._started, 3),
            failures=tuple(self._recorder.failures),
            warnings=tuple(dict.fromkeys(self._warnings)),
            unavailable=tuple(unavailable),
            unreadable=tuple(unreadable),
            interrupted=self._stop.is_set(),
        )


_T = TypeVar("_T")


def _batches(values: Iterable[_T], n: int) -> Iterator[list[_T]]:
    remaining = iter(values)
    while batch := list(itertools.islice(remaining, n)):
        yield batch
