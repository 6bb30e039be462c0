"""A catalog that is damaged or foreign: refused, left as it is, and salvaged."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faultkit.questions import answers

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import IndexDamagedError, IndexFormatError, StoreError

BLOCK_BYTES = 4096


def _overwrite(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + new + data[at + len(new) :]


def _noise(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(BLOCK_BYTES)


@pytest.fixture(scope="module")
def catalog(
    tmp_path_factory: pytest.TempPathFactory,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
) -> bytes:
    """The catalog of an index of twenty photos."""
    folder = tmp_path_factory.mktemp("catalog")
    for seed in range(20):
        make_photo(folder / "photos" / f"{seed}.png", seed=seed, size=(8, 8))
    with ImageIndex.create(folder / "index", make_embedder()) as index:
        index.sync(folder / "photos")
    return (folder / "index" / "mobisearch.db").read_bytes()


@pytest.fixture
def with_catalog(tmp_path: Path) -> Callable[[bytes], Path]:
    """A function that makes an index directory with this catalog and nothing else."""

    def make(data: bytes) -> Path:
        (tmp_path / "given").mkdir()
        (tmp_path / "given" / "mobisearch.db").write_bytes(data)
        return tmp_path / "given"

    return make


# ---------------------------------------------------------------- damaged or foreign

REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "zero bytes": (lambda data: b"", "cut short"),
    "one byte": (lambda data: data[:1], "cut short"),
    "cut by half": (lambda data: data[: len(data) // 2], "damaged"),
    "flipped magic": (_overwrite(3, b"\xff"), "not a catalog made by mobisearch"),
    "flipped page size": (_overwrite(16, b"\xff\xff"), "damaged"),
    "newer format": (_overwrite(60, (99).to_bytes(4, "big")), "format 99"),
    "other application": (_overwrite(68, b"GPKG"), "not a catalog made by mobisearch"),
    "JPEG": (lambda data: b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 9_000, "not a catalog made by"),
    "text": (lambda data: b"SELECT 1;\n" * 500, "not a catalog made by mobisearch"),
    "first page overwritten": (_overwrite(100, _noise(1)), "damaged"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_case_23_a_damaged_or_foreign_catalog_ends_with_65_and_stays_as_it_is(
    catalog: bytes,
    with_catalog: Callable[[bytes], Path],
    photos: Path,
    command: Callable[..., Any],
    kind: str,
) -> None:
    damage, words = REFUSED[kind]
    damaged = damage(catalog)
    path = with_catalog(damaged)
    for arguments in (("status",), ("search", photos / "a.png"), ("index", photos), ("verify",)):
        done = command(*arguments, "--index", path)
        assert done.code == 65, (arguments, done.stderr)
        assert words in done.stderr
        assert str(path) in done.stderr
        assert "mobisearch.db" in os.listdir(path)
        assert (path / "mobisearch.db").read_bytes() == damaged


@pytest.mark.parametrize("seed", range(14))
def test_case_23_a_block_of_noise_anywhere_is_noticed_or_changes_no_answer(
    catalog: bytes,
    with_catalog: Callable[[bytes], Path],
    fake_embedder: Embedder,
    tmp_path: Path,
    seed: int,
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "mobisearch.db").write_bytes(catalog)
    with ImageIndex.open(tmp_path / "whole", fake_embedder) as index:
        expected = answers(index)
    n_blocks = len(catalog) // BLOCK_BYTES
    at = BLOCK_BYTES * int(np.random.default_rng(seed).integers(1, n_blocks))
    damaged = _overwrite(at, _noise(seed))(catalog)
    path = with_catalog(damaged)
    try:
        with ImageIndex.open(path, fake_embedder) as index:
            is_noticed = not index.verify().ok
            is_same = is_noticed or answers(index) == expected
    except (IndexDamagedError, IndexFormatError):
        is_noticed = is_same = True
    assert is_noticed or is_same
    assert (path / "mobisearch.db").read_bytes() == damaged


@pytest.mark.parametrize("seed", range(4))
def test_case_23_a_sync_of_a_damaged_catalog_ends_in_an_error_of_ours_or_finishes(
    catalog: bytes,
    with_catalog: Callable[[bytes], Path],
    photos: Path,
    fake_embedder: Embedder,
    tree: Callable[[Path], dict[str, Any]],
    seed: int,
) -> None:
    """What the damage did not reach may be used; no other kind of exception may come out."""
    before = tree(photos)
    n_blocks = len(catalog) // BLOCK_BYTES
    at = BLOCK_BYTES * int(np.random.default_rng(seed).integers(1, n_blocks))
    path = with_catalog(_overwrite(at, _noise(seed))(catalog))
    try:
        with ImageIndex.open(path, fake_embedder) as index:
            added = index.sync(photos).added
    except StoreError:
        added = 4
    assert added == 4
    assert tree(photos) == before


# ---------------------------------------------------------------- repair, backup, salvage


def test_case_23_what_can_be_read_of_a_damaged_catalog_is_salvaged_into_a_new_place(
    photos: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    assert command("index", photos, "--index", tmp_path / "index").code == 0
    path = tmp_path / "index" / "mobisearch.db"
    damaged = path.read_bytes()[:-20_000] + b"\xff" * 20_000
    path.write_bytes(damaged)
    assert command("verify", "--index", tmp_path / "index").code == 65
    done = command("salvage", tmp_path / "saved", "--index", tmp_path / "index")
    assert done.code in (0, 1), done.stderr
    assert path.read_bytes() == damaged, "never in place"
    assert command("verify", "--index", tmp_path / "saved").code == 0
    assert command("index", photos, "--index", tmp_path / "saved", "--json").code == 0
    status = command("status", "--index", tmp_path / "saved", "--json").document
    assert status["images"] == 4


def test_case_23_a_salvage_never_overwrites_what_is_there(
    photos: Path, tmp_path: Path, command: Callable[..., Any], tree: Callable[..., Any]
) -> None:
    assert command("index", photos, "--index", tmp_path / "index").code == 0
    before = tree(photos)
    for words in (("salvage", photos), ("backup", photos)):
        assert command(*words, "--index", tmp_path / "index").code == 73
    assert tree(photos) == before
