"""Paths to embeddings, streamed: reading, decoding, embedding and what the caller does overlap.

Three stages: threads that read, hash and have decoded; one thread that embeds; and the caller, who
takes outcomes in the order of the paths. Failures are data here. Nothing is stored here.
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from mobisearch.capacity import count_workers
from mobisearch.errors import ImageError, NoEmbeddingError
from mobisearch.imaging import FileContent, Halt, PreparedImage, read_file
from mobisearch.types import (
    DecodeSettings,
    Embeddings,
    FileFailure,
    FileStamp,
    ImageFacts,
    UnitRows,
)

_BATCHES_AHEAD = 3
"""One that the caller takes from, one in the network, one that is decoded meanwhile."""


class FileEmbedder(Protocol):
    """What makes embeddings of files, such as an :class:`mobisearch.Embedder`."""

    batch_size: int
    settings: DecodeSettings

    def prepare_file(self, data: bytes, *, path: str, halt: Halt | None = None) -> PreparedImage:
        """Decode the bytes of a file; called from several threads."""

    def embed_prepared(self, images: Sequence[PreparedImage]) -> UnitRows:
        """Return a row for each of several images; NaN throughout where there is none."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file with its embedding, float32, shape (d,), and what it says of itself.

    Attributes:
        norm: how long the embedding was before it was made a unit vector.
        thumbnail: the whole picture as a small JPEG, where the embedder makes one.
    """

    path: str
    stamp: FileStamp
    sha256: str
    facts: ImageFacts
    embedding: Embeddings
    norm: float
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file whose content has an embedding already, or had one made earlier in this run."""

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

    @property
    def sha256(self) -> str:
        return self.content.sha256


def embed_files(
    paths: Iterable[str],
    embedder: FileEmbedder,
    *,
    is_known: Callable[[str], bool] = lambda _: False,
    n_workers: int | None = None,
) -> Generator[FileOutcome]:
    """Read, decode and embed files; give one outcome for each path, in the order of the paths.

    Of files with the same content the first is embedded, and the others are known, wherever they
    are: what comes out depends on the paths and files only, not on how fast each stage is.

    The network takes what is decoded when it is free, at most ``embedder.batch_size`` images at
    once, and waits for no more: with large pictures the batches are small. At most ``n_workers``
    files are held as bytes, and three batches as pixels or outcomes. ``paths`` is read by the
    caller's thread, as outcomes are taken. However the generator ends, its threads end with it:
    what is being decoded is given up, and what is in the network is waited for.

    Args:
        is_known: says whether the content of this SHA-256 has an embedding already. Called from the
            worker threads.
        n_workers: decoding threads; None takes one for each processor that may be used, fewer where
            memory is short.

    Raises:
        ModelError: the network cannot be loaded.
    """
    workers = n_workers or count_workers()
    remaining = iter(paths)
    stages = _Stages(embedder, is_known, workers)
    n_ahead = 0
    try:
        stages.start()
        while True:
            room = _BATCHES_AHEAD * embedder.batch_size + workers - n_ahead
            for path in itertools.islice(remaining, room):
                stages.put(path)
                n_ahead += 1
            if not n_ahead:
                return
            yield stages.take()
            n_ahead -= 1
    finally:
        stages.close()


class _Stages:
    """The threads of one run, and what goes from one to the next."""

    def __init__(
        self, embedder: FileEmbedder, is_known: Callable[[str], bool], n_workers: int
    ) -> None:
        self._embedder = embedder
        self._was_known = is_known
        self._embedded: set[str] = set()  # SHA-256
        self._halt = Halt()
        self._decoders = ThreadPoolExecutor(n_workers, thread_name_prefix="mobisearch-decode")
        # A daemon, in case that interrupts keep close() from being reached.
        self._network = threading.Thread(target=self._run, name="mobisearch-embed", daemon=True)
        self._changed = threading.Condition()
        self._decoding: deque[Future[_Decoded | FileOutcome]] = deque()
        self._finished: queue.SimpleQueue[FileOutcome | BaseException] = queue.SimpleQueue()

    def start(self) -> None:
        """Let the network wait for the first file."""
        self._network.start()

    def put(self, path: str) -> None:
        """Begin with a file."""
        future = self._decoders.submit(_decode, path, self._embedder, self._is_known, self._halt)
        self._decoding.append(future)
        future.add_done_callback(self._notify)

    def take(self) -> FileOutcome:
        """Wait for the outcome of the next file, and return it, or raise what ended the run."""
        outcome = self._finished.get()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def close(self) -> None:
        """End all threads."""
        self._halt.set()
        self._notify()
        self._decoders.shutdown(wait=False, cancel_futures=True)
        if self._network.ident is not None:
            self._network.join()
        self._decoders.shutdown(wait=True)

    def _run(self) -> None:
        """Embed what is decoded until halted. What ends it is for the caller to see."""
        try:
            while self._embed(self._wait_for_decoded()):
                pass
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._finished.put(error)

    def _embed(self, decoded: list[Future[_Decoded | FileOutcome]]) -> bool:
        """Hand on the outcomes of what is decoded, and say whether there were any.

        Raises:
            Exception: what reading or decoding one of them ended with; those before it are handed
                on first.
        """
        sound = list(itertools.takewhile(lambda future: not future.exception(), decoded))
        for outcome in self._outcomes([future.result() for future in sound]):
            self._finished.put(outcome)
        for failed in decoded[len(sound) :]:
            failed.result()
        return bool(decoded)

    def _outcomes(self, batch: list[_Decoded | FileOutcome]) -> Iterator[FileOutcome]:
        """Embed each content of a batch that is new, and give the outcomes of all of it."""
        new: dict[str, _Decoded] = {}
        for entry in batch:
            if isinstance(entry, _Decoded) and entry.sha256 not in self._embedded:
                new.setdefault(entry.sha256, entry)
        rows: dict[str, tuple[Embeddings, float]] = {}
        if new:
            found = self._embedder.embed_prepared([entry.image for entry in new.values()])
            pairs = zip(found.rows, found.norms.tolist(), strict=True)
            rows = dict(zip(new, pairs, strict=True))
        for entry in batch:
            if not isinstance(entry, _Decoded):
                yield entry
            elif entry.sha256 in self._embedded:
                yield KnownFile(entry.path, entry.content.stamp, entry.sha256)
            else:
                outcome = _finish(entry, *rows[entry.sha256])
                if isinstance(outcome, EmbeddedFile):
                    self._embedded.add(entry.sha256)
                yield outcome

    def _is_known(self, sha256: str) -> bool:
        return sha256 in self._embedded or self._was_known(sha256)

    def _wait_for_decoded(self) -> list[Future[_Decoded | FileOutcome]]:
        """Wait for the next file, and return it with those after it that are decoded too.

        Returns:
            At most a batch, in the order of the paths; none if the run was halted.
        """
        with self._changed:
            while not (self._halt.is_set or (self._decoding and self._decoding[0].done())):
                self._changed.wait()
        decoded: list[Future[_Decoded | FileOutcome]] = []
        if not self._halt.is_set:
            while self._decoding and self._decoding[0].done():
                decoded.append(self._decoding.popleft())
                if len(decoded) == self._embedder.batch_size:
                    break
        return decoded

    def _notify(self, _: object = None) -> None:
        with self._changed:
            self._changed.notify()


def _decode(
    path: str, embedder: FileEmbedder, is_known: Callable[[str], bool], halt: Halt
) -> _Decoded | FileOutcome:
    stamp = None
    try:
        content = read_file(path, max_bytes=embedder.settings.max_bytes)
        stamp = content.stamp
        if is_known(content.sha256):
            return KnownFile(path, stamp, content.sha256)
        image = embedder.prepare_file(content.data, path=path, halt=halt)
    except ImageError as error:
        return _failed(error, stamp)
    # The bytes are not needed any more; only their hash and stamp travel on.
    return _Decoded(path, FileContent(b"", content.sha256, stamp), image)


def _failed(error: ImageError, stamp: FileStamp | None) -> FailedFile:
    return FailedFile(error.path, stamp, FileFailure(error.path, error.code, error.reason))


def _finish(entry: _Decoded, row: Embeddings, norm: float) -> FileOutcome:
    stamp = entry.content.stamp
    if math.isnan(norm):
        return _failed(NoEmbeddingError(entry.path), stamp)
    image = entry.image
    return EmbeddedFile(entry.path, stamp, entry.sha256, image.facts, row, norm, image.thumbnail)
