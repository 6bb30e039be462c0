"""What is on disk: the catalog, which is the truth, and the vector files derived from it.

Knows no model and no picture: it keeps what it is given.
"""

from mobisearch.store.backups import keep_backup
from mobisearch.store.cache import (
    LiveVectors,
    find_bad_rows,
    find_stale_segments,
    load_vectors,
    refresh_cache,
)
from mobisearch.store.catalog import (
    Catalog,
    CatalogReader,
    CatalogWriter,
    FileRow,
    ModelRow,
    SalvagedRows,
    StagedFile,
    open_reader,
    open_writer,
    path_range,
)
from mobisearch.store.creation import copy_index, create_index, salvage_index
from mobisearch.store.layout import IndexLayout
from mobisearch.store.mounts import is_network, journal_mode
from mobisearch.store.ownership import find_strangers, is_index
from mobisearch.store.readiness import make_ready
from mobisearch.store.vectors import FoundVector

__all__ = [
    "Catalog",
    "CatalogReader",
    "CatalogWriter",
    "FileRow",
    "FoundVector",
    "IndexLayout",
    "LiveVectors",
    "ModelRow",
    "SalvagedRows",
    "StagedFile",
    "copy_index",
    "create_index",
    "find_bad_rows",
    "find_stale_segments",
    "find_strangers",
    "is_index",
    "is_network",
    "journal_mode",
    "keep_backup",
    "load_vectors",
    "make_ready",
    "open_reader",
    "open_writer",
    "path_range",
    "refresh_cache",
    "salvage_index",
]
