"""Mending an index in place, and saving what can be read of one into another."""

from __future__ import annotations

import contextlib
import os

from mobisearch.embedding import Embedder
from mobisearch.errors import IndexDamagedError
from mobisearch.store import (
    CatalogWriter,
    IndexLayout,
    find_bad_beside,
    find_bad_rows,
    journal_mode,
    keep_backup,
    open_writer,
    salvage_index,
)
from mobisearch.sync import Synchroniser
from mobisearch.types import OnProgress, RepairReport, SalvageReport, VerifyReport


def repair_catalog(
    layout: IndexLayout,
    catalog: CatalogWriter,
    embedder: Embedder,
    on_progress: OnProgress | None,
) -> RepairReport:
    """Mend a catalog, and read the images again that lost something; see ``ImageIndex.repair``.

    Returns:
        What was done; its ``check`` is what was found before.

    Raises:
        IndexDamagedError: the database itself is broken. Nothing was changed.
    """
    damage = catalog.find_damage()
    checked, bad = find_bad_rows(catalog, dim=embedder.dim)
    n_beside, bad_beside = find_bad_beside(catalog)
    before = VerifyReport(tuple(damage), (), checked + n_beside)
    if not damage and not bad and not bad_beside:
        return RepairReport((), 0, (), None, before)
    backup = None
    with contextlib.suppress(IndexDamagedError):  # then the mend itself shows how bad it is
        backup = str(keep_backup(layout))
    mended, paths = catalog.mend(bad, bad_beside)
    there = [path for path in paths if os.path.exists(path)]
    report = Synchroniser(catalog, embedder, on_progress=on_progress).add(there)
    failed = {failure.path for failure in report.failures}
    missing = tuple(path for path in paths if path not in there or path in failed)
    return RepairReport(tuple(mended), len(paths) - len(missing), missing, backup, before)


def salvage_to(damaged: IndexLayout, target: IndexLayout) -> SalvageReport:
    """Save what can be read of an index into a new one; see ``ImageIndex.salvage``."""
    damaged.require()
    found = salvage_index(damaged, target)
    with target.writer_lock():
        catalog = open_writer(target.catalog_path, journal=journal_mode(target.directory))
        try:
            _, bad = find_bad_rows(catalog, dim=catalog.model().dim)
            catalog.mend(bad, find_bad_beside(catalog)[1])
            return SalvageReport(
                images=catalog.count_states().get("ok", 0),
                embeddings=catalog.count_vectors(),
                gaps=tuple(sorted(found.damaged)),
            )
        finally:
            catalog.close()
