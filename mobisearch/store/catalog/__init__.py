"""The catalog: one SQLite database with everything that must not be lost. The only SQL."""

from mobisearch.store.catalog.connection import create_catalog
from mobisearch.store.catalog.reader import CatalogReader, open_reader
from mobisearch.store.catalog.rows import FileRow, ModelRow, SegmentRow, StagedFile, path_range
from mobisearch.store.catalog.writer import CatalogWriter, fill_new_catalog, open_writer

__all__ = [
    "CatalogReader",
    "CatalogWriter",
    "FileRow",
    "ModelRow",
    "SegmentRow",
    "StagedFile",
    "create_catalog",
    "fill_new_catalog",
    "open_reader",
    "open_writer",
    "path_range",
]
