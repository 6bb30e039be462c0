"""What is on disk: the catalog, which is the truth, and the vector files derived from it.

Knows no model and no picture: it keeps what it is given.
"""

from mobisearch.store.backups import keep_backup
from mobisearch.store.beside import BesideVectors, find_bad_beside
from mobisearch.store.cache import find_bad_rows, find_stale_segments, refresh_cache
from mobisearch.store.catalog import (
    Catalog,
    CatalogReader,
    CatalogWriter,
    ClassifierRow,
    ContentPicture,
    FileRow,
    LookRow,
    ModelRow,
    Pair,
    PendingVector,
    SalvagedRows,
    StagedFile,
    StoredModel,
    StructureRow,
    now,
    open_reader,
    open_writer,
    path_range,
)
from mobisearch.store.creation import copy_index, create_index, salvage_index
from mobisearch.store.layout import IndexLayout
from mobisearch.store.live import LiveVectors, load_vectors
from mobisearch.store.mounts import is_network, journal_mode
from mobisearch.store.ownership import find_strangers, is_index
from mobisearch.store.readiness import make_ready
from mobisearch.store.structures import (
    find_stale_structures,
    read_note,
    refresh_structure,
)
from mobisearch.store.vectors import FoundVector

__all__ = [
    "BesideVectors",
    "Catalog",
    "CatalogReader",
    "CatalogWriter",
    "ClassifierRow",
    "ContentPicture",
    "FileRow",
    "FoundVector",
    "IndexLayout",
    "LiveVectors",
    "LookRow",
    "ModelRow",
    "Pair",
    "PendingVector",
    "SalvagedRows",
    "StagedFile",
    "StoredModel",
    "StructureRow",
    "copy_index",
    "create_index",
    "find_bad_beside",
    "find_bad_rows",
    "find_stale_segments",
    "find_stale_structures",
    "find_strangers",
    "is_index",
    "is_network",
    "journal_mode",
    "keep_backup",
    "load_vectors",
    "make_ready",
    "now",
    "open_reader",
    "open_writer",
    "path_range",
    "read_note",
    "refresh_cache",
    "refresh_structure",
    "salvage_index",
]
