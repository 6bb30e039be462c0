"""Whitened rows: in memory where there is room, else in a temporary file that is read in blocks."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Protocol

import numpy as np

from mobisearch.errors import StorageError, StoreError
from mobisearch.types import Embeddings

_MAX_MEMORY_BYTES = 256 << 20
_VALUE_BYTES = 4


class Rows(Protocol):
    """Rows of the same length that are read in ranges."""

    dim: int

    def __len__(self) -> int: ...

    def block(self, start: int, end: int) -> Embeddings:
        """Return rows from start to before end: float32, shape (end - start, dim)."""


class MemoryRows:
    """Rows in memory."""

    def __init__(self, rows: Embeddings) -> None:
        self._rows = rows
        self.dim = rows.shape[1]

    def __len__(self) -> int:
        return len(self._rows)

    def block(self, start: int, end: int) -> Embeddings:
        """See :class:`Rows`."""
        return self._rows[start:end]


class SpooledRows:
    """Rows in a temporary file without a name."""

    def __init__(self, file: IO[bytes], n: int, dim: int) -> None:
        self._file = file
        self._n = n
        self.dim = dim

    def __len__(self) -> int:
        return self._n

    def block(self, start: int, end: int) -> Embeddings:
        """See :class:`Rows`."""
        n_bytes = _VALUE_BYTES * self.dim
        self._file.seek(start * n_bytes)
        data = self._file.read((end - start) * n_bytes)
        return np.frombuffer(data, np.float32).reshape(-1, self.dim)


@contextlib.contextmanager
def hold_rows(
    blocks: Iterable[Embeddings], n: int, dim: int, *, max_bytes: int = _MAX_MEMORY_BYTES
) -> Iterator[Rows]:
    """Hold n rows, given in blocks.

    Raises:
        StorageError: there is no room for the temporary file.
    """
    if _VALUE_BYTES * n * dim <= max_bytes:
        yield MemoryRows(np.concatenate([np.empty((0, dim), np.float32), *blocks]))
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile(prefix="mobisearch-"))
            for block in blocks:
                file.write(np.ascontiguousarray(block, np.float32).data)
            file.flush()
        except StoreError:
            raise
        except OSError as error:
            needed = f"{_VALUE_BYTES * n * dim // 1_000_000:,} MB"
            raise StorageError(
                tempfile.gettempdir(),
                f"the temporary file for comparing {n:,} images cannot be written "
                f"({error.strerror}); it takes {needed}: free some space, or set TMPDIR to "
                "another disk",
            ) from error
        yield SpooledRows(file, n, dim)
