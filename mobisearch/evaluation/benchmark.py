"""What mobisearch does with somebody's own photos on this machine: speed, and what is found again.

Photos are only read. A temporary index is made and removed.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.embedding import Embedder
from mobisearch.errors import ModelError, TooFewImagesError
from mobisearch.evaluation.alterations import ALTERATIONS
from mobisearch.evaluation.metrics import micro_average_precision, recall_at
from mobisearch.evaluation.samples import alter_all, sample_photos
from mobisearch.index import ImageIndex
from mobisearch.models import DEFAULT_MODEL, ModelSpec
from mobisearch.pipeline import EmbeddedFile, FailedFile, embed_files
from mobisearch.types import DecodeSettings, Embeddings, Pixels, RuntimeSettings

_NETWORK_PICTURES = 64
_ROUNDS = 3
_COPIED = 100
"""Photos that get altered copies: 12 each."""

_QUERIES = 50
_REFERENCE = "f32"


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What was measured. Rates are images a second; every one is of this machine as it was then.

    Attributes:
        photos: how many could be used, byte-identical ones counted once; ``failed`` those that
            could not.
        model: what was measured.
        precision: what the network computed in.
        decode_rate: reading, hashing and decoding alone, in all worker processes.
        network_rates: the network alone, by precision, the median of several rounds.
        index_rate: all of it, stored: what ``index`` does.
        query_ms: of one search, picture in, matches out, with everything loaded; the median.
        query_ms_p95: what one in twenty searches takes at least.
        found_first: by alteration, the share of copies that find their original first.
        micro_average_precision: of finding the originals of all copies.
        lost: what of it is lost to the reference path, full decoding in f32.
    """

    photos: int
    failed: int
    megabytes: float
    model: str
    precision: str
    decode_rate: float
    network_rates: dict[str, float]
    index_rate: float
    query_ms: float
    query_ms_p95: float
    found_first: dict[str, float]
    micro_average_precision: float
    lost: float


def run_benchmark(
    folders: Sequence[str],
    *,
    n_photos: int = 500,
    model: str | ModelSpec = DEFAULT_MODEL,
    runtime: RuntimeSettings | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> BenchmarkReport:
    """Measure a sample of the photos in some folders.

    Args:
        folders: real absolute paths.
        n_photos: how many at most; the same ones each time.
        model: a name, or a record of one's own.
        runtime: where the network runs; None takes the default.
        on_step: told what is being measured.

    Raises:
        TooFewImagesError: fewer than two photos can be used.
        ModelError: the network cannot be used.
    """
    paths = sample_photos(folders, n_photos)
    embedder = Embedder(model, runtime=runtime)
    embedder.load()
    on_step(f"decoding {len(paths):,} photos")
    usable, n_failed, decode_rate = _measure_decoding(paths, embedder)
    if len(usable) < 2:
        raise TooFewImagesError(len(usable), needed=2)
    with tempfile.TemporaryDirectory(prefix="mobisearch-bench-") as folder:
        on_step("indexing them")
        with ImageIndex.create(os.path.join(folder, "index"), embedder) as index:
            started = time.perf_counter()
            index.add(usable)
            index_rate = len(usable) / (time.perf_counter() - started)
            on_step("searching")
            times = _measure_queries(index, usable)
    on_step("the network by itself")
    network_rates = _measure_network(embedder, usable, runtime or RuntimeSettings())
    on_step("altered copies")
    chosen = usable[:_COPIED]
    scores, is_match = _score_copies(chosen, usable, embedder)
    exact = Embedder(embedder.spec, runtime=_in_f32(runtime), settings=DecodeSettings(exact=True))
    reference, _ = _score_copies(chosen, usable, exact)
    precision = micro_average_precision(scores, is_match)
    by_kind = np.split(np.arange(len(scores)), len(ALTERATIONS))
    return BenchmarkReport(
        photos=len(usable),
        failed=n_failed,
        megabytes=round(sum(os.path.getsize(path) for path in usable) / 1e6, 1),
        model=embedder.spec.name,
        precision=embedder.precision,
        decode_rate=round(decode_rate, 1),
        network_rates=network_rates,
        index_rate=round(index_rate, 1),
        query_ms=round(1e3 * statistics.median(times), 2),
        query_ms_p95=round(1e3 * float(np.quantile(times, 0.95)), 2),
        found_first={
            name: round(recall_at(scores[rows], is_match[rows], 1), 4)
            for name, rows in zip(ALTERATIONS, by_kind, strict=True)
        },
        micro_average_precision=round(precision, 4),
        lost=round(micro_average_precision(reference, is_match) - precision, 4),
    )


class _NoNetwork:
    """Takes no time, so that what is measured is everything but the network."""

    def __init__(self, dim: int) -> None:
        self._dim = dim

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        return np.ones((len(pixels), self._dim), np.float32)


def _measure_decoding(paths: list[str], embedder: Embedder) -> tuple[list[str], int, float]:
    """Return the paths that could be decoded, how many could not, and images a second."""
    without = Embedder(embedder.spec, runtime=_NoNetwork(embedder.dim), settings=embedder.settings)
    for _ in embed_files(paths[:4], without):  # starts the workers
        pass
    started = time.perf_counter()
    outcomes = list(embed_files(paths, without))
    seconds = time.perf_counter() - started
    usable = [found.path for found in outcomes if isinstance(found, EmbeddedFile)]
    n_failed = sum(isinstance(found, FailedFile) for found in outcomes)
    return usable, n_failed, len(usable) / seconds


def _measure_queries(index: ImageIndex, paths: list[str]) -> list[float]:
    """Return the seconds of single searches, the first one left out."""
    times = []
    for path in [paths[0], *paths[:_QUERIES]]:
        started = time.perf_counter()
        index.search(path, k=10)
        times.append(time.perf_counter() - started)
    return times[1:]


def _measure_network(
    embedder: Embedder, paths: list[str], runtime: RuntimeSettings
) -> dict[str, float]:
    """Return images a second of each precision that can be had, measured in turns."""
    shown = [path for _, path in zip(range(_NETWORK_PICTURES), paths, strict=False)]
    pixels = np.stack([embedder.prepare(path).pixels for path in shown])
    others: dict[str, Embedder] = {}
    for precision in ("f32", "bf16", "int8"):
        settings = dataclasses.replace(runtime, precision=precision)
        other = Embedder(embedder.spec, runtime=settings)
        try:
            other.load()
        except ModelError:
            continue
        others[precision] = other
    seconds: dict[str, list[float]] = {precision: [] for precision in others}
    for _ in range(_ROUNDS + 1):
        for precision, other in others.items():
            started = time.perf_counter()
            other.embed_pixels(pixels)
            seconds[precision].append(time.perf_counter() - started)
    return {
        precision: round(len(pixels) / statistics.median(times[1:]), 1)
        for precision, times in seconds.items()
    }


def _score_copies(
    copied: list[str], paths: list[str], embedder: Embedder
) -> tuple[Embeddings, NDArray[np.bool_]]:
    """Return the scores of altered copies to all photos, (c, n), and which belong together.

    Rows are by alteration, then by photo.
    """
    photos = embedder.embed(paths)  # (n, d)
    copies = embedder.embed(list(alter_all(copied)))  # (c, d)
    originals = np.tile(np.arange(len(copied)), len(ALTERATIONS))
    is_match: NDArray[np.bool_] = originals[:, None] == np.arange(len(paths))[None]
    scores: Embeddings = copies @ photos.T
    return scores, is_match


def _in_f32(runtime: RuntimeSettings | None) -> RuntimeSettings:
    return dataclasses.replace(runtime or RuntimeSettings(), precision=_REFERENCE)
