"""Names of every kind, of photos and of indexes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faultkit.names import NAMES, check_is_harmless, path_of, photos

from mobisearch import Embedder, ImageIndex

PhotoMaker = Callable[..., Path]


# ---------------------------------------------------------------- names of photos


def test_case_36_photos_of_any_name_are_stored_found_and_told_in_valid_json(
    named: dict[str, bytes], tmp_path: Path, command: Callable[..., Any]
) -> None:
    where = ("--index", str(tmp_path / "index"), "--json")
    assert command("index", photos(named), *where).document["added"] == len(NAMES)
    queries = [os.fsdecode(path) for path in named.values()]
    done = command("search", *where, "-k", "1", "--", *queries)
    done.stdout.encode("utf-8")
    for path, answer in zip(named.values(), done.document, strict=True):
        [match] = answer["matches"]
        assert path_of(match) == path
        assert match["score"] == 1
    assert command("index", photos(named), *where).document["unchanged"] == len(NAMES)


def test_case_36_names_are_shown_escaped(
    named: dict[str, bytes], tmp_path: Path, command: Callable[..., Any]
) -> None:
    where = ("--index", str(tmp_path / "index"))
    command("index", photos(named), *where)
    query = os.fsdecode(named["one character"])
    done = command("search", query, "-k", "1000", *where)
    check_is_harmless(done.stdout + done.stderr)
    assert done.stdout.count("\n") == len(NAMES) + 1, "one line for each, whatever its name"
    for words in (
        r"new\nline",
        r"\x1b[31m",
        r"\u202e",
        r"\xff\xfe.png",
        r"\xed\xa0\x80",
        r"\u2028",
    ):
        assert words in done.stdout


def test_case_36_names_of_files_that_failed_are_shown_escaped(
    named: dict[str, bytes], tmp_path: Path, command: Callable[..., Any]
) -> None:
    for path in named.values():
        with open(path, "wb") as file:
            file.write(b"ruined")
    where = ("--index", str(tmp_path / "index"))
    done = command("index", photos(named), *where)
    assert done.code == 1
    check_is_harmless(done.stdout + done.stderr)
    done = command("errors", *where)
    check_is_harmless(done.stdout + done.stderr)
    assert done.stdout.count("\n") == len(NAMES)
    listed = command("errors", *where, "--json").document
    assert {path_of(entry) for entry in listed} == set(named.values())


@pytest.mark.parametrize("kind", NAMES)
def test_case_36_a_photo_of_any_name_can_be_a_query_moved_and_forgotten(
    index: ImageIndex, tmp_path: Path, pictures: list[bytes], kind: str
) -> None:
    path = os.path.join(os.path.realpath(tmp_path), os.fsdecode(NAMES[kind]))
    with open(path, "wb") as file:
        file.write(pictures[0])
    index.add([path])
    image_id = index.search(path, k=1)[0].image.id
    moved = os.path.join(os.path.dirname(path), "moved", os.path.basename(path))
    os.mkdir(os.path.dirname(moved))
    os.rename(path, moved)
    assert index.add([moved]).moved == 1
    assert index.image(image_id).path == moved
    assert index.remove([moved]) == 1
    assert len(index) == 0


# ---------------------------------------------------------------- names of indexes

INDEX_NAMES = {
    "not ASCII": "Fotos-\u65e5\u672c-\U0001f408".encode(),
    "invalid UTF-8": b"\xff\xfe",
    "question mark": b"a?mode=rw&b",
    "hash": b"a#b",
    "percent": b"100%25 %zz",
    "spaces": b" a b ",
    "newline": b"a\nb",
    "leading dash": b"-index",
    "colon": b"file:memory:",
    "memory": b":memory:",
    "backslash": b"a\\b",
    "quote": b"a'b\"c",
    "dots": b"...",
}


@pytest.mark.parametrize(
    ("kind", "is_relative"),
    [*[(kind, False) for kind in INDEX_NAMES], ("invalid UTF-8", True), ("hash", True)],
)
def test_case_37_an_index_of_any_name_works(
    tmp_path: Path,
    photos: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    check_sound: Callable[..., None],
    kind: str,
    is_relative: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(INDEX_NAMES[kind])
    whole = os.path.join(tmp_path, name)
    path = name if is_relative else whole
    with ImageIndex.create(path, fake_embedder) as index:
        index.sync(photos)
    with ImageIndex.open(path, fake_embedder) as index:
        check_sound(index, fake_embedder)
        assert index.sync(photos).unchanged == 4
        assert index.status().path == whole
    assert sorted(os.listdir(tmp_path)) == sorted([name, "photos"]), "nothing beside it"


@pytest.mark.parametrize("kind", ["invalid UTF-8", "question mark", "newline", "colon"])
def test_case_37_the_command_works_with_an_index_of_any_name(
    tmp_path: Path, photos: Path, command: Callable[..., Any], kind: str
) -> None:
    path = os.path.join(tmp_path, os.fsdecode(INDEX_NAMES[kind]))
    assert command("index", photos, "--index", path).code == 0
    done = command("status", "--index", path)
    assert done.code == 0
    check_is_harmless(done.stdout)
    assert path_of(command("status", "--index", path, "--json").document) == os.fsencode(path)
