"""Clearing away copies: a plan that people can read, carried out with care, and taken back.

Nothing here deletes a photo. What finds copies and says which of them stays is in
``mobisearch.duplicates``.
"""

from mobisearch.cleanup.absence import AbsentFolder, absent_folders, leave_absent
from mobisearch.cleanup.applying import apply_plan
from mobisearch.cleanup.checking import CoveredPhoto
from mobisearch.cleanup.coverage import CoverReport, cover_folder
from mobisearch.cleanup.drafting import DraftSettings, draft_plan
from mobisearch.cleanup.inventory import OtherFile
from mobisearch.cleanup.outcomes import CleanupReport, StepOutcome
from mobisearch.cleanup.outlook import Outlook, foresee_plan, outlook_of
from mobisearch.cleanup.plan_reading import parse_plan, read_plan
from mobisearch.cleanup.plans import (
    KeptFile,
    Plan,
    PlannedFile,
    PlannedGroup,
    check_plan_path,
    plan_document,
    plan_text,
    write_plan,
)
from mobisearch.cleanup.recovery import settle_interrupted
from mobisearch.cleanup.substitution import Substitution
from mobisearch.cleanup.undoing import check_not_carried_out, undo_plan
from mobisearch.cleanup.versions import CoverStatus, compare_versions

__all__ = [
    "AbsentFolder",
    "CleanupReport",
    "CoverReport",
    "CoverStatus",
    "CoveredPhoto",
    "DraftSettings",
    "KeptFile",
    "OtherFile",
    "Outlook",
    "Plan",
    "PlannedFile",
    "PlannedGroup",
    "StepOutcome",
    "Substitution",
    "absent_folders",
    "apply_plan",
    "check_not_carried_out",
    "check_plan_path",
    "compare_versions",
    "cover_folder",
    "draft_plan",
    "foresee_plan",
    "leave_absent",
    "outlook_of",
    "parse_plan",
    "plan_document",
    "plan_text",
    "read_plan",
    "settle_interrupted",
    "undo_plan",
    "write_plan",
]
