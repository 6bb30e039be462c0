"""Every exception that mobisearch raises.

::

    MobisearchError
    ├── ImageError                    one picture could not be used
    │   ├── ImageNotFoundError        + FileNotFoundError   there is no such file
    │   ├── UnreadableImageError      + OSError             the bytes could not be read
    │   ├── UnsupportedFormatError    + ValueError          not an image format that is read here
    │   ├── CorruptImageError         + ValueError          an image, but damaged
    │   │   └── TruncatedImageError                         the file ends before the picture does
    │   ├── ImageTooLargeError        + ValueError          over the limit on bytes or pixels
    │   ├── DecodeMemoryError         + RuntimeError        decoding needs more than its memory
    │   ├── DecodeTimeoutError        + TimeoutError        decoding took longer than its deadline
    │   ├── DecoderCrashedError       + RuntimeError        the decoding process died of it
    │   └── NoEmbeddingError          + ArithmeticError     the network gave NaN, infinity or zeros
    ├── WorkerStartError              + RuntimeError        no process for decoding can be started
    ├── ScanError                     a folder could not be scanned
    │   └── RootUnavailableError      + FileNotFoundError   missing, unmounted or suddenly empty
    ├── ModelError                    the network could not be used
    │   ├── UnknownModelError         + LookupError         no model of that name
    │   ├── ModelVariantError         + ValueError          no such width, resolution or hash
    │   ├── UntrainedModelError       + ValueError          a width that has no weights
    │   ├── WeightsNotFoundError      + FileNotFoundError   the weights file is not there
    │   ├── WeightsMismatchError      + ValueError          the weights file is not the pinned one
    │   ├── WeightsAbsentError        + FileNotFoundError   not here, and not to be fetched
    │   ├── WeightsDownloadError      + OSError             they could not be fetched
    │   ├── WeightsAddressError       + ValueError          no address that is used
    │   ├── ModelMismatchError        + ValueError          the index was built with another model
    │   ├── ModelChangedError         + RuntimeError        another one came into use meanwhile
    │   ├── ModelNotInUseError        + ValueError          only searches may be made by it
    │   ├── ModelNotInIndexError      + LookupError         the index has none of that name
    │   ├── ModelIncompleteError      + ValueError          it lacks embeddings of images
    │   ├── ModelInUseError           + ValueError          what is in use cannot be dropped
    │   ├── RuntimeMismatchError      + ValueError          a runtime that does not fit its model
    │   ├── RuntimeUnavailableError   + ImportError         the runtime does not run here
    │   ├── PrecisionUnavailableError + ValueError          not to be had here
    │   ├── UnknownRuntimeError       + LookupError         no runtime or precision of that name
    │   ├── NoClassifierError         + ValueError          none in the model's weights
    │   ├── ClassifierFileError       + ValueError          not there, damaged, something else
    │   └── ClassifierMismatchError   + ValueError          trained with another model
    ├── StoreError                    the index on disk could not be used
    │   ├── IndexNotFoundError        + FileNotFoundError   there is no index here
    │   ├── IndexExistsError          + FileExistsError     something is here already
    │   ├── IndexFormatError          + ValueError          foreign, or of a newer version
    │   ├── IndexDamagedError         + ValueError          the catalog is corrupt
    │   ├── IndexLockedError          + BlockingIOError     another process is writing
    │   ├── IndexReadOnlyError        + PermissionError     the index cannot be written
    │   ├── IndexClosedError          + ValueError          used after close()
    │   └── StorageError              + OSError             disk full or failing
    ├── QueryError                    the question makes no sense
    │   ├── InvalidResultCountError   + ValueError          k below 1
    │   ├── InvalidRecallError        + ValueError          not above 0, up to 1
    │   ├── InvalidWrongGroupsError   + ValueError          not above 0, up to a million
    │   ├── InvalidScopeError         + ValueError          none of that name, or no folders for it
    │   ├── FolderNotIndexedError     + LookupError         nothing of that folder is in the index
    │   ├── ImageNotIndexedError      + LookupError         no image has the bytes of a file
    │   ├── InvalidVectorError        + ValueError          wrong shape, NaN or all zeros
    │   ├── UnknownImageIdError       + LookupError         no image of that id
    │   ├── InvalidDecisionError      + ValueError          of no known kind, or of too few
    │   ├── UnknownDecisionError      + LookupError         no decision of that id
    │   ├── UnknownKeepRuleError      + ValueError          no such rule for which copy is kept
    │   ├── TooFewImagesError         + ValueError          not enough of them
    │   ├── NotLabelledError          + LookupError         no image has labels yet
    │   ├── UnknownLabelError         + LookupError         no category, or several, of that name
    │   ├── InvalidProbabilityError   + ValueError          not from 0 to 1
    │   └── TrainingDataError         + ValueError          nothing can be learnt from a folder
    ├── CleanupError                  copies could not be cleared away
    │   ├── PlanError                 + ValueError          no plan, or one that contradicts itself
    │   ├── PlanNotFoundError         + FileNotFoundError   there is no plan here
    │   ├── StepRefusedError          + RuntimeError        a step is not safe now
    │   ├── TrashUnavailableError     + OSError             the trash cannot take a file
    │   ├── DecisionsFileError        + ValueError          a file that holds no decisions
    │   └── DecisionsNotFoundError    + FileNotFoundError   there is no file of decisions here
    ├── ReportError                   + OSError             a report or sheet cannot be written
    ├── MappingError                  + RuntimeError        a map of an index could not be made
    └── ServerError                   the page could not be served
        ├── PortTakenError            + OSError             nothing can be served at an address
        └── RequestRefusedError       + ValueError          a server answered with an error

Each leaf also derives from the builtin that a caller would catch anyway, keeps its values as
attributes, and survives pickling. Messages say what happened, where, and what to do next.
Only the command line turns them into exit codes.
"""

from mobisearch.errors.ancestor import (
    MobisearchError,
)
from mobisearch.errors.cleanup import (
    CleanupError,
    DecisionsFileError,
    DecisionsNotFoundError,
    PlanError,
    PlanNotFoundError,
    StepRefusedError,
    TrashUnavailableError,
    UnknownKeepRuleError,
)
from mobisearch.errors.images import (
    CorruptImageError,
    DecodeMemoryError,
    DecoderCrashedError,
    DecodeTimeoutError,
    ImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    NoEmbeddingError,
    RootUnavailableError,
    ScanError,
    TruncatedImageError,
    UnreadableImageError,
    UnsupportedFormatError,
    WorkerStartError,
)
from mobisearch.errors.index_models import (
    ModelChangedError,
    ModelIncompleteError,
    ModelInUseError,
    ModelNotInIndexError,
    ModelNotInUseError,
)
from mobisearch.errors.labels import (
    ClassifierFileError,
    ClassifierMismatchError,
    InvalidProbabilityError,
    NoClassifierError,
    NotLabelledError,
    TrainingDataError,
    UnknownLabelError,
)
from mobisearch.errors.models import (
    ModelError,
    ModelMismatchError,
    ModelVariantError,
    PrecisionUnavailableError,
    RuntimeMismatchError,
    RuntimeUnavailableError,
    UnknownModelError,
    UnknownRuntimeError,
    UntrainedModelError,
    WeightsAbsentError,
    WeightsAddressError,
    WeightsDownloadError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from mobisearch.errors.queries import (
    FolderNotIndexedError,
    ImageNotIndexedError,
    InvalidDecisionError,
    InvalidRecallError,
    InvalidResultCountError,
    InvalidScopeError,
    InvalidVectorError,
    InvalidWrongGroupsError,
    QueryError,
    ReportError,
    TooFewImagesError,
    UnknownDecisionError,
    UnknownImageIdError,
)
from mobisearch.errors.store import (
    IndexClosedError,
    IndexDamagedError,
    IndexExistsError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    IndexReadOnlyError,
    StorageError,
    StoreError,
)
from mobisearch.errors.web import MappingError, PortTakenError, RequestRefusedError, ServerError

__all__ = [
    "ClassifierFileError",
    "ClassifierMismatchError",
    "CleanupError",
    "CorruptImageError",
    "DecisionsFileError",
    "DecisionsNotFoundError",
    "DecodeMemoryError",
    "DecodeTimeoutError",
    "DecoderCrashedError",
    "FolderNotIndexedError",
    "ImageError",
    "ImageNotFoundError",
    "ImageNotIndexedError",
    "ImageTooLargeError",
    "IndexClosedError",
    "IndexDamagedError",
    "IndexExistsError",
    "IndexFormatError",
    "IndexLockedError",
    "IndexNotFoundError",
    "IndexReadOnlyError",
    "InvalidDecisionError",
    "InvalidProbabilityError",
    "InvalidRecallError",
    "InvalidResultCountError",
    "InvalidScopeError",
    "InvalidVectorError",
    "InvalidWrongGroupsError",
    "MappingError",
    "MobisearchError",
    "ModelChangedError",
    "ModelError",
    "ModelInUseError",
    "ModelIncompleteError",
    "ModelMismatchError",
    "ModelNotInIndexError",
    "ModelNotInUseError",
    "ModelVariantError",
    "NoClassifierError",
    "NoEmbeddingError",
    "NotLabelledError",
    "PlanError",
    "PlanNotFoundError",
    "PortTakenError",
    "PrecisionUnavailableError",
    "QueryError",
    "ReportError",
    "RequestRefusedError",
    "RootUnavailableError",
    "RuntimeMismatchError",
    "RuntimeUnavailableError",
    "ScanError",
    "ServerError",
    "StepRefusedError",
    "StorageError",
    "StoreError",
    "TooFewImagesError",
    "TrainingDataError",
    "TrashUnavailableError",
    "TruncatedImageError",
    "UnknownDecisionError",
    "UnknownImageIdError",
    "UnknownKeepRuleError",
    "UnknownLabelError",
    "UnknownModelError",
    "UnknownRuntimeError",
    "UnreadableImageError",
    "UnsupportedFormatError",
    "UntrainedModelError",
    "WeightsAbsentError",
    "WeightsAddressError",
    "WeightsDownloadError",
    "WeightsMismatchError",
    "WeightsNotFoundError",
    "WorkerStartError",
]
