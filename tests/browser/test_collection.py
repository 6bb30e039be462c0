"""The collection at a glance."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pagekit.serving import Served
from pagekit.watching import until


@pytest.fixture
def collection(page: Any) -> Any:
    page.keyboard.press("4")
    page.wait_for_selector(".years")
    return page


def test_the_numbers_are_those_of_the_command(collection: Any, served: Served) -> None:
    command = [sys.executable, "-m", "mobisearch", "status", "--index", str(served.index), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status = json.loads(done.stdout)
    text = collection.locator(".figures").inner_text().split("\n")
    assert text[text.index("photos") + 1] == str(status["images"])
    assert text[text.index("taken") + 1] == "2015\N{EN DASH}2018"
    assert text[text.index("file not read") + 1] == "1"


def test_files_that_could_not_be_read_are_listed_with_the_reason(collection: Any) -> None:
    collection.wait_for_selector(".errors li")
    line = collection.locator(".errors li").inner_text()
    assert "broken.jpg" in line
    assert "cut short" in line


def test_a_bar_leads_to_the_photos_that_it_counts(collection: Any) -> None:
    bar = collection.get_by_role("region", name="Cameras").get_by_role("link").first
    counted = bar.locator(".bar-number").inner_text()
    bar.click()
    until(collection, f"document.querySelector('h1').textContent === '{counted} photos'")
    assert "camera=" in collection.url
    collection.go_back()
    collection.wait_for_selector(".years")


def test_a_year_leads_to_the_photos_taken_in_it(collection: Any) -> None:
    year = collection.get_by_role("region", name="By year").get_by_role("link").first
    words = year.get_attribute("aria-label")
    assert words.startswith("2015: ")
    year.click()
    until(collection, f"document.querySelector('h1').textContent === '{words[6:]}'")
    assert collection.get_by_label("Taken", exact=True).input_value() == "2015"
