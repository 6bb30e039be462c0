"""What long work tells while it runs, and what calls report of an index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mobisearch.types.images import FileFailure


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come, in files.

    Attributes:
        stage: what is being done, where a call does one thing after another: ``"looking"`` at
            images, ``"matching"`` them, ``"comparing"`` pairs; done and total are in that unit.
        failed: part of ``done``.
        stored: of ``done``, those that are committed and will be there whatever happens next.
    """

    done: int
    total: int
    failed: int
    stored: int = 0
    stage: str = ""


OnProgress: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync or an add found and did.

    ``added + updated + moved + returned + unchanged + failed`` is the number of files seen, when
    the run was not interrupted.
    ``failed`` and ``missing`` describe the folder as it is now, so the same folder gives the same
    numbers however often it is synced.

    Attributes:
        added: files new to the index.
        updated: files whose content had changed.
        moved: files recognised by content at a new path; id and embedding kept.
        returned: files that had been missing and are back.
        unchanged: files not read again.
        missing: files in the index that are gone from the folder; hidden from results, kept.
        pruned: missing files forgotten in this run.
        failed: files that cannot be indexed now.
        failed_now: of ``failed``, those tried in this run; the rest had failed before and have not
            changed since.
        doubles: further names of files that count under another name: hard links, mounts.
        seconds: wall time.
        failures: one entry for each file tried in this run that failed.
        warnings: folders or links that could not be followed, and what that means.
        unavailable: folders that were left as they are in the index, each with the reason: missing,
            or empty although they held images.
        unreadable: folders, and files, inside those that were scanned which the system refused to
            show. What is in them is not known, and what was known of it is left as it was.
        interrupted: the run was stopped on request. What it had done is stored; nothing was marked
            as missing.
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    returned: int = 0
    unchanged: int = 0
    missing: int = 0
    pruned: int = 0
    failed: int = 0
    failed_now: int = 0
    doubles: int = 0
    seconds: float = 0.0
    failures: tuple[FileFailure, ...] = ()
    warnings: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    unreadable: tuple[FileFailure, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class StructureStatus:
    """What a large index is searched through.

    Attributes:
        kind: such as ``"IVF1024,RaBitQfs"``: one bit for each direction that is kept, in lists.
        vectors: embeddings in it.
        newer: embeddings that are not in it yet; each search compares with all of them.
        probes: lists that a search for ten looks at.
        candidates: embeddings that a search for ten compares with exactly.
        recall_target: share of the true best ten that it was to find.
        recall: the share that it found when it was trained, judged by score.
        queries: how many of the index's own images that was measured with.
        built_at: UTC, ISO 8601.
    """

    kind: str
    vectors: int
    newer: int
    bytes: int
    probes: int
    candidates: int
    recall_target: float
    recall: float
    queries: int
    built_at: str


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """An index at a glance.

    Attributes:
        images: images that searches can return.
        contents: different file contents among them; copies share an embedding.
        missing: images whose file is gone for now.
        errors: files that could not be indexed.
        cached: embeddings held in FAISS cache files; the others are read from the catalog.
        catalog_bytes, cache_bytes: sizes on disk.
        recall_target: share of the true best ten that searches are to find; 1 compares with every
            image, however many there are.
        structure: what searches go through; None: they compare with every image.
        missed_recall: the best that a structure found, where none reached the target and so there
            is none.
        labelled: images that have labels.
        classifiers: what they were labelled with, in words.
        models_beside: names of the models that there are embeddings by besides the one in use.
    """

    path: str
    model: str
    fingerprint: str
    dim: int
    images: int
    contents: int
    missing: int
    errors: int
    roots: tuple[str, ...]
    cached: int
    catalog_bytes: int
    cache_bytes: int
    generation: int
    format_version: int
    created_at: str
    last_sync_at: str | None
    recall_target: float
    structure: StructureStatus | None
    missed_recall: float | None
    labelled: int = 0
    classifiers: tuple[str, ...] = ()
    models_beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a check of the whole index found.

    Attributes:
        damage: faults in the catalog, which is the truth. Empty means that nothing was lost.
        stale: faults in cache files, which cost nothing: answers come from the catalog meanwhile.
        checked: how many embeddings were read and checked.
    """

    damage: tuple[str, ...]
    stale: tuple[str, ...]
    checked: int

    @property
    def ok(self) -> bool:
        """True when the catalog is sound."""
        return not self.damage


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did.

    Attributes:
        mended: what was wrong and has been put right, a line each; empty if nothing was.
        reread: images that were read and embedded again.
        missing: images whose file could not be read again now; they come back when it can.
        backup: the catalog as it was before, if there was anything to mend.
        check: what a check found afterwards.
    """

    mended: tuple[str, ...]
    reread: int
    missing: tuple[str, ...]
    backup: str | None
    check: VerifyReport


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What was saved of a damaged index into a new one.

    Attributes:
        images: images in the new index that searches can return.
        embeddings: embeddings saved.
        gaps: tables of which not everything could be read.
    """

    images: int
    embeddings: int
    gaps: tuple[str, ...]
