"""The map of the collection."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pagekit.serving import Served
from pagekit.watching import until


def zoom(page: Any) -> float:
    return float(page.locator(".map-canvas").get_attribute("data-zoom"))


@pytest.fixture
def map_(page: Any) -> Any:
    page.keyboard.press("2")
    page.wait_for_selector(".map-cover .nothing button, .map-canvas[data-zoom]")
    begin = page.get_by_role("button", name="Lay out the map")
    if begin.count():
        begin.click()
    page.wait_for_selector(".map-canvas[data-zoom]")
    until(page, "Number(document.querySelector('.map-canvas').dataset.shown) > 5")
    return page


def test_the_whole_collection_is_on_the_map(map_: Any, served: Served) -> None:
    assert map_.locator(".map-note").inner_text().startswith("25 photos")
    colours = map_.evaluate(
        """() => {
          const canvas = document.querySelector(".map-canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const seen = new Set();
          for (let i = 0; i < data.length; i += 404) seen.add(data.slice(i, i + 3).join());
          return seen.size;
        }"""
    )
    assert colours > 50, "no photos are drawn"


def test_wheel_keys_and_buttons_zoom(map_: Any) -> None:
    assert zoom(map_) == 1
    map_.mouse.move(640, 400)
    map_.mouse.wheel(0, -500)
    until(map_, "Number(document.querySelector('.map-canvas').dataset.zoom) > 1.5")
    map_.locator(".map-canvas").focus()
    map_.keyboard.press("0")
    until(map_, "document.querySelector('.map-canvas').dataset.zoom === '1.000'")
    map_.keyboard.press("+")
    until(map_, "document.querySelector('.map-canvas').dataset.zoom === '1.500'")
    map_.keyboard.press("-")
    until(map_, "document.querySelector('.map-canvas').dataset.zoom === '1.000'")
    map_.get_by_role("button", name="Nearer").click()
    until(map_, "document.querySelector('.map-canvas').dataset.zoom === '2.000'")
    map_.get_by_role("button", name="Everything").click()
    until(map_, "document.querySelector('.map-canvas').dataset.zoom === '1.000'")


def test_dragging_and_arrows_move_and_the_address_keeps_the_place(map_: Any) -> None:
    map_.get_by_role("button", name="Nearer").click()
    map_.mouse.move(500, 300)
    map_.mouse.down()
    map_.mouse.move(400, 360, steps=5)
    map_.mouse.up()
    until(map_, "location.hash.includes('at=')")
    x, y, times = map(float, map_.url.partition("at=")[2].split(","))
    assert x > 0.5 > y
    assert times == 2
    map_.locator(".map-canvas").focus()
    map_.keyboard.press("ArrowLeft")
    until(map_, f"Number(location.hash.split('at=')[1].split(',')[0]) < {x}")
    map_.reload()
    map_.wait_for_selector(".map-canvas[data-zoom]")
    assert zoom(map_) == 2


def test_two_fingers_zoom(map_: Any) -> None:
    map_.evaluate(
        """() => {
          const canvas = document.querySelector(".map-canvas");
          const clientY = canvas.getBoundingClientRect().top + 300;
          canvas.setPointerCapture = () => {};
          const send = (kind, pointerId, x) => canvas.dispatchEvent(new PointerEvent(kind, {
            pointerId, pointerType: "touch", button: 0, buttons: 1, clientX: x, clientY,
          }));
          send("pointerdown", 11, 600); send("pointerdown", 12, 640);
          send("pointermove", 12, 720); send("pointerup", 11, 600); send("pointerup", 12, 720);
        }"""
    )
    until(map_, "document.querySelector('.map-canvas').dataset.zoom === '3.000'")
    assert "photo=" not in map_.url


def test_a_click_and_enter_open_a_photo(map_: Any) -> None:
    map_.locator(".map-canvas").focus()
    map_.keyboard.press("Enter")
    map_.wait_for_selector(".viewer .facts")
    map_.keyboard.press("Escape")
    until(map_, "!document.querySelector('.viewer[open]')")
    box = map_.locator(".map-canvas").bounding_box()
    for row, column in itertools.product((0.5, 0.4, 0.6, 0.3, 0.7), range(5, 96, 2)):
        map_.mouse.move(box["x"] + box["width"] * column / 100, box["y"] + box["height"] * row)
        if map_.evaluate("document.querySelector('.map-canvas').style.cursor") == "pointer":
            break
    map_.mouse.down()
    map_.mouse.up()
    map_.wait_for_selector(".viewer .facts")
    map_.wait_for_selector(".viewer .similar li")
