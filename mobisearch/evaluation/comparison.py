"""Models beside one another on this machine: how long each takes, and how well it finds copies."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mobisearch.embedding import Embedder
from mobisearch.errors import (
    ImageError,
    PrecisionUnavailableError,
    RuntimeUnavailableError,
    TooFewImagesError,
)
from mobisearch.evaluation.alterations import ALTERATIONS
from mobisearch.evaluation.metrics import micro_average_precision, recall_at
from mobisearch.evaluation.samples import alter_all, sample_photos
from mobisearch.imaging import ImageSource
from mobisearch.models import ModelSpec
from mobisearch.runtimes import Runtime, load_runtime
from mobisearch.types import Pixels, RuntimeSettings, WeightsSettings

WAYS = (
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("torch", "f32"),
    ("torch", "int8"),
)
"""Every runtime with every precision that it can have."""

BATCHES = (1, 4, 16, 32)
_TIMED = 32
_ROUNDS = 3

GOOD_ENOUGH = 0.005
"""Of the micro-average precision: who loses no more to the best one is chosen by speed. Between
runtimes and precisions of one model the differences are of this size."""

_DEFAULTS = WeightsSettings()


@dataclass(frozen=True, slots=True)
class ModelMeasurement:
    """One model in one runtime and precision, on this machine as it was then.

    Attributes:
        ms_alone: of one picture by itself, the median.
        images_per_second: in the batch in which it is fastest, ``best_batch``.
        micro_average_precision: of finding the originals of altered copies; None without photos.
        found_first: share of the copies that find their original first.
    """

    model: str
    runtime: str
    precision: str
    ms_alone: float
    images_per_second: float
    best_batch: int
    micro_average_precision: float | None = None
    found_first: float | None = None

    @property
    def label(self) -> str:
        """Model, runtime and precision, as they are chosen."""
        return f"{self.model} with {self.runtime} in {self.precision}"


def measure_models(
    specs: Sequence[ModelSpec],
    *,
    folders: Sequence[str] = (),
    n_photos: int = 100,
    weights: WeightsSettings = _DEFAULTS,
    on_step: Callable[[str], None] = lambda _: None,
) -> list[ModelMeasurement]:
    """Measure models in every runtime and precision that can be had here.

    Args:
        folders: of photos, which are only read; with none, only times are measured.
        n_photos: how many at most; each gets twelve altered copies.
        on_step: told what is being measured.

    Raises:
        TooFewImagesError: fewer than two photos can be used.
        ModelError: weights cannot be used.
    """
    usable = _usable(sample_photos(folders, n_photos), specs[0]) if folders and specs else []
    if folders and len(usable) < 2:
        raise TooFewImagesError(len(usable), needed=2)
    copies = list(alter_all(usable))
    measured = []
    for spec in specs:
        shown = _prepare(spec, usable) if usable else _noise(spec)
        altered = _prepare(spec, copies)
        for runtime, precision in WAYS:
            try:
                network = load_runtime(spec, RuntimeSettings(runtime, precision, weights=weights))
            except (RuntimeUnavailableError, PrecisionUnavailableError):
                continue
            on_step(f"{spec.name} with {runtime} in {precision}")
            rates = _measure_rates(network, shown)
            best = max(rates, key=lambda batch: rates[batch])
            quality = _measure_quality(spec, network, shown, altered) if usable else (None, None)
            measured.append(
                ModelMeasurement(
                    model=spec.name,
                    runtime=runtime,
                    precision=precision,
                    ms_alone=round(1e3 / rates[1], 3),
                    images_per_second=round(rates[best], 1),
                    best_batch=best,
                    micro_average_precision=quality[0],
                    found_first=quality[1],
                )
            )
    return measured


def recommend(measured: Sequence[ModelMeasurement]) -> ModelMeasurement | None:
    """Return the fastest of those that find copies nearly as well as the best; None of none.

    Without photos it is simply the fastest.
    """
    precisions = [m.micro_average_precision for m in measured]
    known = [precision for precision in precisions if precision is not None]
    least = max(known) - GOOD_ENOUGH if known else None
    good = [
        m
        for m in measured
        if least is None
        or (m.micro_average_precision is not None and m.micro_average_precision >= least)
    ]
    return max(good, key=lambda m: m.images_per_second, default=None)


def _usable(paths: Sequence[str], spec: ModelSpec) -> list[str]:
    embedder = Embedder(spec)
    usable = []
    for path in paths:
        try:
            embedder.prepare(path)
        except ImageError:
            continue
        usable.append(path)
    return usable


def _prepare(spec: ModelSpec, images: Sequence[ImageSource]) -> Pixels:
    """Return uint8 (n, crop_px, crop_px, 3)."""
    embedder, size = Embedder(spec), spec.preprocessing.crop_px
    pixels = np.empty((len(images), size, size, 3), np.uint8)
    for number, image in enumerate(images):
        pixels[number] = embedder.prepare(image).pixels
    return pixels


def _noise(spec: ModelSpec) -> Pixels:
    size = spec.preprocessing.crop_px
    return np.random.default_rng(0).integers(0, 256, (_TIMED, size, size, 3), dtype=np.uint8)


def _measure_rates(network: Runtime, pixels: Pixels) -> dict[int, float]:
    """Return pictures a second by the size of batches, the median of rounds taken in turns."""
    n_each = -(-_TIMED // len(pixels))
    timed = np.concatenate([pixels] * n_each)[:_TIMED]
    seconds: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    for turn in range(_ROUNDS + 1):
        for batch, times in seconds.items():
            started = time.perf_counter()
            for start in range(0, len(timed), batch):
                network.extract(timed[start : start + batch])
            if turn:  # the first one warms up
                times.append(time.perf_counter() - started)
    return {batch: len(timed) / statistics.median(times) for batch, times in seconds.items()}


def _measure_quality(
    spec: ModelSpec, network: Runtime, shown: Pixels, altered: Pixels
) -> tuple[float, float]:
    """Return the micro-average precision, and the share that finds its original first."""
    embedder = Embedder(spec, runtime=network)
    scores = embedder.embed_pixels(altered) @ embedder.embed_pixels(shown).T  # (copies, photos)
    originals = np.tile(np.arange(len(shown)), len(ALTERATIONS))
    is_match = originals[:, None] == np.arange(len(shown))[None]
    precision = micro_average_precision(scores, is_match)
    return round(precision, 4), round(recall_at(scores, is_match, 1), 4)
