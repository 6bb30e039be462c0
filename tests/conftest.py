"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED_PHOTOS = REPOSITORY / "tests" / "photos"
SHARED_DATA = REPOSITORY.parent / "shared" / "data"

PhotoMaker = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled networks in a folder of the tests, and fetch nothing from anywhere.

    For this process and those it starts.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOBISEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("torch")))
        patch.setenv("MOBISEARCH_OFFLINE", "1")
        yield


@pytest.fixture(scope="session")
def shipped_photos() -> Path:
    """The freely licensed photographs in this repository."""
    return SHIPPED_PHOTOS


@pytest.fixture(scope="session")
def shared_photos() -> Path:
    """300 photographs that are not part of the project."""
    return _shared("photos")


@pytest.fixture(scope="session")
def bad_images() -> Path:
    """Broken and odd pictures that are not part of the project."""
    return _shared("bad-images")


def _shared(name: str) -> Path:
    folder = Path(os.path.realpath(os.environ.get("MOBISEARCH_TEST_DATA", SHARED_DATA))) / name
    if not folder.is_dir():
        pytest.skip(f"test data {name!r} is not here; set MOBISEARCH_TEST_DATA to its folder")
    return folder


@pytest.fixture
def fake_embedder() -> Embedder:
    """An embedder that needs no weights, 64 values."""
    return Embedder(FAKE_MODEL, runtime=FakeRuntime())


@pytest.fixture
def index(tmp_path: Path, fake_embedder: Embedder) -> Iterator[ImageIndex]:
    """An empty index in ``tmp_path / "index"`` with the fake embedder."""
    with ImageIndex.create(tmp_path / "index", fake_embedder) as made:
        yield made


@pytest.fixture(scope="session")
def make_photo() -> PhotoMaker:
    """A function that writes a picture of smooth random colours: ``make_photo(path, seed=1)``."""

    def make(path: Path, *, seed: int, size: tuple[int, int] = (60, 40), **save: object) -> Path:
        generator = np.random.default_rng(seed)
        small = generator.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **save)
        return path

    return make


@pytest.fixture
def trusted_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and times vouch for a file however recently it was written, without any waiting.

    Files are new to every test, so that otherwise each would be hashed again at each sync.
    """
    monkeypatch.setattr("mobisearch.sync.recording._RACY_NS", -(10**15))


@pytest.fixture
def closed_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system refuse to list folders that are called ``closed``."""
    scan = os.scandir

    def refuse(path: str | int) -> object:
        if not isinstance(path, int) and os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
