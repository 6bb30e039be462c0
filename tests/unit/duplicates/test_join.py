"""All pairs above a score: exactly those, in bounded memory, always in the same order."""

from __future__ import annotations

import errno
import os
import tempfile

import numpy as np
import pytest

from mobisearch.duplicates import join
from mobisearch.duplicates.join import Pairs, join_rows
from mobisearch.duplicates.rows import MemoryRows, hold_rows
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.errors import StorageError
from mobisearch.types import Embeddings

DIM = 6
MANY = 10**9


def some_rows(n: int, *, seed: int = 0) -> Embeddings:
    rows = np.random.default_rng(seed).standard_normal((n, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force(rows: Embeddings, least: float) -> list[tuple[int, int, float]]:
    wide = rows.astype(np.float64)
    found = []
    for first in range(len(rows)):
        for second in range(first + 1, len(rows)):
            score = round(float((wide[first] * wide[second]).sum()), 6)
            if score >= least:
                found.append((first, second, score))
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def as_list(pairs: Pairs) -> list[tuple[int, int, float]]:
    return list(
        zip(pairs.first.tolist(), pairs.second.tolist(), pairs.scores.tolist(), strict=True)
    )


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "_OUTER", 8)
    monkeypatch.setattr(join, "_INNER", 3)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 40])
@pytest.mark.usefixtures("small_blocks")
def test_every_pair_above_the_score_is_found_and_no_other(n: int) -> None:
    rows = some_rows(n)
    found = join_rows(MemoryRows(rows), 0.3, max_pairs=MANY)
    assert as_list(found) == brute_force(rows, 0.3)
    assert found.least_score == 0.3
    assert found.n_dropped == 0


@pytest.mark.parametrize("blocks", [(8, 3), (3, 8), (5, 5), (100, 100)])
def test_the_blocks_change_nothing(
    blocks: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = some_rows(50, seed=3)
    monkeypatch.setattr(join, "_OUTER", blocks[0])
    monkeypatch.setattr(join, "_INNER", blocks[1])
    found = as_list(join_rows(MemoryRows(rows), 0.2, max_pairs=MANY))
    assert found == brute_force(rows, 0.2)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("max_pairs", [1, 5, 30])
def test_of_too_many_pairs_the_best_are_kept_and_the_score_says_so(max_pairs: int) -> None:
    rows = some_rows(40, seed=1)
    found = join_rows(MemoryRows(rows), -1.0, max_pairs=max_pairs)
    assert 0 < len(found) <= max_pairs
    assert as_list(found) == brute_force(rows, found.least_score)


@pytest.mark.usefixtures("small_blocks")
def test_of_too_many_equal_pairs_the_first_places_are_linked_to_all_others() -> None:
    rows = np.repeat(some_rows(1), 20, axis=0)
    found = join_rows(MemoryRows(rows), 0.5, max_pairs=19)
    assert len(found) == 19
    assert found.n_dropped > 0
    assert set(found.first.tolist()) == {0}


@pytest.mark.usefixtures("small_blocks")
def test_rows_from_a_file_are_joined_as_those_in_memory() -> None:
    rows = some_rows(30, seed=2)
    parts = [rows[:7], rows[7:8], rows[8:]]
    with hold_rows(parts, 30, DIM, max_bytes=0) as spooled:
        assert not isinstance(spooled, MemoryRows)
        assert len(spooled) == 30
        found = as_list(join_rows(spooled, 0.1, max_pairs=MANY))
    assert found == brute_force(rows, 0.1)


def test_a_full_disk_is_told_of_with_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with (
        pytest.raises(StorageError, match=r"No space left.*takes 24 MB"),
        hold_rows([], 10**6, DIM, max_bytes=0),
    ):
        raise AssertionError("nothing can be held")


@pytest.mark.usefixtures("small_blocks")
def test_it_ends_when_it_is_stopped_and_tells_how_far_it_is() -> None:
    told: list[int] = []
    rows = MemoryRows(some_rows(40))
    with pytest.raises(StoppedError):
        join_rows(rows, 0.5, max_pairs=MANY, is_stopped=lambda: len(told) == 2, tell=told.append)
    assert told == [8, 16]
