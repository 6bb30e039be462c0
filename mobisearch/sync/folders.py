"""The folders of a sync: which there are, what a scan of each saw, and what it did not see."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mobisearch.errors import UnreadableImageError
from mobisearch.imaging import ScannedFile, ScanProblem, ScanSettings, scan_folder
from mobisearch.store import Catalog, CatalogWriter, is_index, path_range
from mobisearch.types import FileFailure, FileStamp


@dataclass(frozen=True, slots=True)
class ScannedRoot:
    """What a scan of a root saw.

    Attributes:
        gaps: paths that could not be looked at, or into.
        unreadable: of those, what the system refused.
        notes: what was not seen and why, a line each.
        unavailable: why the root must be left as it is in the catalog, or None.
    """

    path: str
    settings: ScanSettings
    gaps: tuple[str, ...]
    unreadable: tuple[FileFailure, ...]
    notes: tuple[str, ...]
    unavailable: str | None


def scan_root(
    catalog: CatalogWriter,
    path: str,
    settings: ScanSettings | None,
    *,
    is_stopped: Callable[[], bool],
) -> ScannedRoot:
    """Scan a root, or a part of one, into the staging tables.

    Args:
        settings: None takes what the root was last scanned with.
    """
    settings = settings or scan_settings_of(catalog, path)
    problems: list[ScanProblem] = []
    findings = scan_folder(path, settings, is_ours=is_index)
    n_found = catalog.staging.put(_split(findings, problems, is_stopped))
    gaps = tuple(problem.path for problem in problems if problem.is_gap)
    unreadable = tuple(
        FileFailure(problem.path, UnreadableImageError.code, problem.reason)
        for problem in problems
        if problem.is_refused
    )
    notes = tuple(f"{problem.path}: {problem.reason}" for problem in problems)
    unavailable = None
    if not n_found and not catalog.staging.count_below(path_range(path)) and not is_stopped():
        n_known = catalog.count_below(path, "ok", "missing")
        if path in gaps:
            unavailable = next(p.reason for p in problems if p.path == path)
        elif n_known:
            unavailable = (
                f"holds no images now but held {n_known:,}; if it is a drive, mount it and try "
                "again; if the images are gone for good: mobisearch remove FOLDER"
            )
    return ScannedRoot(path, settings, gaps, unreadable, notes, unavailable)


def _split(
    findings: Iterable[ScannedFile | ScanProblem],
    problems: list[ScanProblem],
    is_stopped: Callable[[], bool],
) -> Iterator[tuple[str, FileStamp, bool]]:
    """Give the files of a scan as the catalog takes them, and put the problems aside."""
    for finding in findings:
        if is_stopped():
            return
        if isinstance(finding, ScanProblem):
            problems.append(finding)
        else:
            yield finding.path, finding.stamp, finding.is_supported


def outermost(roots: Sequence[str]) -> list[str]:
    """Leave out roots that are inside another one, and repetitions."""
    kept: list[str] = []
    for root in sorted(set(roots), key=len):
        if not any(root.startswith(outer.rstrip(os.sep) + os.sep) for outer in kept):
            kept.append(root)
    return kept


def emptied_folders(missing: Iterable[str], root: str) -> list[str]:
    """Return the folders below a root that are there but empty, although images are missing there.

    A folder where a drive used to be mounted looks like this.
    """
    seen: dict[str, str | None] = {}
    for path in missing:
        folder = os.path.dirname(path)
        if folder not in seen:
            seen[folder] = _emptied(folder, root)
    return sorted({folder for folder in seen.values() if folder is not None})


def _emptied(folder: str, root: str) -> str | None:
    """Return the nearest folder that exists, from ``folder`` up to the root, if it is empty."""
    while folder.startswith(root.rstrip(os.sep) + os.sep):
        try:
            with os.scandir(folder) as listing:
                return folder if next(listing, None) is None else None
        except (FileNotFoundError, NotADirectoryError):
            folder = os.path.dirname(folder)
        except (OSError, ValueError):
            return folder  # it cannot be looked into, so nothing in it is known to be gone
    return None


def scan_settings_of(catalog: Catalog, folder: str) -> ScanSettings:
    """Return what a folder's root was last scanned with; the defaults if it never was."""
    text = catalog.scan_settings(folder)
    try:
        values = json.loads(text or "{}")
        return ScanSettings(
            exclude=tuple(str(pattern) for pattern in values.get("exclude", ())),
            hidden=values.get("hidden") is True,
            follow=values.get("follow") is True,
        )
    except (ValueError, TypeError, AttributeError):
        return ScanSettings()


def settings_as_text(settings: ScanSettings) -> str:
    """Return settings as the catalog keeps them."""
    return json.dumps(dataclasses.asdict(settings))
