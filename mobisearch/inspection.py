"""Looking at an index as a whole: what it holds, and whether it is sound. Changes nothing."""

from __future__ import annotations

from mobisearch.errors import IndexDamagedError
from mobisearch.store import (
    CatalogReader,
    IndexLayout,
    ModelRow,
    find_bad_beside,
    find_bad_rows,
    find_stale_segments,
    find_stale_structures,
    read_note,
)
from mobisearch.types import IndexStatus, StructureStatus, VerifyReport


def read_status(layout: IndexLayout, catalog: CatalogReader, model: ModelRow) -> IndexStatus:
    """Return an index at a glance. Reads no embedding."""
    with catalog.snapshot():
        states = catalog.count_states()
        n_contents = catalog.count_contents()
        meta = catalog.meta()
        roots = catalog.roots()
        segments = catalog.segments()
        structure = _read_structure_status(layout, catalog)
        target, note = catalog.recall_target(), read_note(catalog)
        beside = catalog.models.names_beside()
        labelled, classifiers = catalog.labels.count_labelled(), catalog.labels.classifiers()
    return IndexStatus(
        path=str(layout.directory),
        model=model.name,
        fingerprint=model.fingerprint,
        dim=model.dim,
        images=states.get("ok", 0),
        contents=n_contents,
        missing=states.get("missing", 0),
        errors=states.get("error", 0),
        roots=tuple(roots),
        cached=sum(segment.n for segment in segments),
        catalog_bytes=layout.catalog_bytes(),
        cache_bytes=sum(segment.size_bytes for segment in segments)
        + (structure.bytes if structure else 0),
        generation=int(meta["generation"]),
        format_version=catalog.format_version(),
        created_at=meta["created_at"],
        last_sync_at=max((at for at in roots.values() if at), default=None),
        recall_target=target,
        structure=structure,
        missed_recall=note["recall"] if note and not structure else None,
        labelled=labelled,
        classifiers=tuple(row.name for row in classifiers),
        models_beside=beside,
    )


def _read_structure_status(layout: IndexLayout, catalog: CatalogReader) -> StructureStatus | None:
    """Return what searches go through, if the file is there; its content is not looked at."""
    row = catalog.structure()
    if row is None or not layout.has_segment(row.name, row.size_bytes):
        return None
    return StructureStatus(
        kind=row.kind,
        vectors=row.n,
        newer=catalog.count_newer(row.last_id),
        bytes=row.size_bytes,
        probes=row.probes,
        candidates=row.candidates,
        recall_target=row.recall_target,
        recall=row.recall,
        queries=row.queries,
        built_at=row.built_at,
    )


def check_index(layout: IndexLayout, catalog: CatalogReader, model: ModelRow) -> VerifyReport:
    """Check the whole catalog, every embedding and every cache file."""
    damage: list[str] = []
    stale: tuple[str, ...] = ()
    checked = 0
    try:
        damage += catalog.find_damage()
        checked, bad = find_bad_rows(catalog, dim=model.dim)
        damage += [f"catalog: embedding {vector_id} is not a unit vector" for vector_id in bad]
        n_beside, bad = find_bad_beside(catalog)
        damage += [f"catalog: embedding beside {number} is not a unit vector" for number in bad]
        checked += n_beside
        with catalog.snapshot():
            names = find_stale_segments(layout, catalog, dim=model.dim)
            names += find_stale_structures(layout, catalog, dim=model.dim)
        stale = tuple(f"segments/{name}: missing or damaged" for name in names)
    except IndexDamagedError as error:
        damage.append(error.message)
    return VerifyReport(tuple(damage), stale, checked)
