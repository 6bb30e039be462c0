"""Copies on the page: found, looked at, decided on, moved to the trash and brought back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pagekit.serving import Served, ServedMaker
from pagekit.watching import Watched, until


def look(page: Any) -> None:
    """Look for copies, and wait for them."""
    page.keyboard.press("3")
    page.get_by_role("button", name="Look for copies").click()
    page.wait_for_selector(".group", timeout=60_000)


@pytest.fixture
def copies(page: Any) -> Any:
    """The groups of the library that nobody changes; looked for once."""
    page.keyboard.press("3")
    page.wait_for_selector(".start, .group")
    if page.locator(".start").count():
        page.get_by_role("button", name="Look for copies").click()
    page.wait_for_selector(".group", timeout=60_000)
    return page


def states(page: Any, place: int = 0) -> list[str]:
    group = page.locator(".group").nth(place)
    return [text.strip() for text in group.locator(".member .state").all_text_contents()]


def test_groups_come_by_what_they_free_with_verdict_and_reason(copies: Any) -> None:
    assert copies.locator("h1").inner_text() == "3 groups"
    text = copies.locator(".groups").inner_text()
    for words in ("same file · 1.00", "resized", "recompressed", "proposed to keep", "largest"):
        assert words in text
    numbers = copies.eval_on_selector_all(
        ".group-head .soft", "found => found.map((one) => one.textContent)"
    )
    assert all(line.startswith("up to ") for line in numbers)
    sizes = [float(line.split()[2]) * (1000 if "MB" in line else 1) for line in numbers]
    assert sizes == sorted(sizes, reverse=True)


def test_keys_mark_what_is_kept_and_what_goes(copies: Any) -> None:
    copies.locator(".member").first.focus()
    assert states(copies) == ["Kept", "Stays"]
    copies.keyboard.press("ArrowRight")
    copies.keyboard.press("t")
    assert states(copies) == ["Kept", "To the trash"]
    assert "1 photo to the trash" in copies.locator(".copies-foot").inner_text()
    assert "1 photo to the trash" in copies.locator("#said").inner_text()
    copies.keyboard.press("k")
    assert states(copies) == ["Stays", "Kept"]
    copies.keyboard.press("t")
    assert "cannot go" in copies.locator(".toast").inner_text()
    copies.keyboard.press("u")
    assert states(copies) == ["Kept", "Stays"]
    assert copies.locator(".copies-foot").is_hidden()
    copies.keyboard.press("ArrowDown")
    copies.keyboard.press("ArrowRight")
    copies.keyboard.press("t")
    copies.keyboard.press("s")
    assert states(copies, 1) == ["Kept", "Stays"]


def test_a_rule_marks_in_all_groups_at_once(copies: Any) -> None:
    bulk = copies.get_by_label("Mark for the trash in all groups")
    bulk.select_option("smaller")
    marked = copies.locator(".member.is-trash").count()
    assert marked == 2  # the small fig takes more bytes than the large one
    bulk.select_option("none")
    assert copies.locator(".member.is-trash").count() == 0
    bulk.select_option("same file")
    assert copies.locator(".member.is-trash").count() == 1


def test_two_are_compared_side_by_side_over_one_another_and_by_difference(copies: Any) -> None:
    copies.locator(".member").nth(1).focus()
    copies.keyboard.press("d")
    loaded = (
        "[...document.querySelectorAll('.compare-room img')].every((one) => one.naturalWidth > 9)"
    )
    until(copies, f"document.querySelectorAll('.compare-room img').length === 2 && {loaded}")
    copies.keyboard.press("d")
    until(copies, f"document.querySelector('.compare-room.is-over') && {loaded}")
    slider = copies.get_by_label("How much of the copy is seen")
    slider.focus()
    slider.press("Home")
    assert "0%" in copies.locator(".is-cut").evaluate("one => one.style.clipPath")
    copies.keyboard.press("d")
    until(copies, f"document.querySelector('.compare-room.is-difference img') && {loaded}")
    copies.keyboard.press("t")
    until(copies, "!document.querySelector('.compare')")
    assert states(copies) == ["Kept", "To the trash"]
    assert copies.evaluate("document.activeElement.classList.contains('member')")


def test_a_plan_is_shown_before_anything_and_nothing_is_moved_where_it_may_not_be(
    copies: Any, tmp_path: Path
) -> None:
    copies.get_by_label("Mark for the trash in all groups").select_option("same file")
    copies.get_by_role("button", name="See the plan").click()
    copies.wait_for_selector(".plan")
    text = copies.locator(".plan").inner_text()
    assert "1 photo to the trash" in text
    assert "cat" in text
    assert "may not move files" in text
    assert copies.get_by_role("button", name="Move 1 photo").count() == 0
    with copies.expect_download() as download:
        copies.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "plan.json")
    assert '"action": "trash"' in (tmp_path / "plan.json").read_text(encoding="utf-8")


N_MANY = 1000


def test_of_very_many_groups_few_are_in_the_page_and_a_rule_marks_all(page: Any) -> None:
    image = page.request.get(page.url.partition("#")[0] + "api/images/4").json()

    def member(number: int, verdict: str) -> dict[str, Any]:
        return {
            "image": {**image, "id": number, "sha256": f"{number:064}"}, "verdict": verdict,
            "score": 0.99, "detail": "", "reason": "", "is_kept": verdict == "kept",
            "is_protected": False, "turn_degrees": 0, "is_mirrored": False,
        }  # fmt: skip

    def answer(route: Any) -> None:
        values = dict(re.findall(r"(\w+)=(\d+)", route.request.url))
        offset, limit = int(values["offset"]), int(values["limit"])
        groups = [
            {"number": n, "key": f"key{n}", "reclaimable_bytes": 9,
             "images": [member(4, "kept"), member(5, "recompressed")]}
            for n in range(offset, min(N_MANY, offset + limit))
        ]  # fmt: skip
        route.fulfill(json={"total": N_MANY, "offset": offset, "groups": groups})

    state = {"state": "ready", "groups": N_MANY, "copies": N_MANY, "reclaimable_bytes": 9,
             "similar": 0, "images": 9, "step": "", "done": 0, "total": 0, "error": None,
             "generation": 1, "is_stale": False, "warnings": []}  # fmt: skip
    page.route(re.compile(r"/api/copies$"), lambda route: route.fulfill(json=state))
    page.route(re.compile(r"/api/copies/groups"), answer)
    page.keyboard.press("3")
    page.wait_for_selector(".group")
    assert page.locator(".group").count() < 100
    page.get_by_label("Mark for the trash in all groups").select_option("all")
    page.wait_for_selector(".copies-foot:has-text('1,000 photos to the trash')")
    assert page.locator(".group").count() < 100
    page.locator(".member").first.focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('.group').dataset.key") == "key30"


def test_photos_go_to_the_trash_and_come_back(watched: Watched, serve_own: ServedMaker) -> None:
    served: Served = serve_own("--allow-trash")
    before = {path.name: path.read_bytes() for path in served.folder.iterdir()}
    page = watched.open(served.start)
    look(page)
    page.get_by_label("Mark for the trash in all groups").select_option("smaller")
    page.get_by_role("button", name="See the plan").click()
    assert {path.name for path in served.folder.iterdir()} == set(before)
    page.get_by_role("button", name="Move 2 photos to the trash").click()
    page.wait_for_selector(".plan-sum:has-text('2 photos moved to the trash')")
    left = {path.name for path in served.folder.iterdir()}
    assert len(left) == len(before) - 2
    page.get_by_role("button", name="Done").click()
    until(page, "!document.querySelector('.group')")
    page.get_by_role("region", name="What was cleared away").get_by_role("button").click()
    page.wait_for_selector(".toast:has-text('2 photos brought back')")
    assert {path.name: path.read_bytes() for path in served.folder.iterdir()} == before


def test_no_duplicates_is_remembered(watched: Watched, serve_own: ServedMaker) -> None:
    page = watched.open(serve_own().start)
    look(page)
    assert page.locator("h1").inner_text() == "2 groups"
    same = page.locator(".group", has_text="same file")
    assert same.get_by_role("button", name="Not duplicates").is_disabled()
    page.locator(".group", has_text="resized").locator(".member").first.focus()
    page.keyboard.press("n")
    page.wait_for_selector(".toast:has-text('no duplicates')")
    assert page.locator("h1").inner_text() == "1 group"
    assert page.evaluate("document.activeElement.classList.contains('member')")
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("button", name="Look for copies").click()
    until(page, "document.querySelector('h1').textContent === '1 group'")


def test_where_nothing_may_be_changed_the_page_says_why(
    watched: Watched, serve_own: ServedMaker
) -> None:
    page = watched.open(serve_own("--read-only").start)
    look(page)
    group = page.locator(".group").first
    assert group.get_by_role("button", name="Not duplicates").is_disabled()
    assert "read-only" in group.get_by_role("button", name="Not duplicates").get_attribute("title")
    page.locator(".member").first.focus()
    page.keyboard.press("n")
    assert "read-only" in page.locator(".toast").inner_text()
    page.get_by_label("Mark for the trash in all groups").select_option("all")
    page.get_by_role("button", name="See the plan").click()
    assert "read-only" in page.locator(".plan .notice").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("4")
    page.wait_for_selector(".about")
    assert "for reading only" in page.locator(".about").inner_text()
