"""Searching with pictures on the page."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from pagekit.serving import Served
from pagekit.watching import Watched, until

DROP = """([data, kind, name]) => {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const file = new File([bytes], name, { type: "image/jpeg" });
  const transfer = new DataTransfer();
  transfer.items.add(file);
  if (kind === "paste") dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
  else for (const type of ["dragenter", "dragover", "drop"]) {
    const values = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent(type, values));
  }
}"""


def names(page: Any) -> list[str]:
    """Return the names of the photos in the order of their places, as far as they are there."""
    return [
        re.sub(r", score .*", "", label)
        for label in page.eval_on_selector_all(
            ".tile-open", "found => found.map((one) => one.getAttribute('aria-label'))"
        )
    ]


def scores(page: Any) -> list[float]:
    return [float(text) for text in page.locator(".tile-score").all_inner_texts()]


def go(page: Any, served: Served, hash_: str) -> None:
    page.goto(f"{served.url}/{hash_}")


def ask_for(page: Any, served: Served, name: str) -> None:
    """Search by a photo of the collection."""
    page.get_by_role("link", name=name, exact=True).hover()
    tile = page.locator(".tile").filter(has=page.get_by_role("link", name=name, exact=True))
    tile.get_by_role("button", name="More like this").click()
    page.wait_for_selector(".tile-score")


def send(page: Any, photo: Path, kind: str) -> None:
    data = base64.b64encode(photo.read_bytes()).decode()
    page.evaluate(DROP, [data, kind, photo.name])
    page.wait_for_selector(".tile-score")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_dropped_or_pasted_picture_finds_itself_first(
    page: Any, shipped_photos: Path, kind: str
) -> None:
    send(page, shipped_photos / "cat.jpg", kind)
    assert set(names(page)[:2]) == {"cat.jpg", "cat again.jpg"}
    assert scores(page)[0] > 0.95
    assert page.locator(".card img").evaluate("one => one.naturalWidth") > 100


def test_a_chosen_picture_is_searched_by_and_more_can_be_added(
    page: Any, shipped_photos: Path
) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "ask"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(shipped_photos / "alps.jpg")
    page.wait_for_selector(".tile-score")
    assert names(page)[0] == "alps.jpg"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a picture").click()
    chooser.value.set_files([shipped_photos / "rocket.jpg", shipped_photos / "dogs.jpg"])
    until(page, "document.querySelectorAll('.card').length === 3")
    page.wait_for_selector(".grid[aria-busy=false]")
    assert {"alps.jpg", "rocket.jpg", "dogs.jpg"} <= set(names(page)[:6])


def test_scores_are_shown_and_never_rise(page: Any, served: Served) -> None:
    ask_for(page, served, "pagoda.jpg")
    found = scores(page)
    assert len(found) > 20
    assert found == sorted(found, reverse=True)
    assert "pagoda.jpg" not in names(page)


def test_the_key_m_searches_by_the_photo_where_the_keyboard_is(page: Any) -> None:
    page.locator(".tile-open").first.focus()
    page.keyboard.press("ArrowRight")
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("m")
    page.wait_for_selector(".tile-score")
    assert name not in names(page)
    until(page, "document.activeElement.classList.contains('tile-open')")


def test_a_part_is_searched_by_with_a_box_on_the_query(page: Any, served: Served) -> None:
    ask_for(page, served, "coffee.jpg")
    whole = scores(page)
    until(page, "document.querySelector('.card img').naturalWidth > 0")
    frame = page.locator(".part-ground").bounding_box()
    page.mouse.move(frame["x"] + 30, frame["y"] + 30)
    page.mouse.down()
    page.mouse.move(frame["x"] + 110, frame["y"] + 110, steps=4)
    page.mouse.up()
    until(page, "location.hash.includes('@')")
    page.wait_for_selector(".grid[aria-busy=false]")
    until(page, "document.querySelector('.tile-open').ariaLabel.includes('coffee')")
    assert scores(page) != whole  # and a part of a photo finds the photo itself
    left, _, _, height = map(float, page.url.partition("@")[2].split(","))
    assert left == pytest.approx(30 / frame["width"], abs=0.02)
    assert height == pytest.approx(80 / frame["height"], abs=0.02)
    page.get_by_role("button", name="Whole picture").click()
    until(page, "!location.hash.includes('@')")


def test_a_part_is_chosen_with_keys_alone(page: Any) -> None:
    page.locator(".tile-open").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".viewer .facts")
    page.keyboard.press("b")
    box = page.get_by_role("group", name="Part of the picture")
    assert "50 % wide" in box.get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert "26 % from the left" in box.get_attribute("aria-label")
    assert "51 % tall" in box.get_attribute("aria-label")
    page.get_by_role("button", name="Search by this part").click()
    page.wait_for_selector(".tile-score")
    assert "@0.2600,0.2500,0.5000,0.5100" in page.url
    assert page.locator(".part-box").count() == 1


def test_several_are_searched_by_together_and_away_from_others(page: Any, served: Served) -> None:
    ask_for(page, served, "dogs.jpg")
    alone = names(page)
    unwanted = alone[2]
    page.get_by_role("link", name=re.compile(f"^{re.escape(alone[4])}")).focus()
    page.keyboard.press("a")
    until(page, "document.querySelectorAll('.card').length === 2")
    page.wait_for_selector(".grid[aria-busy=false]")
    assert not {"dogs.jpg", alone[4]} & set(names(page))
    tile = page.get_by_role("link", name=re.compile(f"^{re.escape(unwanted)}"))
    before = names(page).index(unwanted)
    tile.focus()
    page.keyboard.press("l")
    until(page, "document.querySelectorAll('.card.is-unlike').length === 1")
    page.wait_for_selector(".grid[aria-busy=false]")
    assert names(page).index(unwanted) > before
    card = page.locator(".card.is-unlike")
    card.get_by_role("button", name="Less like this").click()
    until(page, "document.querySelectorAll('.card.is-unlike').length === 0")
    page.get_by_role("button", name="Take this picture out").first.click()
    until(page, "document.querySelectorAll('.card').length === 2")


def test_back_and_reload_bring_a_search_back(page: Any, served: Served) -> None:
    ask_for(page, served, "plane.jpg")
    first = names(page)
    page.reload()
    page.wait_for_selector(".tile-score")
    assert names(page) == first
    page.go_back()
    until(page, "!document.querySelector('.tile-score')")
    until(page, "document.querySelector('h1').textContent.endsWith('photos')")
    page.go_forward()
    page.wait_for_selector(".tile-score")
    assert names(page) == first


def test_a_file_that_is_no_picture_is_refused_in_a_sentence(
    watched: Watched, page: Any, tmp_path: Path
) -> None:
    watched.expected = ("status of 4",)
    (tmp_path / "text.jpg").write_bytes(b"no picture at all")
    page.set_input_files("#files", tmp_path / "text.jpg")
    said = page.locator(".toast.is-wrong").inner_text()
    assert said.endswith(".")
    assert page.locator("#said-now").inner_text() == said


def test_a_picture_that_is_not_held_any_more_is_said_so(
    watched: Watched, page: Any, served: Served
) -> None:
    watched.expected = ("status of 404",)
    go(page, served, "#/search?like=qnotheldanymore")
    assert "not held any more" in page.locator(".failure").inner_text()
    assert "Choose it again" in page.locator(".card-lost").inner_text()


FILTERS = {
    "Folder": ("library / 2016", r"library/2016"),
    "Taken": ("2017", "taken_from=2017-01-01&taken_to=2017-12-31"),
    "Label": ("2016", "label=2016"),
    "Format": ("PNG (1)", "format=PNG"),
    "Camera": ("NIKON D750", "camera=NIKON"),
    "File size": ("under 100 kB", "max_bytes=100000"),
    "Resolution": ("800 px or more", "min_px=800"),
}


def test_a_filter_narrows_what_is_shown_and_is_in_the_address(page: Any) -> None:
    everything = int(page.locator("h1").inner_text().split()[0])
    for filter_, (wanted, address) in FILTERS.items():
        select = page.get_by_label(filter_, exact=True)
        labels = [label for label in select.locator("option").all_inner_texts() if wanted in label]
        select.select_option(label=labels[0])
        until(page, "document.querySelector('.head p').textContent !== ''")
        assert address in page.url
        assert 0 < int(page.locator("h1").inner_text().split()[0]) < everything
        page.get_by_role("button", name="Clear filters").click()
        until(page, f"document.querySelector('h1').textContent === '{everything} photos'")


def test_filters_hold_in_a_search_too(page: Any, served: Served) -> None:
    page.get_by_label("Taken", exact=True).select_option("2015")
    until(page, "document.querySelector('.head p').textContent !== ''")
    shown = set(names(page))
    page.locator(".tile-open").first.focus()
    page.keyboard.press("m")
    page.wait_for_selector(".tile-score")
    assert set(names(page)) < shown


def test_a_label_of_an_open_photo_leads_to_the_others_that_have_it(page: Any) -> None:
    page.get_by_label("Label", exact=True).select_option("2016")
    until(page, "document.querySelector('.head p').textContent !== ''")
    found = page.locator("h1").inner_text()
    page.locator(".tile-open").first.click()
    page.locator(".labels").get_by_role("button", name="2016").click()
    until(page, "!document.querySelector('.viewer[open]')")
    until(page, f"document.querySelector('h1').textContent === '{found}'")
    assert "label=2016" in page.url


def test_dates_can_be_chosen_freely(page: Any) -> None:
    page.get_by_label("Taken", exact=True).select_option("dates")
    page.get_by_label("Taken from").fill("2016-01-01")
    page.get_by_label("Taken from").press("Tab")
    until(page, "location.hash.includes('taken_from=2016-01-01')")
    page.get_by_label("Taken to").fill("2017-01-01")
    page.get_by_label("Taken to").press("Tab")
    until(page, "location.hash.includes('taken_to=2017-01-01')")
    page.wait_for_selector(".grid[aria-busy=false]")
    assert all(name.endswith(".jpg") for name in names(page))
    assert len(names(page)) == int(page.locator("h1").inner_text().split()[0]) == 5
