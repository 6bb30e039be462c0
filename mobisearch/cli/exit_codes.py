"""Exit codes, and which error means which."""

from __future__ import annotations

from mobisearch import errors

OK = 0
SOME_FAILED = 1
USAGE = 2
DAMAGED = 65
INPUT_MISSING = 66
MODEL_UNAVAILABLE = 69
INTERNAL = 70
CANNOT_CREATE = 73
STORAGE = 74
LOCKED = 75
INTERRUPTED = 130

_BY_ERROR: tuple[tuple[type[errors.MobisearchError], int], ...] = (
    (errors.ImageNotFoundError, INPUT_MISSING),
    (errors.ImageError, SOME_FAILED),
    (errors.ScanError, INPUT_MISSING),
    (errors.ModelError, MODEL_UNAVAILABLE),
    (errors.IndexNotFoundError, INPUT_MISSING),
    (errors.IndexExistsError, CANNOT_CREATE),
    (errors.IndexReadOnlyError, CANNOT_CREATE),
    (errors.IndexLockedError, LOCKED),
    (errors.StorageError, STORAGE),
    (errors.StoreError, DAMAGED),
    (errors.PlanNotFoundError, INPUT_MISSING),
    (errors.PlanError, DAMAGED),
    (errors.DecisionsNotFoundError, INPUT_MISSING),
    (errors.DecisionsFileError, DAMAGED),
    (errors.CleanupError, SOME_FAILED),
    (errors.ReportError, CANNOT_CREATE),
    (errors.TooFewImagesError, INPUT_MISSING),
    (errors.FolderNotIndexedError, INPUT_MISSING),
    (errors.ImageNotIndexedError, INPUT_MISSING),
    (errors.TrainingDataError, INPUT_MISSING),
    (errors.QueryError, USAGE),
    (errors.ServerError, CANNOT_CREATE),
    (errors.MappingError, CANNOT_CREATE),
)


def exit_code(error: errors.MobisearchError) -> int:
    """Return the exit code for an error; the most particular kind decides."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return INTERNAL
