"""Images to unit rows, with failures as data or as exceptions."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mobisearch import Embedder, embedding
from mobisearch.errors import (
    CorruptImageError,
    ImageNotFoundError,
    ImageTooLargeError,
    NoEmbeddingError,
    RuntimeMismatchError,
    UnknownModelError,
)
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import DecodeSettings, Pixels

NORM_TOLERANCE = 1e-6
"""A row of 64 values that was divided by its norm and rounded to float32."""


class ScriptedRuntime:
    """Gives the rows that a function makes of a batch, and notes the batch sizes."""

    def __init__(self, rows_of: object) -> None:
        self.rows_of = rows_of
        self.batch_sizes: list[int] = []

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        self.batch_sizes.append(len(pixels))
        return self.rows_of(pixels)  # type: ignore[operator, no-any-return]


def embedder_of(rows_of: object, **options: object) -> tuple[Embedder, ScriptedRuntime]:
    runtime = ScriptedRuntime(rows_of)
    return Embedder(FAKE_MODEL, runtime=runtime, **options), runtime  # type: ignore[arg-type]


def ones(pixels: Pixels) -> NDArray[np.float32]:
    return np.ones((len(pixels), 64), np.float32)


def prepared(n: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


def picture(seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_rows_are_float32_of_unit_length_in_order(fake_embedder: Embedder) -> None:
    pictures = [picture(seed) for seed in range(7)]
    rows = fake_embedder.embed(pictures)
    assert rows.shape == (7, fake_embedder.dim)
    assert rows.dtype == np.float32
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < NORM_TOLERANCE
    assert np.array_equal(fake_embedder.embed(pictures[::-1]), rows[::-1])


def test_no_images_give_no_rows(fake_embedder: Embedder) -> None:
    assert fake_embedder.embed([]).shape == (0, 64)
    rows, errors = fake_embedder.embed_each([])
    assert rows.shape == (0, 64)
    assert errors == []
    assert fake_embedder.embed_pixels(np.empty((0, 32, 32, 3), np.uint8)).shape == (0, 64)


def test_a_single_image_counts_as_one(fake_embedder: Embedder) -> None:
    assert fake_embedder.embed(picture()).shape == (1, 64)


def test_images_go_through_in_batches_of_the_size_asked_for() -> None:
    embedder, runtime = embedder_of(ones, batch_size=4)
    embedder.embed([picture()] * 10)
    assert runtime.batch_sizes == [4, 4, 2]
    embedder.embed_pixels(prepared(5))
    assert runtime.batch_sizes[3:] == [4, 1]


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused(batch_size: int) -> None:
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        Embedder(FAKE_MODEL, runtime=FakeRuntime(), batch_size=batch_size)


def test_an_unknown_model_is_refused_at_once() -> None:
    with pytest.raises(UnknownModelError):
        Embedder("no_such_model")


@pytest.mark.parametrize("batch_size", [1, 2, 3, 32])
def test_failures_are_data_and_the_others_keep_their_order(batch_size: int, tmp_path: Path) -> None:
    embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), batch_size=batch_size)
    good = [picture(seed) for seed in range(4)]
    missing = tmp_path / "no.jpg"
    rows, errors = embedder.embed_each([b"", good[0], missing, good[1], good[2], b"", good[3]])
    assert np.array_equal(rows, embedder.embed(good))
    kinds = [type(error) for error in errors]
    no_error = type(None)
    assert kinds == [
        CorruptImageError,
        no_error,
        ImageNotFoundError,
        no_error,
        no_error,
        CorruptImageError,
        no_error,
    ]
    assert errors[2] is not None
    assert errors[2].path == str(missing)


def test_a_batch_of_nothing_but_failures_does_not_reach_the_runtime() -> None:
    embedder, runtime = embedder_of(ones, batch_size=2)
    rows, errors = embedder.embed_each([b"", b"", b"x", picture()])
    assert rows.shape == (1, 64)
    assert [error is None for error in errors] == [False, False, False, True]
    assert runtime.batch_sizes == [1]


def test_embed_raises_the_first_failure(fake_embedder: Embedder) -> None:
    with pytest.raises(CorruptImageError, match="empty"):
        fake_embedder.embed([picture(), b"", b"no image"])


def test_what_is_no_image_argument_is_a_type_error_not_data(fake_embedder: Embedder) -> None:
    with pytest.raises(TypeError):
        fake_embedder.embed_each([picture(), None])  # type: ignore[list-item]


def test_limits_of_the_settings_apply() -> None:
    embedder = Embedder(
        FAKE_MODEL, runtime=FakeRuntime(), settings=DecodeSettings(max_pixels_other=10)
    )
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, "PNG")
    _, (error,) = embedder.embed_each([buffer.getvalue()])
    assert isinstance(error, ImageTooLargeError)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, 1e-8])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_row_without_a_direction_marks_only_its_own_image(bad: float, place: int) -> None:
    def rows_of(pixels: Pixels) -> NDArray[np.float32]:
        rows = ones(pixels)
        if len(rows) > place:
            rows[place] = bad if bad in (0.0, 1e-8) else rows[place]
            rows[place, 5] = bad
        return rows

    embedder, _ = embedder_of(rows_of)
    rows, errors = embedder.embed_each([picture(seed) for seed in range(5)])
    assert rows.shape == (4, 64)
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < NORM_TOLERANCE
    assert [isinstance(error, NoEmbeddingError) for error in errors] == [
        i == place for i in range(5)
    ]
    unit = embedder.embed_pixels(prepared(5))
    assert np.isnan(unit).all(axis=1).tolist() == [i == place for i in range(5)]


@pytest.mark.parametrize(
    "rows_of",
    [
        lambda pixels: np.ones((len(pixels), 63), np.float32),
        lambda pixels: np.ones((len(pixels) + 1, 64), np.float32),
        lambda pixels: np.ones((64,), np.float32),
        lambda pixels: np.ones((len(pixels), 64, 1, 1), np.float32),
        lambda pixels: np.ones((0, 64), np.float32),
        lambda pixels: np.squeeze(np.ones((len(pixels), 64), np.float32)),  # wrong for one alone
        lambda pixels: np.ones((len(pixels) + (1 if len(pixels) == 4 else -3), 64), np.float32),
    ],
    ids=["dim", "one more", "flat", "maps", "none", "squeezed", "right in total"],
)
def test_rows_of_another_shape_are_refused_whatever_the_batch(rows_of: object) -> None:
    embedder, _ = embedder_of(rows_of, batch_size=4)
    with pytest.raises(RuntimeMismatchError) as caught:
        embedder.embed_pixels(prepared(5))
    assert caught.value.expected != caught.value.actual
    assert caught.value.expected in ((4, 64), (1, 64))


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: rows.astype(np.float64),
        lambda rows: rows.astype(np.float16),
        lambda rows: np.asfortranarray(rows),
        lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
        lambda rows: rows.tolist(),
        lambda rows: rows * np.float32(1e-3),
    ],
    ids=["float64", "float16", "fortran", "strided", "list", "short"],
)
def test_rows_of_any_number_type_and_layout_become_float32_unit_rows(convert: object) -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_normal((5, 64)).astype(np.float16).astype(np.float32)
    embedder, _ = embedder_of(lambda pixels: convert(values[: len(pixels)]))  # type: ignore[operator]
    rows = embedder.embed_pixels(prepared(5))
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    expected = values / np.linalg.norm(values, axis=1, keepdims=True)
    assert np.abs(rows - expected).max() < NORM_TOLERANCE


def test_rows_too_long_to_have_a_length_have_no_direction_and_raise_nothing() -> None:
    embedder, _ = embedder_of(lambda pixels: np.full((len(pixels), 64), 1e200))
    assert np.isnan(embedder.embed_pixels(prepared(2))).all()


def test_the_probe_is_the_same_picture_for_ever(fake_embedder: Embedder) -> None:
    first, second = fake_embedder.probe(), fake_embedder.probe()
    assert first.shape == (64,)
    assert np.array_equal(first, second)
    made = embedding.probe_picture()
    assert made.shape == (400, 600, 3)
    assert made.dtype == np.uint8
    assert not made.flags.writeable, "all embedders share it"
    sums = made.astype(np.int64).sum(axis=(0, 1)).tolist()
    assert sums == [
        30380218,
        30497088,
        24383180,
    ]  # an index compares its probe: another picture would look like a fault


def test_the_network_is_loaded_once_and_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[object] = []
    inside = threading.Barrier(4, timeout=60)

    def load(spec: object, settings: object) -> FakeRuntime:
        loads.append(spec)
        return FakeRuntime()

    monkeypatch.setattr(embedding, "load_runtime", load)
    embedder = Embedder(FAKE_MODEL)
    embedder.prepare(picture())
    assert "fake" in repr(embedder) or "random_projection" in repr(embedder)
    assert not loads

    def work() -> None:
        inside.wait()
        embedder.embed([picture()])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert loads == [FAKE_MODEL]


def test_making_an_embedder_and_preparing_an_image_does_not_import_torch() -> None:
    program = (
        "import sys, numpy as np\n"
        "from mobisearch import Embedder\n"
        "Embedder().prepare(np.zeros((300, 300, 3), np.uint8))\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
