"""The catalog: one SQLite database with everything that must not be lost. The only SQL."""

from mobisearch.store.catalog.connection import create_catalog, set_journal
from mobisearch.store.catalog.copying import check_log, copy_catalog, set_uuid
from mobisearch.store.catalog.labels import ClassifierRow, PendingVector
from mobisearch.store.catalog.looks import ContentPicture, LookRow
from mobisearch.store.catalog.migrations import migrate, read_version
from mobisearch.store.catalog.questions import Catalog
from mobisearch.store.catalog.reader import CatalogReader, open_reader
from mobisearch.store.catalog.relations import Pair
from mobisearch.store.catalog.rows import (
    FileRow,
    ModelRow,
    SegmentRow,
    StagedFile,
    StructureRow,
    path_range,
)
from mobisearch.store.catalog.salvaging import SalvagedRows, salvage_catalog
from mobisearch.store.catalog.stored_models import StoredModel
from mobisearch.store.catalog.upkeep import now
from mobisearch.store.catalog.writer import CatalogWriter, fill_new_catalog, open_writer

__all__ = [
    "Catalog",
    "CatalogReader",
    "CatalogWriter",
    "ClassifierRow",
    "ContentPicture",
    "FileRow",
    "LookRow",
    "ModelRow",
    "Pair",
    "PendingVector",
    "SalvagedRows",
    "SegmentRow",
    "StagedFile",
    "StoredModel",
    "StructureRow",
    "check_log",
    "copy_catalog",
    "create_catalog",
    "fill_new_catalog",
    "migrate",
    "now",
    "open_reader",
    "open_writer",
    "path_range",
    "read_version",
    "salvage_catalog",
    "set_journal",
    "set_uuid",
]
