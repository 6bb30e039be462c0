"""``mobisearch search``."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mobisearch.store import live, structures

Command = Callable[..., Any]


def test_the_document_is_that_of_the_contract(command: Command, indexed: Path) -> None:
    done = command("search", indexed / "a.png", indexed / "b.png", "-k", "2", "--json")
    assert (done.code, done.stderr) == (0, "")
    document = done.document
    assert [entry["query"] for entry in document] == [
        str(indexed / "a.png"),
        str(indexed / "b.png"),
    ]
    for entry in document:
        assert set(entry) == {"query", "matches"}
        assert len(entry["matches"]) == 2
        for match in entry["matches"]:
            assert set(match) >= {"id", "path", "score"}
            assert type(match["id"]) is int
            assert type(match["path"]) is str
            assert type(match["score"]) is float
        assert entry["matches"][0]["path"] == entry["query"]
        assert entry["matches"][0]["score"] == pytest.approx(1, abs=1e-6)
    scores = [match["score"] for match in document[0]["matches"]]
    assert scores == sorted(scores, reverse=True)


def test_people_see_a_line_for_each_match(command: Command, indexed: Path) -> None:
    done = command("search", indexed / "b.png", "-k", "3")
    lines = done.stdout.splitlines()
    assert lines[0] == str(indexed / "b.png")
    assert lines[1].split() == ["1.0000", "60x40", "#2", str(indexed / "b.png")]
    assert len(lines) == 4
    assert done.stderr == ""


def test_fewer_images_than_asked_for_are_explained(command: Command, indexed: Path) -> None:
    done = command("search", indexed / "a.png")
    assert done.code == 0
    assert done.stdout.count("\n") == 4
    assert "holds only 3 images, fewer than the 10 asked for" in done.stderr


def test_an_empty_index_says_how_to_fill_it(command: Command, tmp_path: Path, photos: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert command("index", tmp_path / "empty").code == 0
    done = command("search", photos / "a.png", "--json")
    assert done.code == 0
    assert done.document == [{"query": str(photos / "a.png"), "matches": []}]
    assert "mobisearch index FOLDER" in done.stderr


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many"])
def test_a_count_that_is_none_is_a_mistake_of_usage(
    command: Command, indexed: Path, count: str
) -> None:
    done = command("search", indexed / "a.png", "-k", count)
    assert done.code == 2
    assert done.stdout == ""
    assert "'-k'" in done.stderr


def test_a_query_that_cannot_be_used_does_not_stop_the_others(
    command: Command, indexed: Path
) -> None:
    done = command(
        "search", indexed / "broken.jpg", indexed / "a.png", "gone.jpg", "--json", "-k", "1"
    )
    assert done.code == 1
    broken, good, gone = done.document
    assert (broken["matches"], broken["error"]["code"]) == ([], "truncated")
    assert len(good["matches"]) == 1
    assert gone["error"]["code"] == "not_found"
    assert done.stderr.count("\n") == 2
    assert "gone.jpg: no such file" in done.stderr


def test_queries_that_are_all_missing_are_missing_input(command: Command, indexed: Path) -> None:
    assert command("search", "gone.jpg", "gone too.jpg").code == 66
    assert command("search", indexed / "broken.jpg").code == 1
    assert command("search", indexed).code == 1


def test_without_an_index_the_command_to_make_one_is_shown(command: Command, photos: Path) -> None:
    done = command("search", photos / "a.png")
    assert done.code == 66
    assert done.stdout == ""
    assert "make one with: mobisearch index" in done.stderr
    assert not os.path.exists("indexes")


def test_a_sheet_is_made_and_an_earlier_one_replaced(command: Command, indexed: Path) -> None:
    for count in ("3", "1"):
        done = command("search", indexed / "a.png", "-k", count, "--sheet", "sheet.png")
        assert done.code == 0
        assert "contact sheet: sheet.png" in done.stderr
        with Image.open("sheet.png") as sheet:
            assert sheet.width > 700  # room for the query and two matches at least


def test_a_sheet_never_replaces_a_photo(command: Command, indexed: Path) -> None:
    before = (indexed / "b.png").read_bytes()
    done = command("search", indexed / "a.png", "--sheet", indexed / "b.png")
    assert done.code == 73
    assert "left alone" in done.stderr
    assert (indexed / "b.png").read_bytes() == before


def test_an_odd_name_is_shown_escaped_and_given_as_bytes(command: Command, photos: Path) -> None:
    odd = os.path.join(photos, os.fsdecode(b"\x1b[31m\xff.png"))
    os.rename(photos / "a.png", odd)
    command("index", photos)
    done = command("search", odd, "-k", "1")
    assert "\x1b" not in done.stdout
    assert r"\x1b[31m\xff.png" in done.stdout
    [entry] = command("search", odd, "-k", "1", "--json").document
    assert base64.b64decode(entry["query_b64"]) == os.fsencode(odd)
    assert base64.b64decode(entry["matches"][0]["path_b64"]) == os.fsencode(odd)
    assert entry["query"].endswith(r"\x1b[31m\xff.png")


def test_a_sheet_that_cannot_be_written_is_refused_before_the_search(
    command: Command, indexed: Path
) -> None:
    done = command("search", indexed / "a.png", "--sheet", indexed / "a.png")
    assert done.code == 73
    assert "is no contact sheet" in done.stderr
    assert done.stdout == ""


def test_no_sheet_is_made_when_no_query_can_be_used(command: Command, indexed: Path) -> None:
    assert command("search", "nope.jpg", "--sheet", "sheet.png").code == 66
    assert not Path("sheet.png").exists()


def test_an_image_that_is_gone_is_marked(command: Command, indexed: Path) -> None:
    query = Path("query.png")
    query.write_bytes((indexed / "a.png").read_bytes())
    assert "(not there now)" not in command("search", query, "-k", "1").stdout
    (indexed / "a.png").unlink()
    assert command("search", query, "-k", "1").stdout.endswith("a.png  (not there now)\n")


def test_a_folder_as_a_query_is_said_to_be_one(command: Command, indexed: Path) -> None:
    done = command("search", indexed)
    assert done.code == 1
    assert f"{indexed}: a folder, not an image" in done.stderr


def test_exact_compares_with_every_image(
    command: Command, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structures, "_MIN_VECTORS", 3)
    assert command("index", "--recall", "0.5", indexed).code == 1
    exact = command("search", "--exact", "--json", indexed / "a.png").document
    assert len(exact[0]["matches"]) == 3
    monkeypatch.setattr(live, "load_vectors", lambda *_, **__: pytest.fail("loaded all"))
    with pytest.raises(pytest.fail.Exception, match="loaded all"):
        command("search", "--exact", indexed / "a.png")
