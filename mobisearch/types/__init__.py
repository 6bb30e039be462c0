"""Data that every layer shares: frozen records and array aliases. numpy only, no behaviour."""

from mobisearch.types.images import (
    DecodeSettings,
    Embeddings,
    FileFailure,
    FileStamp,
    ImageFacts,
    ImageRecord,
    Pixels,
    Preprocessing,
)
from mobisearch.types.reports import (
    IndexStatus,
    OnProgress,
    Progress,
    RepairReport,
    SalvageReport,
    StructureStatus,
    SyncReport,
    VerifyReport,
)

__all__ = [
    "DecodeSettings",
    "Embeddings",
    "FileFailure",
    "FileStamp",
    "ImageFacts",
    "ImageRecord",
    "IndexStatus",
    "OnProgress",
    "Pixels",
    "Preprocessing",
    "Progress",
    "RepairReport",
    "SalvageReport",
    "StructureStatus",
    "SyncReport",
    "VerifyReport",
]
