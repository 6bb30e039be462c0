"""Text that Pillow's own font cannot show."""

from __future__ import annotations

import pytest

from mobisearch.reports import fonts


def test_plain_text_is_drawn_as_it_is() -> None:
    assert fonts.choose_font("cat.jpg", 14)[0] == "cat.jpg"


def test_other_text_keeps_its_letters_where_the_system_has_a_font(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    font = fonts.ImageFont.load_default(14)
    monkeypatch.setattr(fonts, "_system_font", lambda size_px: font)
    assert fonts.choose_font("Größe.jpg", 14) == ("Größe.jpg", font)


def test_without_a_font_for_it_text_loses_its_accents_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "_system_font", lambda size_px: None)
    assert fonts.choose_font("Größe é 東.jpg", 14)[0] == "Grosse e ?.jpg"


def test_a_system_without_any_of_the_fonts_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_SYSTEM_FONTS", ("no-such-font.ttf",))
    fonts._system_font.cache_clear()
    assert fonts._system_font(14) is None
    fonts._system_font.cache_clear()
