"""Data that every layer shares: frozen records and array aliases. numpy only, no behaviour."""

from mobisearch.types.actions import FileAction, PlanSummary
from mobisearch.types.arrays import Embeddings, Pixels, UnitRows
from mobisearch.types.decisions import DECISION_KINDS, Decision
from mobisearch.types.duplicates import (
    DEFAULT_KEEP,
    DuplicateGroup,
    DuplicateSettings,
    GroupMember,
    Relation,
    ScoreCurve,
    ScorePoint,
    SimilarPair,
    Verdict,
)
from mobisearch.types.filters import SORTINGS, CollectionFacts, ImageFilter, ImagePage
from mobisearch.types.images import FileFailure, FileStamp, ImageFacts, ImageRecord
from mobisearch.types.labels import (
    DEFAULT_LABELS,
    DEFAULT_LEAST_PROBABILITY,
    Label,
    LabelCount,
    LabelReport,
)
from mobisearch.types.models import IndexModel, ModelReport
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
from mobisearch.types.settings import (
    DecodeSettings,
    FetchProgress,
    Framing,
    OnFetch,
    Preprocessing,
    RuntimeSettings,
    WeightsSettings,
    WholePicture,
)

__all__ = [
    "DECISION_KINDS",
    "DEFAULT_KEEP",
    "DEFAULT_LABELS",
    "DEFAULT_LEAST_PROBABILITY",
    "SORTINGS",
    "CollectionFacts",
    "Decision",
    "DecodeSettings",
    "DuplicateGroup",
    "DuplicateSettings",
    "Embeddings",
    "FetchProgress",
    "FileAction",
    "FileFailure",
    "FileStamp",
    "Framing",
    "GroupMember",
    "ImageFacts",
    "ImageFilter",
    "ImagePage",
    "ImageRecord",
    "IndexModel",
    "IndexStatus",
    "Label",
    "LabelCount",
    "LabelReport",
    "ModelReport",
    "OnFetch",
    "OnProgress",
    "Pixels",
    "PlanSummary",
    "Preprocessing",
    "Progress",
    "Relation",
    "RepairReport",
    "RuntimeSettings",
    "SalvageReport",
    "ScoreCurve",
    "ScorePoint",
    "SimilarPair",
    "StructureStatus",
    "SyncReport",
    "UnitRows",
    "Verdict",
    "VerifyReport",
    "WeightsSettings",
    "WholePicture",
]
