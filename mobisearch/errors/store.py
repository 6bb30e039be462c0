"""Errors about the index on disk."""

from __future__ import annotations

import os
import shlex

from mobisearch.errors.ancestor import MobisearchError


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
        directory = shlex.quote(os.fspath(path))
        super().__init__(
            path,
            f"there is no index here; make one with: mobisearch index --index {directory} FOLDER",
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
