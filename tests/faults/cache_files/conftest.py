"""An index with a vector file, and what it must answer whatever happens to the file."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import faiss
import pytest
from faultkit.cache_files import N_PHOTOS
from faultkit.questions import answers

from mobisearch import Embedder, ImageIndex

MOST_BYTES = 64 << 20
"""What opening and searching may allocate: far more than this index needs, far less than the
exabytes that some of the headers promise."""


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
) -> Path:
    """A folder with an index of 80 photos, and another index of as many others."""
    folder = tmp_path_factory.mktemp("template")
    for name, seed in (("index", 0), ("other", 1_000)):
        for number in range(N_PHOTOS):
            photo = folder / f"photos of {name}" / f"{number}.png"
            make_photo(photo, seed=seed + number, size=(8, 8))
        with ImageIndex.create(folder / name, make_embedder()) as index:
            index.sync(folder / f"photos of {name}")
    return folder


@pytest.fixture(scope="module")
def expected(template: Path, make_embedder: Callable[..., Embedder]) -> object:
    """What the index answers while it is whole."""
    with ImageIndex.open(template / "index", make_embedder()) as index:
        return answers(index)


@pytest.fixture
def index_dir(template: Path, tmp_path: Path) -> Path:
    """A copy of the index directory."""
    shutil.copytree(template / "index", tmp_path / "index")
    return tmp_path / "index"


@pytest.fixture
def check_survives(
    index_dir: Path,
    template: Path,
    expected: object,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., None]:
    """A function that checks what an index with a damaged file does, and that it heals.

    FAISS's own parser is never asked, and memory stays small.
    """

    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("FAISS's own parser was given a file")

    for name in (
        "read_index",
        "deserialize_index",
        "read_index_binary",
        "deserialize_index_binary",
    ):
        monkeypatch.setattr(faiss, name, forbidden)

    def check(*, is_noticed: bool = True) -> None:
        tracemalloc.start()
        try:
            with ImageIndex.open(index_dir, fake_embedder) as index:
                assert answers(index) == expected, "from the catalog"
                report = index.verify()
                assert report.ok, report.damage
                assert len(report.stale) == is_noticed
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
        finally:
            tracemalloc.stop()
        with ImageIndex.open(index_dir, fake_embedder) as index:
            index.sync(template / "photos of index")
            assert index.verify().stale == ()
            assert index.status().cached == N_PHOTOS
            assert answers(index) == expected

    return check
