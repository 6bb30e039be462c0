"""The end of the numbers that images can have."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import (
    StorageError,
)

LAST_ID = 2**63 - 1


# ---------------------------------------------------------------- the end of the ids


def _seed_ids(index_dir: Path, table: str, last: int) -> None:
    with contextlib.closing(sqlite3.connect(index_dir / "mobisearch.db")) as connection, connection:
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


@pytest.mark.parametrize("table", ["vector", "content", "file"])
def test_case_57_ids_just_below_the_end_are_as_good_as_any(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    table: str,
) -> None:
    _seed_ids(tmp_path / "index", table, LAST_ID - 50)
    assert index.sync(photos).added == 4
    check_sound(index, fake_embedder)
    assert index.status().cached == 4
    assert index.verify().stale == ()
    assert index.sync(photos).unchanged == 4


@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("table", ["vector", "content", "file"])
def test_case_57_the_end_of_the_ids_is_told_and_loses_nothing(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    table: str,
    left: int,
) -> None:
    index.sync(photos / "deep")
    _seed_ids(tmp_path / "index", table, LAST_ID - left)
    with pytest.raises(StorageError, match="id space is exhausted"):
        index.sync(photos)
    assert len(index) == 1
    check_sound(index, fake_embedder)


def test_case_57_the_command_ends_with_74_at_the_end_of_the_ids(
    photos: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    assert command("index", photos / "deep", "--index", tmp_path / "index").code == 0
    _seed_ids(tmp_path / "index", "vector", LAST_ID)
    done = command("index", photos, "--index", tmp_path / "index")
    assert done.code == 74
    assert "id space is exhausted" in done.stderr
