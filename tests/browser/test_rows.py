"""Photos in rows: the keyboard, thousands of them, and one of them large."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from pagekit.collection import ODD_NAMES
from pagekit.serving import Served
from pagekit.watching import Watched, until

N_MANY = 5000
MOST_TILES = 200
"""More of them are never in the page, whatever the number of photos."""


def current(page: Any) -> int:
    """Return the place of the photo that has the focus."""
    return int(page.evaluate("document.activeElement.closest('.tile').dataset.place"))


@pytest.fixture
def many(watched: Watched, served: Served) -> Any:
    """The page with a listing of thousands, of which the server's own photos are the pictures."""
    page = watched.open("about:blank")
    asked: list[int] = []

    def answer(route: Any) -> None:
        values = dict(re.findall(r"(\w+)=(\w+)", route.request.url))
        offset, limit = int(values.get("offset", 0)), int(values["limit"])
        asked.append(offset)
        images = [
            {"id": 4 + place % 12, "name": f"photo {place}.jpg", "folder": "/photos",
             "width": 400 + 37 * (place % 11), "height": 400, "size_bytes": 1, "format": "JPEG",
             "taken_at": None, "camera": None, "latitude": None, "longitude": None,
             "sha256": "0" * 64, "mtime": "2020-01-01T00:00:00Z", "is_there": True}
            for place in range(offset, min(N_MANY, offset + limit))
        ]  # fmt: skip
        body = json.dumps({"total": N_MANY, "offset": offset, "images": images})
        route.fulfill(body=body, content_type="application/json")

    page.route(re.compile(r"/api/images\?"), answer)
    page.goto(served.start)
    page.wait_for_selector(".tile")
    page.asked = asked
    return page


def test_of_thousands_of_photos_only_those_near_the_window_are_in_the_page(many: Any) -> None:
    height = many.evaluate("document.documentElement.scrollHeight")
    assert height > 50_000
    for share in (0.2, 0.5, 0.8, 0.3, 1.0):
        many.evaluate(f"() => scrollTo(0, {share} * document.documentElement.scrollHeight)")
        until(
            many,
            "[...document.querySelectorAll('.tile')].some((tile) => "
            "{ const { top, bottom } = tile.getBoundingClientRect();"
            " return top >= 0 && bottom <= innerHeight; })",
        )
        assert many.locator(".tile").count() < MOST_TILES
    assert len(many.asked) < N_MANY / 100  # what was passed by quickly was not asked for


def test_end_leads_to_the_last_of_thousands_and_home_to_the_first(many: Any) -> None:
    many.locator(".tile-open").first.focus()
    many.keyboard.press("End")
    until(many, f"document.activeElement.closest('.tile')?.dataset.place === '{N_MANY - 1}'")
    assert many.evaluate("document.activeElement.getAttribute('aria-label')") == "photo 4999.jpg"
    box = many.locator(".tile:focus-within").bounding_box()
    assert 0 <= box["y"] <= 860 - box["height"]
    many.keyboard.press("Home")
    until(many, "document.activeElement.closest('.tile')?.dataset.place === '0'")


def test_the_focus_stays_where_it_is_when_one_scrolls_far_away(many: Any) -> None:
    many.locator(".tile-open").nth(3).focus()
    many.evaluate("() => scrollTo(0, 30000)")
    until(many, "document.querySelectorAll('.tile[data-place]').length > 10 && scrollY > 20000")
    assert current(many) == 3
    many.keyboard.press("ArrowRight")
    until(many, "document.activeElement.closest('.tile')?.dataset.place === '4'")


def test_rows_fill_the_width_and_nothing_lies_over_anything(many: Any) -> None:
    rows: dict[int, list[dict[str, float]]] = {}
    for box in many.eval_on_selector_all(
        ".tile",
        "found => found.map((one) => { const { x, y, width, height } = "
        "one.getBoundingClientRect(); return { x, y, width, height }; })",
    ):
        rows.setdefault(round(box["y"]), []).append(box)
    grid = many.locator(".grid").bounding_box()
    assert len(rows) > 5
    for boxes in rows.values():
        boxes.sort(key=lambda box: box["x"])
        for left, right in itertools.pairwise(boxes):
            assert right["x"] - left["x"] - left["width"] == pytest.approx(8, abs=0.6)
        assert boxes[0]["x"] == pytest.approx(grid["x"], abs=0.6)
        end = boxes[-1]["x"] + boxes[-1]["width"]
        assert end == pytest.approx(grid["x"] + grid["width"], abs=0.6)


def test_arrows_go_from_photo_to_photo_and_from_row_to_row(page: Any) -> None:
    page.locator(".tile-open").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert current(page) == 1
    above = page.locator(".tile:focus-within").bounding_box()
    page.keyboard.press("ArrowDown")
    below = page.locator(".tile:focus-within").bounding_box()
    assert below["y"] > above["y"]
    middle = above["x"] + above["width"] / 2
    assert below["x"] - 8 <= middle <= below["x"] + below["width"] + 8
    page.keyboard.press("ArrowUp")
    assert page.locator(".tile:focus-within").bounding_box()["y"] == above["y"]


def test_the_grid_has_one_place_in_the_order_of_tab(page: Any) -> None:
    assert page.locator(".tile-open[tabindex='0']").count() == 1
    page.locator(".tile-open").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".tile-open[tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "More like this"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.grid')") is None


def test_a_photo_opens_large_with_what_is_known_of_it(page: Any, served: Served) -> None:
    page.get_by_role("link", name="cat.jpg", exact=True).click()
    page.wait_for_selector(".viewer .similar li")
    until(page, "document.querySelector('.stage-picture').src.includes('/preview')")
    facts = page.locator(".facts").inner_text()
    folder = next(served.folder.glob("*/cat.jpg")).parent
    for text in (str(folder), "June", "12:30", "451 \N{MULTIPLICATION SIGN} 300", "JPEG"):
        assert text in facts
    assert page.locator(".similar li").first.inner_text() in ("1.00", "0.99")
    page.keyboard.press("c")
    until(page, "document.querySelector('.toast')")
    assert page.evaluate("navigator.clipboard.readText()") == str(folder / "cat.jpg")
    assert page.locator("#said").inner_text() == "Path copied."


def test_escape_and_back_close_a_photo_and_the_focus_returns(page: Any) -> None:
    page.locator(".tile-open").nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".viewer[open]")
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('.viewer[open]')")
    assert current(page) == 2
    page.keyboard.press("Enter")
    page.wait_for_selector(".viewer[open]")
    page.go_back()
    until(page, "!document.querySelector('.viewer[open]')")
    assert "photo=" not in page.url


def test_closing_a_photo_leaves_nothing_behind_on_the_way_back(page: Any) -> None:
    page.keyboard.press("4")
    page.wait_for_selector(".figures")
    page.keyboard.press("1")
    page.locator(".tile-open").first.click()
    page.locator(".similar li button").first.click()
    until(page, "document.querySelectorAll('.viewer .facts').length === 1")
    page.wait_for_selector(".similar li")
    page.locator(".similar li button").nth(1).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('.viewer[open]') && !location.hash.includes('photo=')")
    page.go_back()
    page.wait_for_selector(".figures")


def test_arrows_lead_through_the_photos_around_an_open_one(page: Any) -> None:
    labels = page.eval_on_selector_all(".tile-open", "found => found.map((one) => one.ariaLabel)")
    page.locator(".tile-open").nth(1).click()
    for key, place in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        page.wait_for_selector(".viewer .facts")
        page.keyboard.press(key)
        wanted = json.dumps(labels[place])
        until(page, f"document.querySelector('.viewer h2').textContent === {wanted}")
    page.reload()
    page.wait_for_selector(".viewer .facts")
    assert page.locator(".viewer h2").inner_text() == labels[2]


def test_going_back_returns_to_where_one_was_in_the_rows(many: Any) -> None:
    many.evaluate("() => scrollTo(0, 12000)")
    at_top = (
        "[...document.querySelectorAll('.tile')].find((tile) =>"
        " tile.getBoundingClientRect().bottom > 80)?.dataset.place"
    )
    until(many, f"Number({at_top}) > 100 && history.state?.anchor?.place > 100")
    until(many, "scrollY > 5000 && document.querySelectorAll('img.is-here').length > 9")
    seen = many.evaluate(at_top)
    many.goto(many.url.partition("#")[0] + "#/collection")
    many.wait_for_selector(".figures")
    many.go_back()
    until(many, f"{at_top} === '{seen}'")


def test_a_hostile_name_is_shown_and_does_nothing(page: Any) -> None:
    shown = page.eval_on_selector_all(".tile-open", "found => found.map((one) => one.ariaLabel)")
    acting = re.compile(r"[\u202a-\u202e\u2066-\u2069\x00-\x1f]")
    assert not any(acting.search(label) for label in shown)
    for name in ODD_NAMES:
        part = acting.split(name)[-1]
        (label,) = [label for label in shown if label.endswith(part)]
        page.get_by_role("link", name=label, exact=True).click()
        page.wait_for_selector(".viewer .similar li")
        assert page.locator(".viewer h2").inner_text() == label
        page.keyboard.press("Escape")
    assert page.evaluate("document.querySelectorAll('main script, main [onerror]').length") == 0
