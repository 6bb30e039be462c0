"""Looks: what copies are found by, made of each content when copies are first looked for.

A look is the mean of a picture's embeddings in four orientations. The network hardly tells a
picture from its mirror image, so that this stands for all eight.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from mobisearch.duplicates.verification import THUMBNAIL_PX, THUMBNAIL_QUALITY
from mobisearch.embedding import Embedder
from mobisearch.imaging import (
    Halt,
    PreparedImage,
    decode_jpeg,
    encode_jpeg,
    resize_pixels,
)
from mobisearch.pipeline import EmbeddedFile, FailedFile, KnownFile, embed_files
from mobisearch.store import Catalog, ContentPicture, LookRow
from mobisearch.types import (
    Embeddings,
    FileFailure,
    ImageRecord,
    OnProgress,
    Pixels,
    Progress,
    UnitRows,
    WholePicture,
)

LOOK_VERSION = 1
"""Of the way in which looks and thumbnails are made; raised with any change of it."""

LOOK_PX = 192
"""Side of the square that the whole picture is squeezed to. Of 3,000 altered copies of 150 photos
among 300, at one false candidate for every hundred images, the network found 96.3 % at 128, 97.8 %
at 160 and 98.4 % at 192; four orientations did as well as eight, one at 160 found 91.3 %."""

_N_TURNS = 4
_LOOKS_PER_COMMIT = 256


class LookEmbedder:
    """Makes looks of files, in the pipeline that embeds them."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder.resized(LOOK_PX)
        self._side = self._embedder.spec.preprocessing.crop_px
        self.batch_size = embedder.batch_size
        self.settings = embedder.settings

    @property
    def dim(self) -> int:
        """Values in a look."""
        return self._embedder.dim

    def prepare_file(self, data: bytes, *, path: str, halt: Halt | None = None) -> PreparedImage:
        """Decode the bytes of a file and scale all of it down; see ``Embedder``."""
        whole = self._embedder.prepare_file(
            data, path=path, halt=halt, framing=WholePicture(THUMBNAIL_PX)
        )
        thumbnail = encode_jpeg(whole.pixels, quality=THUMBNAIL_QUALITY)
        pixels = decode_jpeg(thumbnail, name=path, max_px=THUMBNAIL_PX)
        return PreparedImage(self._squeeze(pixels), whole.facts, thumbnail)

    def decode_file(
        self, data: bytes, framing: WholePicture, *, path: str, exact: bool
    ) -> PreparedImage:
        """Decode the bytes of a file; see ``Embedder.prepare_file``."""
        return self._embedder.prepare_file(data, path=path, framing=framing, exact=exact)

    def embed_prepared(self, images: Sequence[PreparedImage]) -> UnitRows:
        """Return the looks of prepared images, shape (n, d)."""
        return self._look(np.stack([image.pixels for image in images]))

    def embed_thumbnails(self, thumbnails: Sequence[Pixels]) -> Embeddings:
        """Return the looks of thumbnails, uint8, shape (h, w, 3) each."""
        parts = [np.empty((0, self.dim), np.float32)]
        for start in range(0, len(thumbnails), self.batch_size):
            some = thumbnails[start : start + self.batch_size]
            parts.append(self._look(np.stack([self._squeeze(pixels) for pixels in some])).rows)
        return np.concatenate(parts)

    def _squeeze(self, pixels: Pixels) -> Pixels:
        return resize_pixels(pixels, self._side, self._side)

    def _look(self, squares: Pixels) -> UnitRows:
        turned = [np.rot90(squares, turn, axes=(1, 2)) for turn in range(_N_TURNS)]
        rows = self._embedder.embed_pixels(np.concatenate(turned))  # (4 n, d)
        mean = rows.reshape(_N_TURNS, len(squares), -1).mean(axis=0, dtype=np.float64)
        return UnitRows.of(mean)


@dataclass(slots=True)
class Looks:
    """The contents among which copies are looked for, with their looks.

    Attributes:
        ids: of contents, by SHA-256, which no change of names, order or ids alters: the place of a
            content here is what it goes by in everything that follows.
        sha256s: 32 bytes each, in the same order.
        counts: of contents with several images, how many.
        failures: of contents that could not be looked at, a file each.
        is_complete: False if the making of looks was stopped.
    """

    catalog: Catalog
    dim: int
    ids: list[int] = field(default_factory=list)
    sha256s: list[bytes] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    failures: list[FileFailure] = field(default_factory=list)
    is_complete: bool = True
    _kept: dict[int, LookRow] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the contents that have been looked at."""
        return len(self.ids)

    @property
    def n_images(self) -> int:
        """Count the images of those contents."""
        return sum(self.counts.get(number, 1) for number in self.ids)

    def doubles(self) -> list[int]:
        """Return the places of contents with several images."""
        return [place for place, number in enumerate(self.ids) if number in self.counts]

    def images(self, places: Sequence[int]) -> dict[int, list[ImageRecord]]:
        """Return the images of contents, by place, ordered by id."""
        found = self.catalog.looks.images([self.ids[place] for place in places])
        return {place: found[self.ids[place]] for place in places if self.ids[place] in found}

    def keep(self, rows: Sequence[LookRow], *, is_writable: bool) -> None:
        """Store looks, or keep them in memory."""
        if is_writable:
            self.catalog.looks.put(rows, version=LOOK_VERSION)
        else:
            self._kept |= {row.content_id: row for row in rows}

    def restrict(self, content_ids: set[int]) -> None:
        """Leave out all contents but these."""
        kept = [n for n, number in enumerate(self.ids) if number in content_ids]
        self.ids = [self.ids[n] for n in kept]
        self.sha256s = [self.sha256s[n] for n in kept]

    def rows(self, places: Sequence[int]) -> Embeddings:
        """Return the looks of n places: float32, shape (n, d)."""
        wanted = [self.ids[place] for place in places]
        ids, rows = self.catalog.looks.rows(wanted, dim=self.dim)
        by_id = dict(zip(ids, rows, strict=True))
        for number in wanted:
            if number in self._kept:
                by_id[number] = self._kept[number].row.astype(np.float16).astype(np.float32)
        blank = np.zeros(self.dim, np.float32)  # one that is damaged is like nothing
        return np.stack([by_id.get(number, blank) for number in wanted] or [blank])[: len(wanted)]

    def pictures(self, places: Sequence[int]) -> dict[int, ContentPicture]:
        """Return thumbnails by place, with what the files say; those that are gone are left out."""
        place_of = {self.ids[place]: place for place in places}
        found = self.catalog.looks.pictures(list(place_of), kept=self._kept)
        return {place_of[row.content_id]: row for row in found}


def make_looks(
    looks: Looks,
    embedder: LookEmbedder,
    *,
    is_writable: bool,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Make the looks that are missing, and leave out of ``looks`` what cannot be looked at.

    Stored in small steps; stopped, what is done stays done.
    """
    stop = stop or threading.Event()
    known = looks.catalog.looks.looked_at(LOOK_VERSION)
    wanted = [number for number in looks.ids if number not in known]
    progress = Progress(0, len(wanted), 0, 0, "looking")
    sha256_of = dict(zip(looks.ids, looks.sha256s, strict=True))
    done: set[int] = set()
    failed: dict[int, FileFailure] = {}
    attempt = 0
    while wanted and not stop.is_set():
        paths = looks.catalog.looks.paths(wanted, attempt)
        if not paths:
            break
        attempt += 1
        for batch in _batches(_look_at(paths, sha256_of, embedder, stop), _LOOKS_PER_COMMIT):
            rows = [outcome for _, outcome in batch if isinstance(outcome, LookRow)]
            for number, outcome in batch:
                if isinstance(outcome, FileFailure):
                    failed.setdefault(number, outcome)
            looks.keep(rows, is_writable=is_writable)
            done |= {row.content_id for row in rows}
            progress = dataclasses.replace(
                progress,
                done=min(len(done) + len(failed.keys() - done), progress.total),
                failed=len(failed.keys() - done),
                stored=len(done) if is_writable else 0,
            )
            if on_progress is not None:
                on_progress(progress)
        wanted = [number for number in wanted if number not in done]
    looks.is_complete = not stop.is_set()
    looks.failures += [failed[number] for number in sorted(failed.keys() - done)]
    looks.restrict(known | done)


def _look_at(
    paths: dict[int, str],
    sha256_of: dict[int, bytes],
    embedder: LookEmbedder,
    stop: threading.Event,
) -> Iterator[tuple[int, LookRow | FileFailure]]:
    """Give the look of each content, made of the file at its path, or why there is none."""
    started: list[int] = []

    def wanted_paths() -> Iterator[str]:
        for number, path in paths.items():
            if stop.is_set():
                return
            started.append(number)
            yield path

    outcomes = embed_files(wanted_paths(), embedder)
    try:
        for place, outcome in enumerate(outcomes):
            number = started[place]
            if isinstance(outcome, FailedFile):
                yield number, outcome.failure
            elif isinstance(outcome, KnownFile) or outcome.sha256 != sha256_of[number].hex():
                yield number, _changed(outcome)
            else:
                yield number, LookRow(number, outcome.embedding, outcome.thumbnail)
    finally:
        outcomes.close()


def _changed(outcome: EmbeddedFile | KnownFile) -> FileFailure:
    reason = "the file has changed since it was indexed; bring the index up to date first"
    return FileFailure(outcome.path, "changed", reason)


def _batches(
    values: Iterable[tuple[int, LookRow | FileFailure]], n: int
) -> Iterator[list[tuple[int, LookRow | FileFailure]]]:
    remaining = iter(values)
    while batch := list(itertools.islice(remaining, n)):
        yield batch
