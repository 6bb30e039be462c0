"""Readers while somebody writes: each sees a whole commit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faultkit.processes import go_on, started

from mobisearch import Embedder, ImageIndex
from mobisearch.store import cache

N_READERS = 4
"""In each of two processes."""


ROUNDS = 6


PER_BATCH = 6


READ_ALL_THE_TIME = """
import json, os, sys, threading
from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

seen, problems, is_done = set(), [], threading.Event()

def read(index):
    try:
        while not is_done.is_set():
            matches = index.search_by_vector([1.0] * 64, k=10_000)
            seen.add(tuple(sorted(os.path.basename(match.image.path) for match in matches)))
    except BaseException as error:
        problems.append(repr(error))

embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), isolated=False)
indexes = [ImageIndex.open(sys.argv[1], embedder) for _ in range(int(sys.argv[2]))]
threads = [threading.Thread(target=read, args=(index,)) for index in indexes]
for thread in threads:
    thread.start()
print("reading", flush=True)
sys.stdin.readline()
is_done.set()
for thread in threads:
    thread.join()
print(json.dumps({"seen": sorted(seen), "problems": problems}))
"""


@pytest.fixture
def index_dir(index: ImageIndex, tmp_path: Path) -> Path:
    """The directory of ``index``."""
    return tmp_path / "index"


# ---------------------------------------------------------------- readers while somebody writes


@pytest.mark.slow
def test_case_17_readers_see_whole_commits_while_a_writer_adds_seals_merges_and_cleans_up(
    index: ImageIndex,
    index_dir: Path,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    ids_of: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
) -> None:
    monkeypatch.setattr(cache, "_MIN_SEGMENT", 1)  # so that every commit writes a file
    monkeypatch.setattr(cache, "_MERGE_AT", 3)
    monkeypatch.setattr(cache, "_MIN_GROWTH", 2)
    for batch in range(ROUNDS):
        for number in range(PER_BATCH):
            seed = PER_BATCH * batch + number
            make_photo(tmp_path / f"{batch}" / f"{batch}-{number}.png", seed=seed, size=(8, 8))
    names = {name.name for name in (index_dir / "segments").iterdir()}
    allowed = {()}
    with (
        started(READ_ALL_THE_TIME, index_dir, N_READERS, says="reading") as first,
        started(READ_ALL_THE_TIME, index_dir, N_READERS, says="reading") as second,
    ):
        for batch in range(ROUNDS):
            index.sync(tmp_path / f"{batch}")
            allowed.add(tuple(sorted(map(os.path.basename, ids_of(index)))))
            names |= {name.name for name in (index_dir / "segments").iterdir()}
            if batch % 3 == 2:
                assert index.remove([tmp_path / f"{batch - 1}"]) == PER_BATCH
                allowed.add(tuple(sorted(map(os.path.basename, ids_of(index)))))
        reports = [json.loads(go_on(reader)) for reader in (first, second)]
    for report in reports:
        assert report["problems"] == []
        seen = {tuple(names) for names in report["seen"]}
        assert seen <= allowed
        assert len(seen) > 1, "they did read while it was written"
    assert len(names) > len(list((index_dir / "segments").iterdir())), "files were cleaned up"
    check_sound(index, fake_embedder)


@pytest.mark.parametrize("is_read_only", [False, True], ids=["", "in a directory without a lock"])
@pytest.mark.parametrize("change", ["merge", "remove"])
def test_case_18_files_that_vanish_between_the_snapshot_and_their_opening_are_not_missed(
    index: ImageIndex,
    index_dir: Path,
    photos: Path,
    fake_embedder: Embedder,
    make_photo: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    ids_of: Callable[..., dict[str, int]],
    change: str,
    is_read_only: bool,
) -> None:
    index.sync(photos)
    expected = ids_of(index)
    files = list((index_dir / "segments").glob("*.faiss"))
    assert files
    if is_read_only:
        (index_dir / "writer.lock").unlink(missing_ok=True)
    system_open = os.open
    changes: list[int] = []

    def change_before_opening(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path).endswith(".faiss") and not changes:
            changes.append(1)
            with ImageIndex.open(index_dir, fake_embedder) as writer:
                if change == "remove":
                    writer.remove([photos])
                else:  # a file without its dead vectors takes the place of the old one
                    writer.remove([photos / "a.png", photos / "b.png", photos / "c.png"])
        return system_open(path, flags, *more, **named)

    with ImageIndex.open(index_dir, fake_embedder) as reader:
        monkeypatch.setattr(os, "open", change_before_opening)
        assert ids_of(reader) == expected, "what the snapshot saw, from the catalog"
        assert changes
        assert not any(file.exists() for file in files), "the files were cleaned up meanwhile"
        assert len(ids_of(reader)) == (0 if change == "remove" else 1)
