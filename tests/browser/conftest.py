"""Fixtures of the page: a library of real photos, served for real, and a browser to look at it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for pagekit

from pagekit.collection import CAMERAS, make_library, mobisearch, write_photo
from pagekit.serving import Served, ServedMaker, start_server
from pagekit.watching import Watched

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def made(shipped_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library and an index of it, which nobody changes."""
    folder = tmp_path_factory.mktemp("page")
    make_library(shipped_photos, folder / "library")
    mobisearch("index", folder / "library", "--index", folder / "index", code=1)
    kinds, index = folder / "kinds.safetensors", ("--index", folder / "index")
    mobisearch("train", folder / "library", "--output", kinds, *index)
    mobisearch("label", "--classifier", kinds, *index)
    return folder


@pytest.fixture(scope="session")
def served(made: Path) -> Iterator[Served]:
    """The page of that index, which cannot move anything."""
    process, url = start_server(made / "index")
    found = Served(made / "library", made / "index", url, process)
    yield found
    found.stop()


@pytest.fixture
def serve_own(shipped_photos: Path, tmp_path: Path) -> Iterator[ServedMaker]:
    """A function that serves a small library that a test may change."""
    running: list[Served] = []

    def serve(*options: str) -> Served:
        library = tmp_path / "library"
        if not library.exists():
            library.mkdir()
            for name in ("cat", "fig", "alps", "boats", "rocket"):
                write_photo(
                    shipped_photos / f"{name}.jpg", library / f"{name}.jpg", year=2020,
                    camera=CAMERAS[0],
                )  # fmt: skip
            shutil.copy(library / "cat.jpg", library / "cat again.jpg")
            with Image.open(library / "fig.jpg") as fig:
                fig.resize((fig.width // 2, fig.height // 2)).save(library / "fig small.jpg")
            mobisearch("index", library, "--index", tmp_path / "index")
        process, url = start_server(tmp_path / "index", *options, trash=tmp_path / "data")
        running.append(Served(library, tmp_path / "index", url, process))
        return running[-1]

    yield serve
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, as the system has it."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def watch(browser: Any, serve_own: ServedMaker) -> Iterator[Callable[..., Watched]]:
    """A function that makes a browser without a past: ``watch(width=360, color_scheme="dark")``.

    It ends before the servers do, so that nobody misses them.
    """
    made: list[Watched] = []

    def make(*, width: int = 1280, height: int = 860, **values: Any) -> Watched:
        values.setdefault("permissions", ["clipboard-read", "clipboard-write"])
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **values
        )
        made.append(Watched(context))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    for one in made:
        one.check()


@pytest.fixture
def watched(watch: Callable[..., Watched]) -> Watched:
    """A browser on a desk, in light colours."""
    return watch()


@pytest.fixture
def page(watched: Watched, served: Served) -> Any:
    """The page, with all photos in rows."""
    found = watched.open(served.start)
    found.wait_for_selector(".tile")
    return found
