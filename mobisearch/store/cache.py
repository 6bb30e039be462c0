"""The segment files as a cache of the catalog: read if they are sound, made again if they are not.

Losing any of them loses nothing and changes no answer; searches read the catalog instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from mobisearch.store.catalog import Catalog, CatalogWriter, SegmentRow
from mobisearch.store.layout import IndexLayout
from mobisearch.store.vectors import VectorPart, deserialise, serialise

_MIN_SEGMENT = 64
"""Fewer new vectors than this are left in the catalog until more have come."""

_MAX_SEGMENT = 32_768
"""Vectors in one file at most: 0.17 GB at d = 1280, of which some copies are in memory while it is
written. Four times as many took an index of 100,000 images over 2 GB."""

_MERGE_AT = 8
"""Adjacent files, at least, that are merged into one."""

_MIN_GROWTH = 4
"""A merged file is at least this many times as large as the largest file that goes into it. So each
vector is rewritten once, at most, while its file grows by this factor: adding a few never rewrites
much."""

_MAX_DEAD_SHARE = 0.25
"""A file with more dead vectors than this is written again without them."""


def refresh_cache(
    layout: IndexLayout,
    writer: CatalogWriter,
    *,
    dim: int,
    sound: Collection[str] = (),
    is_stopped: Callable[[], bool] = lambda: False,
) -> frozenset[str]:
    """Bring the segment files up to date with the catalog. Needs the writer lock.

    Files that are damaged, or mostly dead, are written again; small adjacent ones are merged;
    vectors that are in no file yet get one, if they are enough.

    Cost: reads and hashes each file that is not known to be sound.

    Args:
        sound: names of files that were whole when they were read or written; of those, only the
            size is looked at.
        is_stopped: asked before each file; the rest is left to the next time.

    Returns:
        The names of the files that are sound now.

    Raises:
        StorageError: the disk is full or failing; the old files and the catalog are as before.
    """
    if is_stopped():
        return frozenset(sound)
    layout.remove_strays(listed_files(writer))
    known: set[str] = set(sound)
    for name in _write_stale(layout, writer, dim=dim, known=known):
        known.add(name)
        if is_stopped():
            break
    names = frozenset(segment.name for segment in writer.segments())
    layout.remove_strays(listed_files(writer))
    return names & known


def listed_files(catalog: Catalog) -> set[str]:
    """Return the names of all files that the catalog lists."""
    return {segment.name for segment in catalog.segments()} | catalog.structure_names()


def _write_stale(
    layout: IndexLayout, writer: CatalogWriter, *, dim: int, known: Collection[str]
) -> Iterator[str]:
    """Write each file that has to be, and give the names of all files, each as soon as it is sound.

    Args:
        known: names of files that were sound before.
    """
    for segment in writer.segments():
        dead = writer.count_tombstones(segment.first_id, segment.last_id)
        if segment.name in known:
            is_sound = layout.has_segment(segment.name, segment.size_bytes)
        else:
            is_sound = read_segment(layout, segment, dim=dim) is not None
        if is_sound and dead <= _MAX_DEAD_SHARE * segment.n:
            yield segment.name
        else:
            first, last = segment.first_id, segment.last_id
            yield from _write_segment(layout, writer, [segment], first, last, dim=dim)
    yield from _seal_new(layout, writer, dim=dim)
    while group := _mergeable(writer.segments()):
        first, last = group[0].first_id, group[-1].last_id
        yield from _write_segment(layout, writer, group, first, last, dim=dim)


def _seal_new(layout: IndexLayout, writer: CatalogWriter, *, dim: int) -> Iterator[str]:
    """Give vectors that are in no segment file one of their own."""
    segments = writer.segments()
    newer = max((segment.last_id for segment in segments), default=0) + 1
    while last := writer.last_of(newer, _MAX_SEGMENT):
        last_id, n = last
        if n < _MIN_SEGMENT and segments:
            return
        yield from _write_segment(layout, writer, [], newer, last_id, dim=dim)
        newer = last_id + 1


def _mergeable(segments: Sequence[SegmentRow]) -> Sequence[SegmentRow]:
    """Return adjacent segments that should become one file, or nothing.

    Of all that may be merged, those among which no file is much larger than the others.
    """
    best: Sequence[SegmentRow] = ()
    best_growth = float(_MIN_GROWTH)
    for start in range(len(segments)):
        total = largest = 0
        for end in range(start, len(segments)):
            total += segments[end].n
            largest = max(largest, segments[end].n)
            if total > _MAX_SEGMENT:
                break
            if end - start + 1 >= _MERGE_AT and total >= best_growth * largest:
                best, best_growth = segments[start : end + 1], total / largest
    return best


def _write_segment(
    layout: IndexLayout,
    writer: CatalogWriter,
    old: Sequence[SegmentRow],
    first_id: int,
    last_id: int,
    *,
    dim: int,
) -> Iterator[str]:
    """Write the catalog's vectors of a range of ids as one file, listed in place of old ones.

    Gives the name of the file; nothing where there are no vectors.
    """
    part = VectorPart(*writer.vectors(first_id, last_id, dim=dim))
    old_names = [segment.name for segment in old]
    if not len(part.ids):
        writer.replace_segments(old_names, None)
        return
    data = serialise(part)
    name = layout.publish_segment(data, writer.generation() + 1)
    digest = hashlib.sha256(data).hexdigest()
    row = SegmentRow(name, first_id, last_id, len(part.ids), len(data), digest)
    writer.replace_segments(old_names, row)
    yield name


def read_segment(layout: IndexLayout, segment: SegmentRow, *, dim: int) -> VectorPart | None:
    """Return what is in a segment file, or None unless it is what the catalog says."""
    data = layout.read_segment(segment.name, segment.size_bytes)
    if data is None or hashlib.sha256(data).hexdigest() != segment.sha256:
        return None
    part = deserialise(data, n=segment.n, dim=dim)
    if part is None or not segment.first_id <= part.ids[0] <= part.ids[-1] <= segment.last_id:
        return None
    return part


def find_stale_segments(layout: IndexLayout, catalog: Catalog, *, dim: int) -> list[str]:
    """Return the names of segment files that are missing or not what the catalog says."""
    return [
        segment.name
        for segment in catalog.segments()
        if read_segment(layout, segment, dim=dim) is None
    ]


def find_bad_rows(catalog: Catalog, *, dim: int) -> tuple[int, list[int]]:
    """Check that every stored vector is finite and of unit length; odd sizes are left out.

    Returns:
        How many were checked, and the ids of those that are wrong.
    """
    checked, start = 0, 1
    bad: list[int] = []
    while last := catalog.last_of(start, _MAX_SEGMENT // 4):
        ids, rows = catalog.vectors(start, last[0], dim=dim, skip_odd=True)
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        is_bad = ~(np.abs(norms - 1) < 1e-3)  # NaN compares false and so counts as bad
        bad += ids[is_bad].tolist()
        checked += len(ids)
        start = last[0] + 1
    return checked, bad
