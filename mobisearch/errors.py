"""Every exception that mobisearch raises.

::

    MobisearchError
    ├── ImageError                    one picture could not be used
    │   ├── ImageNotFoundError        + FileNotFoundError   there is no such file
    │   ├── UnreadableImageError      + OSError             the bytes could not be read
    │   ├── UnsupportedFormatError    + ValueError          not an image format that is read here
    │   ├── CorruptImageError         + ValueError          an image, but damaged or cut short
    │   └── ImageTooLargeError        + ValueError          over the limit on bytes or pixels
    ├── ScanError                     a folder could not be scanned
    │   └── RootUnavailableError      + FileNotFoundError   missing, unmounted or suddenly empty
    ├── ModelError                    the network could not be used
    │   ├── UnknownModelError         + LookupError         no model of that name
    │   ├── WeightsNotFoundError      + FileNotFoundError   the weights file is not there
    │   ├── WeightsMismatchError      + ValueError          the weights file is not the pinned one
    │   ├── ModelMismatchError        + ValueError          the index was built with another model
    │   └── BadEmbeddingError         + ArithmeticError     the network gave NaN, infinity or zero
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
    │   ├── InvalidVectorError        + ValueError          wrong shape, NaN or all zeros
    │   └── UnknownImageIdError       + LookupError         no image of that id
    ├── ReportError                   + OSError             a report or sheet cannot be written
    └── NotYetError                   + NotImplementedError announced, not built yet

Each leaf also derives from the builtin that a caller would catch anyway, keeps its values as
attributes, and survives pickling. Messages say what happened, where, and what to do next.
Only the command line turns them into exit codes.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

__all__ = [
    "BadEmbeddingError",
    "CorruptImageError",
    "ImageError",
    "ImageNotFoundError",
    "ImageTooLargeError",
    "IndexClosedError",
    "IndexDamagedError",
    "IndexExistsError",
    "IndexFormatError",
    "IndexLockedError",
    "IndexNotFoundError",
    "IndexReadOnlyError",
    "InvalidResultCountError",
    "InvalidVectorError",
    "MobisearchError",
    "ModelError",
    "ModelMismatchError",
    "NotYetError",
    "QueryError",
    "ReportError",
    "RootUnavailableError",
    "ScanError",
    "StorageError",
    "StoreError",
    "UnknownImageIdError",
    "UnknownModelError",
    "UnreadableImageError",
    "UnsupportedFormatError",
    "WeightsMismatchError",
    "WeightsNotFoundError",
]


def _rebuild(cls: type[MobisearchError], message: str, values: dict[str, Any]) -> MobisearchError:
    """Make an unpickled error without running its constructor again."""
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(values)
    return error


class MobisearchError(Exception):
    """Base of every exception raised by mobisearch."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, dict(self.__dict__))


# --------------------------------------------------------------------------- images


class ImageError(MobisearchError):
    """One picture could not be used.

    Attributes:
        path: the file, or a word such as ``"<bytes>"`` for a picture that has no file.
        reason: what is wrong with it, a short clause without the path.
        code: one word for the kind of failure, stored in the catalog and in JSON.
    """

    code: ClassVar[str] = "image"

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class ImageNotFoundError(ImageError, FileNotFoundError):
    """There is no file at this path."""

    code = "not_found"

    def __init__(
        self, path: str, reason: str = "no such file; check the path and try again"
    ) -> None:
        super().__init__(path, reason)


class UnreadableImageError(ImageError, OSError):
    """The operating system refused to give the bytes, or they changed while being read."""

    code = "unreadable"


class UnsupportedFormatError(ImageError, ValueError):
    """The bytes are not an image in a format that mobisearch reads."""

    code = "unsupported"


class CorruptImageError(ImageError, ValueError):
    """The bytes start like an image but are damaged or end too soon."""

    code = "corrupt"


class ImageTooLargeError(ImageError, ValueError):
    """The picture is over the limit on bytes or pixels; nothing was decoded.

    Attributes:
        limit: the limit that was passed.
        actual: the value found.
    """

    code = "too_large"

    def __init__(self, path: str, *, actual: int, limit: int, unit: str) -> None:
        self.actual = actual
        self.limit = limit
        super().__init__(
            path, f"{actual:,} {unit}, over the limit of {limit:,}; raise the limit to index it"
        )


# --------------------------------------------------------------------------- folders


class ScanError(MobisearchError):
    """A folder could not be scanned."""


class RootUnavailableError(ScanError, FileNotFoundError):
    """A folder is missing, unreadable, or empty although it held images before.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


# --------------------------------------------------------------------------- models


class ModelError(MobisearchError):
    """The network could not be used."""


class UnknownModelError(ModelError, LookupError):
    """No model has this name.

    Attributes:
        name: the name asked for.
        known: the names that exist.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"there is no model {name!r}; choose one of: {', '.join(known)}")


class WeightsNotFoundError(ModelError, FileNotFoundError):
    """The weights file is not where it should be.

    Attributes:
        path: where it was looked for.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path}: the model's weights are missing; reinstall mobisearch")


class WeightsMismatchError(ModelError, ValueError):
    """The weights file is not the one whose SHA-256 is pinned. Nothing of it was used.

    Attributes:
        path: the file.
        expected: the pinned SHA-256, hexadecimal.
        actual: the file's SHA-256, or what else is wrong with it.
    """

    def __init__(self, path: str, *, expected: str, actual: str) -> None:
        self.path = path
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{path}: expected weights with SHA-256 {expected}, got {actual}; "
            "the file is damaged or was replaced, reinstall mobisearch"
        )


class ModelMismatchError(ModelError, ValueError):
    """The index holds embeddings of another model, weights, preprocessing or pooling.

    Attributes:
        expected: what the index was built with.
        actual: what is being used now.
    """

    def __init__(self, index: str, *, expected: str, actual: str) -> None:
        self.index = index
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{index}: the index was built with {expected}, but {actual} is in use; their "
            "embeddings must not be mixed. Use the model of the index, or create a new index"
        )


class BadEmbeddingError(ModelError, ArithmeticError):
    """The network gave a row that is no direction: NaN, infinite or all zeros."""

    code: ClassVar[str] = "bad_embedding"

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        self.reason = reason
        super().__init__(f"{model}: {reason}")


# --------------------------------------------------------------------------- store


class StoreError(MobisearchError):
    """The index on disk could not be used.

    Attributes:
        path: the index directory, or the file inside it.
    """

    def __init__(self, path: str | os.PathLike[str], message: str) -> None:
        self.path = os.fspath(path)
        super().__init__(f"{self.path}: {message}")


class IndexNotFoundError(StoreError, FileNotFoundError):
    """There is no index in this directory."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(
            path, "there is no index here; make one with: mobisearch index --index DIR FOLDER"
        )


class IndexExistsError(StoreError, FileExistsError):
    """The directory already holds an index, or other files."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        message: str = "an index exists here already; open it, or choose another directory",
    ) -> None:
        super().__init__(path, message)


class IndexFormatError(StoreError, ValueError):
    """The catalog is not one of ours, or a newer mobisearch wrote it. It was left untouched."""


class IndexDamagedError(StoreError, ValueError):
    """The catalog is corrupt."""


class IndexLockedError(StoreError, BlockingIOError):
    """Another process is writing to this index."""

    def __init__(self, path: str | os.PathLike[str], holder: str) -> None:
        self.holder = holder
        super().__init__(path, f"another process is writing ({holder}); try again when it is done")


class IndexReadOnlyError(StoreError, PermissionError):
    """The index cannot be written or created here."""


class IndexClosedError(StoreError, ValueError):
    """The index was used after it had been closed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, "this index object is closed; open it again")


class StorageError(StoreError, OSError):
    """The disk is full or failing; what was committed before stays."""


# --------------------------------------------------------------------------- queries


class QueryError(MobisearchError):
    """The question makes no sense."""


class InvalidResultCountError(QueryError, ValueError):
    """``k`` is not a whole number of at least 1."""

    def __init__(self, k: object) -> None:
        self.k = k
        super().__init__(f"k must be a whole number of at least 1, got {k!r}")


class InvalidVectorError(QueryError, ValueError):
    """A query vector has the wrong shape, or no direction."""


class UnknownImageIdError(QueryError, LookupError):
    """No image in the index has this id."""

    def __init__(self, image_id: int) -> None:
        self.image_id = image_id
        super().__init__(f"there is no image with id {image_id} in the index")


class ReportError(MobisearchError, OSError):
    """A report or contact sheet cannot be written; nothing was changed.

    Attributes:
        path: the file that was to be written.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class NotYetError(MobisearchError, NotImplementedError):
    """The name is fixed, the function behind it is not there yet."""
