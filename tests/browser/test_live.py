"""An index that changes while somebody looks at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pagekit.collection import CAMERAS, mobisearch, write_photo
from pagekit.serving import ServedMaker, start_server
from pagekit.watching import Watched, until


def test_photos_that_are_added_appear_in_all_tabs_of_which_one_follows(
    watched: Watched, serve_own: ServedMaker, shipped_photos: Path
) -> None:
    served = serve_own()
    following: list[str] = []
    watched.context.on(
        "request", lambda asked: "/api/events" in asked.url and following.append(asked.url)
    )
    tabs = [watched.open(served.start) for _ in range(3)]
    tabs[1].keyboard.press("4")
    for tab in tabs:
        tab.wait_for_selector(".tile, .figures")
    for name in ("dogs", "stream", "trail"):
        write_photo(
            shipped_photos / f"{name}.jpg", served.folder / f"{name}.jpg", year=2021,
            camera=CAMERAS[1],
        )  # fmt: skip
    mobisearch("index", served.folder, "--index", served.index)
    until(tabs[0], "document.querySelector('h1').textContent === '10 photos'")
    until(tabs[1], "document.querySelector('.figures dd').textContent === '10'")
    until(tabs[2], "document.querySelector('h1').textContent === '10 photos'")
    until(tabs[0], "!document.querySelector('#live').hidden")
    assert len(following) == 1


def test_who_has_scrolled_is_asked_before_anything_moves(
    watch: Any, serve_own: ServedMaker, shipped_photos: Path
) -> None:
    served = serve_own()
    page = watch(height=400).open(served.start)
    page.wait_for_selector(".tile")
    page.evaluate("() => scrollTo(0, 200)")
    write_photo(
        shipped_photos / "dogs.jpg", served.folder / "dogs.jpg", year=2021, camera=CAMERAS[1]
    )
    mobisearch("index", served.folder, "--index", served.index)
    page.get_by_role("button", name="New photos: show them").click()
    until(page, "document.querySelector('h1').textContent === '8 photos'")
    assert page.evaluate("scrollY") == 0


def test_a_server_that_has_gone_is_said_and_that_it_is_back(
    watched: Watched, serve_own: ServedMaker
) -> None:
    watched.expected = ("ERR_",)
    served = serve_own()
    page = watched.open(served.start)
    page.wait_for_selector(".tile")
    served.stop()
    until(page, "!document.querySelector('#away').hidden")
    assert "mobisearch serve" in page.locator("#away").inner_text()
    page.keyboard.press("4")
    port = int(served.url.rpartition(":")[2])
    served.process, _ = start_server(served.index, port=port)
    until(page, "document.querySelector('#away').hidden")


def test_an_index_without_photos_says_how_to_fill_it(
    watched: Watched, tmp_path: Path, serve_own: ServedMaker
) -> None:
    (tmp_path / "library").mkdir()
    mobisearch("index", tmp_path / "library", "--index", tmp_path / "index")
    page = watched.open(serve_own().start)
    page.wait_for_selector(".nothing")
    assert "mobisearch index" in page.locator(".nothing").inner_text()
    for key in "234":
        page.keyboard.press(key)
        page.wait_for_selector(".map-cover h2, .start, .figures")
