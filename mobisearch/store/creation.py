"""Making a new index: directory, then catalog, which appears complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable

from mobisearch.errors import IndexExistsError
from mobisearch.store.catalog import (
    ModelRow,
    SalvagedRows,
    copy_catalog,
    create_catalog,
    fill_new_catalog,
    salvage_catalog,
    set_journal,
    set_uuid,
)
from mobisearch.store.files import mapped_os_errors
from mobisearch.store.layout import IndexLayout
from mobisearch.store.mounts import journal_mode


def create_index(layout: IndexLayout, model: ModelRow, *, uuid: str) -> None:
    """Make an empty index.

    Raises:
        IndexExistsError: the directory holds an index, or files that are not ours.
        IndexLockedError: another process is making one.
        IndexReadOnlyError, StorageError: it cannot be made there.
    """
    make_index(
        layout,
        lambda: create_catalog(
            layout.new_catalog_path,
            fill=lambda connection: fill_new_catalog(connection, model, uuid=uuid),
        ),
    )


def copy_index(source: IndexLayout, target: IndexLayout, *, uuid: str) -> None:
    """Make an index that is a copy of another as its newest commit has it.

    It gets an identity of its own, so that the log of one is never taken for that of the other.

    Only the catalog is copied: it holds everything. Searches in the copy read it, and the first
    command that writes there makes the segment files again.

    Raises:
        IndexDamagedError: the catalog is damaged, and so no copy of it is worth having.
        IndexExistsError, IndexLockedError, IndexReadOnlyError, StorageError: as for a new index.
    """
    _check_apart(source, target)

    def copy() -> None:
        copy_catalog(source.catalog_path, target.new_catalog_path)
        set_uuid(target.new_catalog_path, uuid)

    make_index(target, copy)


def salvage_index(source: IndexLayout, target: IndexLayout) -> SalvagedRows:
    """Make an index of what can be read of a damaged one, which is left as it is.

    Raises:
        IndexDamagedError, IndexFormatError: too little can be read.
        IndexExistsError, IndexLockedError, IndexReadOnlyError, StorageError: as for a new index.
    """
    _check_apart(source, target)
    found: list[SalvagedRows] = []
    make_index(
        target,
        lambda: found.append(salvage_catalog(source.catalog_path, target.new_catalog_path)),
    )
    return found[0]


def _check_apart(source: IndexLayout, target: IndexLayout) -> None:
    """Refuse a place inside the index itself: it would be lost together with it."""
    outer, inner = (os.path.realpath(layout.directory) for layout in (source, target))
    if inner.startswith(outer.rstrip(os.sep) + os.sep):
        message = (
            f"is inside the index {outer}, and would be lost with it; choose another directory"
        )
        raise IndexExistsError(target.directory, message)


def make_index(layout: IndexLayout, make_catalog: Callable[[], None]) -> None:
    """Make an index around a catalog that ``make_catalog`` writes to ``layout.new_catalog_path``.

    Raises:
        IndexExistsError, IndexLockedError, IndexReadOnlyError, StorageError: it cannot be made.
    """
    layout.check_is_free()
    layout.make_directories()
    with layout.writer_lock():
        layout.check_is_free()
        layout.remove_strays(())
        with mapped_os_errors(layout.directory):
            make_catalog()
            # Now, not by the first writer: changing it is a commit that no reader could roll back.
            set_journal(layout.new_catalog_path, journal_mode(layout.directory))
        layout.publish_catalog()
