"""Errors about single pictures and folders of them."""

from __future__ import annotations

from typing import ClassVar

from mobisearch.errors.ancestor import MobisearchError


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


class TruncatedImageError(CorruptImageError):
    """The file ends before the picture does; ``DecodeSettings.tolerant`` takes what there is."""

    code = "truncated"


class DecodeMemoryError(ImageError, RuntimeError):
    """Decoding needs more memory than ``DecodeSettings.max_memory_bytes``, or than there is."""

    code = "memory"


class DecodeTimeoutError(ImageError, TimeoutError):
    """Decoding took too long and was ended.

    Attributes:
        deadline_seconds: the time that it had.
    """

    code = "timeout"

    def __init__(self, path: str, deadline_seconds: float) -> None:
        self.deadline_seconds = deadline_seconds
        super().__init__(path, f"decoding took longer than {deadline_seconds:g} seconds")


class DecoderCrashedError(ImageError, RuntimeError):
    """The process that decoded this picture died of it, twice. No other picture is affected."""

    code = "crashed"


class ImageTooLargeError(ImageError, ValueError):
    """The picture is over the limit on bytes or pixels; nothing was decoded.

    Attributes:
        limit: the limit that was passed.
        actual: the value found.
        unit: what both count, ``"bytes"`` or ``"pixels"``.
    """

    code = "too_large"

    def __init__(self, path: str, *, actual: int, limit: int, unit: str) -> None:
        self.actual = actual
        self.limit = limit
        self.unit = unit
        super().__init__(
            path,
            f"{actual:,} {unit}, over the limit of {limit:,}; DecodeSettings can raise it",
        )


class NoEmbeddingError(ImageError, ArithmeticError):
    """The network made NaN, infinity or nothing but zeros of this picture."""

    code = "no_embedding"

    def __init__(
        self, path: str, reason: str = "the network gave no usable embedding for this picture"
    ) -> None:
        super().__init__(path, reason)


class WorkerStartError(MobisearchError, RuntimeError):
    """No process for decoding can be started. No picture has a part in that.

    Attributes:
        reason: what the system, or the process, said.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"no process for decoding pictures can be started ({reason}); try again with more "
            "memory, or decode in this process with Embedder(isolated=False)"
        )


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
