"""What is on disk: the catalog, which is the truth, and the vector files derived from it.

Knows no model and no picture: it keeps what it is given.
"""

from mobisearch.store.cache import LiveVectors, find_bad_rows, load_vectors, refresh_cache
from mobisearch.store.catalog import (
    CatalogReader,
    CatalogWriter,
    FileRow,
    ModelRow,
    StagedFile,
    open_reader,
    open_writer,
    path_range,
)
from mobisearch.store.creation import create_index
from mobisearch.store.layout import IndexLayout, is_index
from mobisearch.store.vectors import FoundVector

__all__ = [
    "CatalogReader",
    "CatalogWriter",
    "FileRow",
    "FoundVector",
    "IndexLayout",
    "LiveVectors",
    "ModelRow",
    "StagedFile",
    "create_index",
    "find_bad_rows",
    "is_index",
    "load_vectors",
    "open_reader",
    "open_writer",
    "path_range",
    "refresh_cache",
]
