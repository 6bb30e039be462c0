"""``mobisearch status``, ``errors`` and ``verify``."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch.store import structures, tuning

Command = Callable[..., Any]
INDEX = Path("indexes") / "default"


def test_the_status_says_what_is_in_an_index(command: Command, indexed: Path) -> None:
    done = command("status", "--json")
    assert (done.code, done.stderr) == (0, "")
    document = done.document
    assert (document["images"], document["errors"], document["missing"]) == (3, 1, 0)
    assert document["path"] == str(INDEX.absolute())
    assert document["roots"] == [{"path": str(indexed)}]
    shown = command("status").stdout
    assert (
        "labels     none; its model has no classifier: mobisearch label --classifier FILE" in shown
    )
    for words in ("images     3 (3 different)", "errors     1", "mobilenet_v2", str(indexed)):
        assert words in shown


def test_errors_are_listed_with_their_reason(command: Command, indexed: Path) -> None:
    done = command("errors")
    assert done.code == 0
    assert done.stdout.startswith(f"{indexed / 'broken.jpg'}: ")
    assert done.stdout.endswith("[truncated]\n")
    [entry] = command("errors", "--json").document
    assert set(entry) == {"path", "code", "reason"}
    (indexed / "broken.jpg").unlink()
    command("index", indexed)
    done = command("errors")
    assert (done.code, done.stdout) == (0, "")
    assert "no errors" in done.stderr
    assert command("errors", "--json").document == []


def test_a_sound_index_is_verified(command: Command, indexed: Path) -> None:
    done = command("verify")
    assert (done.code, done.stdout, done.stderr) == (0, "3 embeddings checked: all sound\n", "")
    assert command("verify", "--json").document == {
        "ok": True,
        "checked": 3,
        "damage": [],
        "stale": [],
    }


def test_a_lost_cache_is_no_damage_and_the_next_run_makes_it_again(
    command: Command, indexed: Path
) -> None:
    [segment] = (INDEX / "segments").glob("*.faiss")
    data = bytearray(segment.read_bytes())
    data[200] ^= 1
    segment.write_bytes(data)
    done = command("verify")
    assert done.code == 0
    assert "to be rebuilt by the next 'mobisearch index'" in done.stderr
    command("index", indexed)
    assert command("verify").stderr == ""


def test_damage_has_its_exit_code_and_is_named(command: Command, indexed: Path) -> None:
    with contextlib.closing(sqlite3.connect(INDEX / "mobisearch.db")) as connection, connection:
        connection.execute("UPDATE vector SET vec = zeroblob(length(vec)) WHERE vector_id = 2")
    done = command("verify")
    assert done.code == 65
    assert "3 embeddings checked: damaged" in done.stdout
    assert "damaged: catalog: embedding 2 is not a unit vector" in done.stderr
    assert not command("verify", "--json").document["ok"]


@pytest.mark.parametrize("name", ["status", "errors", "verify"])
def test_without_an_index_nothing_is_made(command: Command, name: str) -> None:
    done = command(name)
    assert done.code == 66
    assert done.stdout == ""
    assert "there is no index here" in done.stderr
    assert not INDEX.exists()


@pytest.mark.parametrize("name", ["status", "errors", "verify", "search", "index"])
def test_a_foreign_catalog_is_damage_for_every_command(
    command: Command, photos: Path, name: str
) -> None:
    INDEX.mkdir(parents=True)
    (INDEX / "mobisearch.db").write_bytes(b"\xff\xd8\xff\xe0" * 100)
    arguments = {"search": [photos / "a.png"], "index": [photos]}.get(name, [])
    done = command(name, *arguments)
    assert done.code == 65
    assert done.stdout == ""
    assert "not a catalog made by mobisearch" in done.stderr
    assert (INDEX / "mobisearch.db").read_bytes() == b"\xff\xd8\xff\xe0" * 100


def test_an_index_of_an_unknown_model_is_a_model_that_is_unavailable(
    command: Command, indexed: Path
) -> None:
    with contextlib.closing(sqlite3.connect(INDEX / "mobisearch.db")) as connection, connection:
        connection.execute("UPDATE model SET name = 'resnet'")
    done = command("status")
    assert done.code == 69
    assert "resnet" in done.stderr


def test_the_status_says_how_searches_work(
    command: Command, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "search     exact\n" in command("status").stdout
    document = command("status", "--json").document
    assert (document["structure"], document["recall_target"]) == (None, 0.99)
    monkeypatch.setattr(structures, "_MIN_VECTORS", 3)
    assert command("index", "--recall", "0.5", indexed).code == 1
    shown = command("status").stdout
    assert (
        "search     approximate: RaBitQfs over 3, recall@10 1.000 measured with 3 of its own "
        "images (target 0.5)\n"
    ) in shown
    structure = command("status", "--json").document["structure"]
    assert (structure["vectors"], structure["recall"], structure["queries"]) == (3, 1.0, 3)
    monkeypatch.setattr(tuning, "_recall", lambda *_: 0.25)
    assert command("index", "--recall", "0.75", indexed).code == 1
    shown = command("status").stdout
    assert "search     exact: recall@10 was only 0.250 (target 0.75)\n" in shown


@pytest.mark.parametrize("recall", ["0", "1.5", "nan", "-1", "many"])
def test_a_recall_that_is_none_is_a_mistake_in_the_command(
    command: Command, indexed: Path, recall: str
) -> None:
    done = command("index", "--recall", recall, indexed)
    assert done.code == 2
    assert command("status", "--json").document["recall_target"] == 0.99
