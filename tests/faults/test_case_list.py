"""Every numbered fault case has a test that is named for it.

A name carries one number (``test_case_42_...``) or several (``test_cases_01_to_06_and_08_...``).
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
FOLDERS = ("faults", "crash")
CASES = frozenset(range(1, 59))

_NAME = re.compile(r"test_cases?_(\d\d(?:_(?:to|and)_\d\d)*)_[a-z]\w*")


def cases_in(name: str) -> set[int]:
    """Return the numbers that a test's name carries."""
    found = _NAME.fullmatch(name)
    if found is None:
        return set()
    numbers: set[int] = set()
    words = found[1].split("_")
    for link, word in zip(["and", *words[1::2]], words[::2], strict=True):
        first = max(numbers) + 1 if link == "to" else int(word)
        numbers |= set(range(first, int(word) + 1))
    return numbers


@functools.cache
def _cases() -> dict[int, list[str]]:
    """Return the tests of each case, by reading the files that hold them."""
    found: dict[int, list[str]] = {}
    files = [path for folder in FOLDERS for path in sorted((TESTS / folder).glob("**/test_*.py"))]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for number in cases_in(node.name):
                    found.setdefault(number, []).append(f"{path.name}::{node.name}")
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test_case_42_a_mutated_picture", {42}),
        ("test_cases_01_to_06_and_08_a_killed_run", {1, 2, 3, 4, 5, 6, 8}),
        ("test_cases_03_and_05_to_07_something", {3, 5, 6, 7}),
        ("test_a_case_42", set()),
        ("test_case_of_42", set()),
    ],
)
def test_a_name_carries_numbers_and_ranges(name: str, expected: set[int]) -> None:
    assert cases_in(name) == expected


@pytest.mark.parametrize("number", sorted(CASES))
def test_every_case_has_a_test_named_for_it(number: int) -> None:
    assert _cases().get(number)


def test_no_test_is_named_for_a_case_that_does_not_exist() -> None:
    assert set(_cases()) <= CASES
