"""Paths to embeddings, streamed: read and decode in threads, embed in batches, order kept.

Failures are data here. Nothing is stored here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np

from mobisearch.embedding import Embedder
from mobisearch.errors import ImageError, NoEmbeddingError
from mobisearch.imaging import FileContent, PreparedImage, read_file
from mobisearch.types import Embeddings, FileFailure, FileStamp, ImageFacts


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file with its embedding, float32, shape (d,), and what it says of itself."""

    path: str
    stamp: FileStamp
    sha256: str
    facts: ImageFacts
    embedding: Embeddings


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file whose content has an embedding already; it was read and hashed, not decoded."""

    path: str
    stamp: FileStamp
    sha256: str


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that could not be used, and why. ``stamp`` is None if it could not even be read."""

    path: str
    stamp: FileStamp | None
    failure: FileFailure


FileOutcome: TypeAlias = EmbeddedFile | KnownFile | FailedFile


@dataclass(frozen=True, slots=True)
class _Decoded:
    path: str
    content: FileContent
    image: PreparedImage


def embed_files(
    paths: Iterable[str],
    embedder: Embedder,
    *,
    is_known: Callable[[str], bool] = lambda _: False,
    n_workers: int | None = None,
) -> Generator[FileOutcome]:
    """Read, decode and embed files; give one outcome for each path, in the order of the paths.

    At most ``n_workers`` files are held as bytes, and three batches as pixels.

    Args:
        is_known: says whether the content of this SHA-256 has an embedding already. Called from the
            worker threads.
        n_workers: decoding threads; None takes one for each processor.

    Raises:
        ModelError: the network cannot be loaded.
    """
    workers = n_workers or _processors()
    remaining = iter(paths)
    pending: deque[Future[_Decoded | FileOutcome]] = deque()
    executor = ThreadPoolExecutor(workers, thread_name_prefix="mobisearch-decode")
    try:
        batch: list[_Decoded | FileOutcome] = []
        while True:
            room = 2 * embedder.batch_size + workers - len(pending)
            for path in islice(remaining, max(room, 0)):
                pending.append(executor.submit(_decode, path, embedder, is_known))
            if not pending:
                break
            batch.append(pending.popleft().result())
            if len(batch) >= embedder.batch_size:
                yield from _embed_batch(batch, embedder)
                batch = []
        yield from _embed_batch(batch, embedder)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _decode(
    path: str, embedder: Embedder, is_known: Callable[[str], bool]
) -> _Decoded | FileOutcome:
    stamp = None
    try:
        content = read_file(path, max_bytes=embedder.settings.max_bytes)
        stamp = content.stamp
        if is_known(content.sha256):
            return KnownFile(path, stamp, content.sha256)
        image = embedder.prepare_file(content.data, path=path)
    except ImageError as error:
        return _failed(error, stamp)
    # The bytes are not needed any more; only their hash and stamp travel on.
    return _Decoded(path, FileContent(b"", content.sha256, stamp), image)


def _failed(error: ImageError, stamp: FileStamp | None) -> FailedFile:
    return FailedFile(error.path, stamp, FileFailure(error.path, error.code, error.reason))


def _embed_batch(batch: list[_Decoded | FileOutcome], embedder: Embedder) -> Iterator[FileOutcome]:
    decoded = [entry for entry in batch if isinstance(entry, _Decoded)]
    rows = iter(
        embedder.embed_pixels(np.stack([entry.image.pixels for entry in decoded]))
        if decoded
        else ()
    )
    for entry in batch:
        yield _finish(entry, next(rows)) if isinstance(entry, _Decoded) else entry


def _finish(entry: _Decoded, row: Embeddings) -> FileOutcome:
    stamp = entry.content.stamp
    if np.isnan(row).any():
        return _failed(NoEmbeddingError(entry.path), stamp)
    return EmbeddedFile(entry.path, stamp, entry.content.sha256, entry.image.facts, row)
