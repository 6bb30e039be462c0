"""Networks that give nonsense."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import (
    RuntimeMismatchError,
)
from mobisearch.runtimes import FakeRuntime
from mobisearch.types import Pixels

Rows = NDArray[Any]


# ---------------------------------------------------------------- networks that give nonsense


class _Marked(FakeRuntime):
    """Gives something else for pictures that are wholly black."""

    def __init__(self, spoil: Callable[[Rows], None]) -> None:
        super().__init__()
        self._spoil = spoil

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        rows = super().extract(pixels)
        for place in np.flatnonzero(pixels.reshape(len(pixels), -1).max(axis=1) == 0):
            self._spoil(rows[place])
        return rows


def _put(value: float, *places: int) -> Callable[[Rows], None]:
    def spoil(row: Rows) -> None:
        row[list(places) or slice(None)] = value

    return spoil


SPOILED = {
    "NaN": _put(np.nan),
    "one NaN": _put(np.nan, 5),
    "infinity": _put(np.inf),
    "one infinity": _put(-np.inf, 5),
    "zeros": _put(0),
    "next to nothing": _put(1e-30),
    "the largest numbers": _put(np.inf, 0, 1),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_case_51_a_useless_row_fails_its_own_file_only(
    photos: Path,
    tmp_path: Path,
    make_embedder: Callable[..., Embedder],
    check_sound: Callable[..., None],
    kind: str,
) -> None:
    Image.new("RGB", (60, 40)).save(photos / "black.png")
    embedder = make_embedder(runtime=_Marked(SPOILED[kind]))
    with ImageIndex.create(tmp_path / "index", embedder) as index:
        report = index.sync(photos)
        assert report.added == 4
        [failure] = report.failures
        assert (os.path.basename(failure.path), failure.code) == ("black.png", "no_embedding")
        assert index.errors() == [failure]
        check_sound(index, make_embedder())


class _Converted(FakeRuntime):
    """Gives the same rows in another type, layout or shape, once it has been told to."""

    def __init__(self, convert: Callable[[Rows], Rows]) -> None:
        super().__init__()
        self._convert = convert
        self.is_on = True

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        rows = super().extract(pixels)
        return self._convert(rows) if self.is_on else rows


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: rows.astype(np.float64),
        lambda rows: np.asfortranarray(rows),
        lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
        lambda rows: rows[:, ::-1][:, ::-1],
        lambda rows: rows.astype(">f4"),
    ],
    ids=["float64", "Fortran order", "strided", "reversed twice", "big-endian"],
)
def test_case_51_rows_of_another_type_or_layout_are_the_same_rows(
    photos: Path,
    tmp_path: Path,
    make_embedder: Callable[..., Embedder],
    check_sound: Callable[..., None],
    convert: Callable[[Rows], Rows],
) -> None:
    with ImageIndex.create(tmp_path / "index", make_embedder(runtime=_Converted(convert))) as made:
        assert made.sync(photos).added == 4
        check_sound(made, make_embedder())
    with ImageIndex.open(tmp_path / "index", make_embedder()) as plain:
        assert plain.search(photos / "a.png", k=1)[0].score == 1


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: rows[:, :-1],
        lambda rows: rows[:-1],
        lambda rows: np.concatenate([rows, rows]),
        lambda rows: rows[None],
        lambda rows: rows.ravel(),
        lambda rows: rows[:0],
    ],
    ids=["too short", "too few", "too many", "three dimensions", "flat", "none"],
)
def test_case_51_rows_of_a_wrong_shape_end_the_run_and_store_nothing(
    photos: Path,
    tmp_path: Path,
    make_embedder: Callable[..., Embedder],
    check_sound: Callable[..., None],
    convert: Callable[[Rows], Rows],
) -> None:
    """Which row belongs to which file is unknown then, so none is believed."""
    runtime = _Converted(convert)
    runtime.is_on = False
    with ImageIndex.create(tmp_path / "index", make_embedder(runtime=runtime)) as index:
        assert index.sync(photos / "deep").added == 1
        runtime.is_on = True
        with pytest.raises(RuntimeMismatchError):
            index.sync(photos)
        assert (len(index), index.errors()) == (1, [])
        runtime.is_on = False
        assert index.sync(photos).added == 3
        check_sound(index, make_embedder())
