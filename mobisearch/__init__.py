"""mobisearch finds images that look alike.

>>> import mobisearch
>>> mobisearch.__version__.count(".")
2

Importing this package loads no heavy library; each name below is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobisearch.classifying import ClassifiedImage, ImageClassifier
    from mobisearch.duplicates import DuplicateGroups
    from mobisearch.embedding import Embedder
    from mobisearch.errors import MobisearchError
    from mobisearch.imaging import ScanSettings
    from mobisearch.index import ImageIndex
    from mobisearch.results import Match, Matches
    from mobisearch.types import (
        DecodeSettings,
        DuplicateGroup,
        DuplicateSettings,
        FileFailure,
        ImageRecord,
        IndexModel,
        IndexStatus,
        Label,
        LabelCount,
        LabelReport,
        ModelReport,
        RepairReport,
        RuntimeSettings,
        SalvageReport,
        StructureStatus,
        SyncReport,
        VerifyReport,
        WeightsSettings,
    )
    from mobisearch.upgrading import IndexModels

__version__ = "0.1.0"

__all__ = [
    "ClassifiedImage",
    "DecodeSettings",
    "DuplicateGroup",
    "DuplicateGroups",
    "DuplicateSettings",
    "Embedder",
    "FileFailure",
    "ImageClassifier",
    "ImageIndex",
    "ImageRecord",
    "IndexModel",
    "IndexModels",
    "IndexStatus",
    "Label",
    "LabelCount",
    "LabelReport",
    "Match",
    "Matches",
    "MobisearchError",
    "ModelReport",
    "RepairReport",
    "RuntimeSettings",
    "SalvageReport",
    "ScanSettings",
    "StructureStatus",
    "SyncReport",
    "VerifyReport",
    "WeightsSettings",
    "__version__",
]

_HOMES = {
    "ClassifiedImage": "mobisearch.classifying",
    "ImageClassifier": "mobisearch.classifying",
    "Label": "mobisearch.types",
    "LabelCount": "mobisearch.types",
    "LabelReport": "mobisearch.types",
    "DecodeSettings": "mobisearch.types",
    "DuplicateGroup": "mobisearch.types",
    "DuplicateGroups": "mobisearch.duplicates",
    "DuplicateSettings": "mobisearch.types",
    "Embedder": "mobisearch.embedding",
    "FileFailure": "mobisearch.types",
    "ImageIndex": "mobisearch.index",
    "ImageRecord": "mobisearch.types",
    "IndexModel": "mobisearch.types",
    "IndexModels": "mobisearch.upgrading",
    "IndexStatus": "mobisearch.types",
    "ModelReport": "mobisearch.types",
    "Match": "mobisearch.results",
    "Matches": "mobisearch.results",
    "MobisearchError": "mobisearch.errors",
    "RepairReport": "mobisearch.types",
    "RuntimeSettings": "mobisearch.types",
    "SalvageReport": "mobisearch.types",
    "ScanSettings": "mobisearch.imaging",
    "StructureStatus": "mobisearch.types",
    "SyncReport": "mobisearch.types",
    "VerifyReport": "mobisearch.types",
    "WeightsSettings": "mobisearch.types",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
