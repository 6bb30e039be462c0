"""Copies of the catalog that the index keeps of itself, before something is done to it."""

from __future__ import annotations

import uuid
from pathlib import Path

from mobisearch.store.catalog import copy_catalog, read_version
from mobisearch.store.files import mapped_os_errors
from mobisearch.store.layout import IndexLayout


def keep_backup(layout: IndexLayout) -> Path:
    """Copy the catalog as it is now to ``backups``, and return the path of the copy.

    Only the holder of the writer lock may.

    Raises:
        IndexDamagedError: the catalog is damaged.
        StorageError, IndexReadOnlyError: the copy cannot be made; nothing was changed.
    """
    version = read_version(layout.catalog_path)
    layout.remove_strays_in(layout.tmp_dir)
    with mapped_os_errors(layout.directory):
        layout.tmp_dir.mkdir(mode=0o700, exist_ok=True)
    copy_catalog(layout.catalog_path, layout.new_catalog_path)
    return layout.publish_backup(f"format-{version}-{uuid.uuid4().hex}.db")
