"""Questions that make no sense, and indexes that hold no answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mobisearch import ImageIndex
from mobisearch.errors import (
    InvalidResultCountError,
    InvalidVectorError,
)
from mobisearch.runtimes import FAKE_MODEL

Rows = NDArray[Any]


DIM = FAKE_MODEL.dim


N_QUERIES = (1, 19, 20, 21, 50)
"""FAISS takes another path from 20 queries on, which gave phantom ids for an empty index."""


# ---------------------------------------------------------------- questions


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(DIM),
        np.full(DIM, np.nan),
        np.full(DIM, np.inf),
        np.ones(DIM - 1),
        np.ones((1, DIM)),
    ],
    ids=["zeros", "NaN", "infinity", "too short", "a table"],
)
@pytest.mark.parametrize("is_empty", [False, True], ids=["", "empty index"])
def test_case_52_a_vector_without_sense_is_refused(
    index: ImageIndex, photos: Path, vector: Rows, is_empty: bool
) -> None:
    if not is_empty:
        index.sync(photos)
    with pytest.raises(InvalidVectorError):
        index.search_by_vector(vector)


@pytest.mark.parametrize("k", [0, -1, -(10**9)])
@pytest.mark.parametrize("is_empty", [False, True], ids=["", "empty index"])
def test_case_52_a_count_below_one_is_refused(
    index: ImageIndex, photos: Path, k: int, is_empty: bool
) -> None:
    if not is_empty:
        index.sync(photos)
    with pytest.raises(InvalidResultCountError):
        index.search(photos / "a.png", k=k)
    with pytest.raises(InvalidResultCountError):
        index.search_by_vector(np.ones(DIM), k=k)


@pytest.mark.parametrize("n_queries", N_QUERIES)
def test_case_52_there_are_as_many_matches_as_images_or_as_asked_for(
    index: ImageIndex, photos: Path, ids_of: Callable[..., dict[str, int]], n_queries: int
) -> None:
    index.sync(photos)
    known = set(ids_of(index).values())
    queries = np.random.default_rng(0).integers(0, 256, (n_queries, 9, 9, 3), dtype=np.uint8)
    for k in (1, 3, 4, 5, 10**9, 2**62):
        for matches in index.search_many(list(queries), k=k):
            ids = [match.image.id for match in matches]
            assert len(set(ids)) == len(ids) == min(k, 4)
            assert set(ids) <= known


@pytest.mark.parametrize("kind", ["new", "emptied", "all missing", "all removed but one"])
def test_case_52_an_index_or_file_without_images_gives_no_phantoms(
    index: ImageIndex, photos: Path, kind: str
) -> None:
    expected = set()
    if kind != "new":
        index.sync(photos)
        assert index.status().cached == 4
    if kind == "emptied":
        index.remove([photos])
    elif kind == "all missing":
        (photos / "deep").rename(photos.parent / "away")
        (photos / "keep.txt").touch()
        for name in ("a.png", "b.png", "c.png"):
            (photos / name).unlink()
        Image.new("RGB", (9, 9), (1, 2, 3)).save(photos / "new.png")
        index.sync(photos)
        index.remove([photos / "new.png"])
    elif kind == "all removed but one":
        index.remove([photos / name for name in ("a.png", "b.png", "c.png")])
        expected = {str(photos / "deep" / "d.png")}
    queries = np.random.default_rng(0).integers(0, 256, (max(N_QUERIES), 9, 9, 3), dtype=np.uint8)
    for n_queries in N_QUERIES:
        found = index.search_many(list(queries[:n_queries]), k=10)
        assert len(found) == n_queries
        for matches in found:
            assert {match.image.path for match in matches} == expected
            assert all(match.image.id >= 1 for match in matches)
