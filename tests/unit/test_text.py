"""File names that are safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobisearch.text import printable

CAT = "\N{SMILING CAT FACE WITH OPEN MOUTH}"
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.jpg",
        "/photos/été 2021/ß.jpg",
        "写真.jpg",
        f"{CAT}.jpg",
        FAMILY,
        "e\u0301",
        "क\u200dष",
    ],
)
def test_names_in_any_script_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\tb", "a\\r\\tb"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),  # the one-character form of escape and bracket
        ("\x00", "\\x00"),
        ("\x7f", "\\x7f"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("\u2066\u2069", "\\u2066\\u2069"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("caf\udce9.jpg", "caf\\xe9.jpg"),  # a byte that is not UTF-8
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),  # invisible tag characters
    ],
)
def test_what_could_act_or_mislead_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_the_result_is_one_line_that_any_terminal_and_encoder_takes(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    kinds = {unicodedata.category(c) for c in shown if c not in "\u200c\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters()))
def test_what_is_shown_is_shown_the_same_again(text: str) -> None:
    assert printable(printable(text)) == printable(text)
