"""Matches: a list that knows its query, pickles, and shows its pictures."""

from __future__ import annotations

import base64
import copy
import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mobisearch import ImageRecord, Match, Matches
from mobisearch.errors import ImageNotFoundError

PhotoMaker = Callable[..., Path]


def _match(path: str, score: float = 0.5, number: int = 1) -> Match:
    return Match(score, ImageRecord(number, path, 60, 40, 100, 0, "a" * 64, "JPEG"))


def test_matches_are_a_list_that_knows_its_query() -> None:
    matches = Matches([_match("/a.jpg")], query="q.jpg")
    assert isinstance(matches, list)
    assert matches == [_match("/a.jpg")]
    assert (matches.query, matches.error) == ("q.jpg", None)
    assert Matches() == []


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_matches_survive_copying_and_pickling(duplicate: Callable[[Matches], Matches]) -> None:
    matches = Matches([_match("/a.jpg")], query="q", error=ImageNotFoundError("q"))
    again = duplicate(matches)
    assert type(again) is Matches
    assert list(again) == list(matches)
    assert again.query == "q"
    assert str(again.error) == str(matches.error)


def test_a_match_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        _match("/a.jpg").score = 1.0  # type: ignore[misc]


def test_a_notebook_shows_the_pictures_themselves(tmp_path: Path, make_photo: PhotoMaker) -> None:
    path = make_photo(tmp_path / "a.jpg", seed=1, size=(640, 320))
    html = Matches([_match(str(path), 0.98765)], query="q.jpg")._repr_html_()
    [encoded] = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert picture.size == (160, 80)
    assert "0.988" in html
    assert "q.jpg: 1 matches" in html
    assert "data:image/jpeg" in _match(str(path))._repr_html_()


def test_a_picture_that_is_gone_leaves_a_sentence(tmp_path: Path) -> None:
    html = Matches([_match(str(tmp_path / "gone.jpg"))])._repr_html_()
    assert "no such file" in html
    assert "<img" not in html


def test_a_query_that_failed_shows_why() -> None:
    assert "no such file" in Matches(query="q", error=ImageNotFoundError("q"))._repr_html_()


def test_names_cannot_act_on_the_page_or_the_reader() -> None:
    name = "/x/<script>alert('1')</script>&\"\x1b[31m\u202egpj.jpg"
    for html in (
        _match(name)._repr_html_(),
        Matches([_match(name)], query=name)._repr_html_(),
        Matches(query=name, error=ImageNotFoundError(name))._repr_html_(),
    ):
        assert "<script" not in html
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert "&lt;" in html


def test_a_long_list_shows_its_beginning(tmp_path: Path) -> None:
    html = Matches([_match(f"/none/{n}.jpg") for n in range(60)])._repr_html_()
    assert html.count("<figure") == 50
    assert "and 10 more" in html
