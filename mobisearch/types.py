"""Data that every layer shares: frozen records and array aliases. numpy only, no behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""Upright RGB pixels, uint8, shape (h, w, 3); a batch has shape (n, h, w, 3)."""

Embeddings: TypeAlias = NDArray[np.float32]
"""float32, shape (n, d), rows of unit length; a single one has shape (d,)."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an upright RGB image becomes the network's input.

    Resize so that the shorter side is ``resize_px`` (bilinear with antialiasing), cut the centre
    square of ``crop_px``, scale to 0..1, subtract ``mean`` and divide by ``std`` per channel.

    Source: torchvision ``transforms._presets.ImageClassification``.
    """

    resize_px: int
    crop_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Limits and choices for turning bytes into pixels.

    Attributes:
        max_bytes: larger files are refused unread.
        max_pixels: larger pictures are refused from their header, before any pixel is decoded.
            The default admits a 200-megapixel phone photo.
        max_pixels_other: the limit for every format but JPEG, which alone can be decoded at
            reduced size and so needs far less memory than its pixels suggest.
        exact: decode JPEGs at full size and resize whole pictures, as torchvision does, to the very
            pixel. Otherwise large JPEGs are decoded at 1/2, 1/4 or 1/8, never below
            ``reduced_oversampling`` times what the network looks at, and only the part of a picture
            that the network looks at is resized.
        reduced_oversampling: how many times larger than ``Preprocessing.resize_px`` the shorter
            side of a reduced JPEG stays at least. The README states the deviation measured at 2.
        deadline_seconds: decoding one picture may take this long. Held where files are decoded in
            worker processes, as indexing does.
        max_memory_bytes: decoding one picture may take this much memory. Held by the system, in
            workers, where it can (Linux). The default admits what ``max_pixels_other`` does.
        tolerant: take the part that is there of a picture that is cut short, and note that.
    """

    max_bytes: int = 500_000_000
    max_pixels: int = 256_000_000
    max_pixels_other: int = 128_000_000
    exact: bool = False
    reduced_oversampling: float = 2.0
    deadline_seconds: float = 60.0
    max_memory_bytes: int = 3 << 30
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the bytes of a picture say about it.

    Attributes:
        format: such as ``"JPEG"``.
        width, height: pixels of the upright picture.
        taken_at: EXIF date and time as written by the camera, ISO 8601 without a zone, or with
            one where EXIF has it.
        camera: maker and model.
        latitude, longitude: degrees, north and east positive.
        is_truncated: the file ends before the picture does, and what there is was taken.
    """

    format: str
    width: int
    height: int
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What the file system says about a file: enough to see, without reading, that it changed."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: str = ""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image in an index.

    Attributes:
        id: stable for the life of the index, kept across moves, never reused.
        path: absolute. Bytes that are not UTF-8 are surrogate-escaped, as ``os.fsdecode`` does, so
            that the path always opens.
        width, height: pixels of the upright picture.
        sha256: of the file's bytes, hexadecimal. Copies share it.
        is_truncated: only a part of the picture was there to be embedded.
    """

    id: int
    path: str
    width: int
    height: int
    size_bytes: int
    mtime_ns: int
    sha256: str
    format: str
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class FileFailure:
    """A file that could not be indexed, and why."""

    path: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come, in files.

    Attributes:
        failed: part of ``done``.
        stored: of ``done``, those that are committed and will be there whatever happens next.
    """

    done: int
    total: int
    failed: int
    stored: int = 0


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
    interrupted: bool = False


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
