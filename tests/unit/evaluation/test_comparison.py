"""Models beside one another, with networks of microseconds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mobisearch.errors import RuntimeUnavailableError, TooFewImagesError, WeightsAbsentError
from mobisearch.evaluation import ModelMeasurement, measure_models, recommend
from mobisearch.evaluation.comparison import BATCHES, GOOD_ENOUGH
from mobisearch.models import ModelSpec, find_model
from mobisearch.types import Pixels, RuntimeSettings


class Coarse:
    """Sees pictures of a few pixels; ``openvino`` sees more of them than ``torch``."""

    def __init__(self, spec: ModelSpec, settings: RuntimeSettings) -> None:
        if settings.precision == "int8":
            raise RuntimeUnavailableError("openvino", "no int8 here", "use f32")
        self._step = 16 if settings.runtime == "openvino" else 64
        self._dim = spec.dim

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        small = pixels[:, :: self._step, :: self._step].reshape(len(pixels), -1)
        rows = np.zeros((len(pixels), self._dim), np.float32)
        width = min(small.shape[1], self._dim)
        rows[:, :width] = small[:, :width].astype(np.float32) - 127
        return rows


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobisearch.evaluation.comparison.load_runtime", Coarse)


SPECS = [find_model("mobilenet_v2"), find_model("mobilenet_v2@128")]


def test_every_way_that_can_be_had_is_timed() -> None:
    steps: list[str] = []
    measured = measure_models(SPECS, on_step=steps.append)
    ways = [("openvino", "f32"), ("openvino", "bf16"), ("torch", "f32")]
    assert [(m.model, m.runtime, m.precision) for m in measured] == [
        (spec.name, *way) for spec in SPECS for way in ways
    ]
    assert steps == [m.label for m in measured]
    for m in measured:
        assert m.ms_alone > 0
        assert m.images_per_second >= 1e3 / m.ms_alone * 0.99  # one alone is a batch as well
        assert m.best_batch in BATCHES
        assert m.micro_average_precision is None


def test_with_photos_it_says_what_copies_find_and_changes_none(shipped_photos: Path) -> None:
    before = {path: path.read_bytes() for path in shipped_photos.iterdir()}
    measured = measure_models(SPECS[:1], folders=[str(shipped_photos)], n_photos=4)
    fine, _, coarse = measured
    assert fine.micro_average_precision is not None
    assert coarse.micro_average_precision is not None
    assert 1 >= fine.micro_average_precision > coarse.micro_average_precision > 0
    assert fine.found_first is not None
    assert 0 < fine.found_first <= 1
    assert {path: path.read_bytes() for path in shipped_photos.iterdir()} == before


def test_photos_that_cannot_be_read_are_left_out(tmp_path: Path, shipped_photos: Path) -> None:
    for name in ("cat", "dogs"):
        (tmp_path / f"{name}.jpg").write_bytes((shipped_photos / f"{name}.jpg").read_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    measured = measure_models(SPECS[:1], folders=[str(tmp_path)])
    assert all(m.found_first is not None for m in measured)
    (tmp_path / "cat.jpg").unlink()
    with pytest.raises(TooFewImagesError):
        measure_models(SPECS[:1], folders=[str(tmp_path)])


def test_weights_that_cannot_be_had_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(spec: ModelSpec, settings: RuntimeSettings) -> None:
        raise WeightsAbsentError(spec.name, "offline", path="a", expected="b")

    monkeypatch.setattr("mobisearch.evaluation.comparison.load_runtime", absent)
    with pytest.raises(WeightsAbsentError):
        measure_models(SPECS)


def made(model: str, rate: float, quality: float | None) -> ModelMeasurement:
    return ModelMeasurement(model, "openvino", "f32", 1.0, rate, 1, quality)


def test_the_fastest_of_the_good_ones_is_recommended() -> None:
    best = made("best", 100, 0.98)
    good = made("good", 300, 0.98 - GOOD_ENOUGH / 2)
    bad = made("bad", 900, 0.98 - 2 * GOOD_ENOUGH)
    assert recommend([best, good, bad]) == good
    assert recommend([best, bad]) == best
    assert recommend([dataclasses.replace(m, micro_average_precision=None) for m in (best, bad)])
    assert recommend([made("slow", 1, None), made("fast", 2, None)]) == made("fast", 2, None)
    assert recommend([]) is None
