"""The page for everyone: contrast, names, small windows, the keyboard, and its own rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pagekit.serving import Served
from pagekit.watching import WAIT_MS, Watched, until

SCREENS = {
    "photos": ("#/photos", ".tile img.is-here"),
    "search": ("#/search?like=i3&like=i4&unlike=i5", ".tile-score"),
    "photo": ("#/photos?photo=4", ".similar li"),
    "map": ("#/map", ".map-cover h2, .map-canvas[data-zoom]"),
    "copies": ("#/copies", ".start, .group"),
    "collection": ("#/collection", ".errors li"),
}
STATIC = Path(__file__).resolve().parents[2] / "mobisearch" / "web" / "static"
PROBE = (Path(__file__).resolve().parent / "pagekit" / "probe.js").read_text(encoding="utf-8")


LEAST_PX = 24
"""Sides of a control, as WCAG 2.2 asks for (2.5.8)."""


def screens(watched: Watched, served: Served) -> Iterator[tuple[str, Any]]:
    """Give every screen of the page, one after another."""
    page = watched.open(served.start)
    page.wait_for_selector(".tile")
    for screen, (hash_, sign) in SCREENS.items():
        page.goto(f"{served.url}/{hash_}")
        page.wait_for_selector(sign)
        yield screen, page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    watch: Callable[..., Watched], served: Served, scheme: str
) -> None:
    for screen, page in screens(watch(color_scheme=scheme), served):
        found = page.evaluate(f"{PROBE}; texts()")
        assert len(found) > 8, screen
        faint = [text for text in found if text["contrast"] < text["least"]]
        assert not faint, screen


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_needs_to_be_scrolled_sideways_and_every_control_has_a_name(
    watch: Callable[..., Watched], served: Served, width: int
) -> None:
    for screen, page in screens(watch(width=width, height=740), served):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, screen
        assert page.evaluate(f"{PROBE}; nameless()") == [], screen
        assert page.evaluate(f"{PROBE}; doubled()") == [], screen
        assert page.evaluate(f"{PROBE}; small({LEAST_PX})") == [], screen


def test_a_finger_can_do_on_a_phone_what_a_mouse_can(
    watch: Callable[..., Watched], served: Served
) -> None:
    page = watch(width=360, height=740, has_touch=True, is_mobile=True).open(served.start)
    page.wait_for_selector(".tile")
    page.get_by_role("button", name="Filters").tap()
    page.get_by_label("Format").select_option("PNG")
    until(page, "document.querySelector('h1').textContent === '1 photo'")
    page.locator(".tile-open").tap()
    page.wait_for_selector(".similar li")
    page.get_by_role("button", name="More like this").tap()
    page.wait_for_selector(".tile-score, .nothing")
    page.get_by_role("link", name="Collection").tap()
    page.wait_for_selector(".figures")


def test_the_order_of_tab_is_the_order_of_reading(page: Any) -> None:
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(9):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label')"
                " ?? document.activeElement.innerText.replaceAll(/\\s+/g, ' ')"
            )
        )
    assert seen[0] == "Skip to the photos"
    assert seen[1:3] == ["mobisearch, all photos", "Search with a picture drop, paste or choose /"]
    assert seen[3:7] == ["Photos", "Map", "Copies", "Collection"]
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_the_sheet_of_keys_opens_and_closes_by_keys(page: Any) -> None:
    page.keyboard.press("?")
    assert "more like this" in page.get_by_role("dialog", name="Keys").inner_text()
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog.keys')")


def test_the_switch_of_colours_holds_after_a_reload(page: Any) -> None:
    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = ground()
    for _ in range(2):  # as the system, light, dark
        page.locator("#theme").click()
    dark = ground()
    assert dark != light
    page.reload()
    page.wait_for_selector(".tile")
    assert ground() == dark
    assert page.locator("#theme").get_attribute("aria-label") == "Colours: dark"


def test_what_is_found_is_said_aloud(page: Any) -> None:
    assert re.fullmatch(r"\d+ photos\.", page.locator("#said").inner_text())
    page.locator(".tile-open").first.focus()
    page.keyboard.press("m")
    until(page, "document.querySelector('#said').textContent.endsWith('found.')")


def test_an_error_is_a_sentence_where_it_happened_with_a_way_on(
    watched: Watched, served: Served
) -> None:
    watched.expected = ("status of 503",)
    page = watched.open("about:blank")
    broken = {"error": {"code": "store", "reason": "the index is being repaired"}}
    page.route(re.compile(r"/api/images\?"), lambda route: route.fulfill(status=503, json=broken))
    page.goto(served.start)
    assert page.locator(".failure span").first.inner_text() == "The index is being repaired."
    assert page.locator("#said-now").inner_text() == "The index is being repaired."
    page.unroute(re.compile(r"/api/images\?"))
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".tile")


def test_nothing_is_loaded_from_anywhere_else(watched: Watched, served: Served) -> None:
    asked: list[str] = []
    watched.context.on("request", lambda request: asked.append(request.url))
    page = watched.open(served.start)
    page.wait_for_selector(".tile img.is-here")
    page.wait_for_load_state("load", timeout=WAIT_MS)
    assert asked
    assert all(url.startswith(served.url) for url in asked)


def test_no_script_puts_data_into_markup() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")}
    assert len(sources) > 15
    for name, source in sources.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source
        ), name
        assert len(source.splitlines()) <= 300, name
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"style=|<style|<script>|\son\w+=|https?://", page)
