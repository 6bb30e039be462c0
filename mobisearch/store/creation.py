"""Making a new index: directory, then catalog, which appears complete or not at all."""

from __future__ import annotations

from mobisearch.store.catalog import ModelRow, create_catalog, fill_new_catalog
from mobisearch.store.files import mapped_os_errors
from mobisearch.store.layout import IndexLayout


def create_index(layout: IndexLayout, model: ModelRow, *, uuid: str) -> None:
    """Make an empty index.

    Raises:
        IndexExistsError: the directory holds an index, or files that are not ours.
        IndexLockedError: another process is making one.
        IndexReadOnlyError, StorageError: it cannot be made there.
    """
    layout.check_is_free()
    layout.make_directories()
    with layout.writer_lock():
        layout.check_is_free()
        with mapped_os_errors(layout.directory):
            create_catalog(
                layout.catalog_path,
                temporary=layout.tmp_dir / "new.db",
                fill=lambda connection: fill_new_catalog(connection, model, uuid=uuid),
            )
