"""``backup``, ``salvage``, ``verify --repair`` and ``errors --retry``."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
INDEX = Path("indexes/default")


def _edit(statement: str) -> None:
    with contextlib.closing(sqlite3.connect(INDEX / "mobisearch.db")) as connection, connection:
        connection.execute(statement)


def test_a_backup_is_made_and_counted(command: Command, indexed: Path, tmp_path: Path) -> None:
    done = command("backup", tmp_path / "copy")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == f"3 images backed up to {tmp_path / 'copy'}\n"
    done = command("backup", tmp_path / "second", "--json")
    assert done.document["path"] == str(tmp_path / "second")
    assert done.document["images"] == 3
    assert done.document["bytes"] == (tmp_path / "second" / "mobisearch.db").stat().st_size
    assert command("search", indexed / "a.png", "--index", tmp_path / "copy").code == 0


def test_a_backup_over_something_is_refused(command: Command, indexed: Path) -> None:
    done = command("backup", indexed)
    assert done.code == 73
    assert "holds other files" in done.stderr
    assert command("backup", INDEX).code == 73


@pytest.mark.parametrize("name", ["backup", "salvage"])
@pytest.mark.parametrize("place", ["inside", "backups/deep"])
def test_a_copy_inside_the_index_itself_is_refused(
    command: Command, indexed: Path, name: str, place: str
) -> None:
    done = command(name, f"{INDEX}/{place}")
    assert (done.code, "is inside the index" in done.stderr) == (73, True)
    assert not Path(INDEX, place).exists()
    assert command("backup", f"{INDEX}-2").code == 0


def test_a_sound_index_needs_no_repair(command: Command, indexed: Path) -> None:
    done = command("verify", "--repair")
    assert (done.code, done.stdout, done.stderr) == (0, "3 embeddings checked: all sound\n", "")


def test_damage_is_told_mended_and_gone(command: Command, indexed: Path) -> None:
    _edit("UPDATE vector SET vec = x'00' WHERE vector_id = 2")
    done = command("verify")
    assert done.code == 65
    assert "damaged: catalog: 1 embeddings have the wrong size" in done.stderr
    assert "mobisearch verify --repair" in done.stderr
    done = command("verify", "--repair")
    assert done.code == 0
    assert "mended: 1 embeddings have the wrong size" in done.stdout
    assert "1 image read again" in done.stdout
    assert "the catalog as it was: " in done.stderr
    assert command("verify").code == 0
    assert command("status", "--json").document["images"] == 3


def test_the_document_of_a_repair_says_what_was_done(command: Command, indexed: Path) -> None:
    _edit("DELETE FROM vector WHERE vector_id = 1")
    path = indexed / "a.png"
    path.rename(indexed / "a.kept")
    document = command("verify", "--repair", "--json").document
    assert document["ok"] is True
    assert document["reread"] == 0
    assert document["missing"] == [{"path": str(path)}]
    assert os.path.exists(document["backup"]["path"])
    (indexed / "a.kept").rename(path)
    assert command("index", indexed, "--json").document["returned"] == 1


def test_a_catalog_beyond_repair_is_salvaged(
    command: Command, indexed: Path, tmp_path: Path
) -> None:
    path = INDEX / "mobisearch.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        statement = "SELECT rootpage FROM sqlite_master WHERE name = 'segment'"
        [(page,)] = connection.execute(statement)
        [(size,)] = connection.execute("PRAGMA page_size")
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    damaged = path.read_bytes()
    for arguments in (["verify"], ["verify", "--repair"], ["search", indexed / "a.png"]):
        done = command(*arguments)
        assert done.code == 65, arguments
        assert "mobisearch salvage" in done.stderr or "restore" in done.stderr
    done = command("salvage", tmp_path / "saved")
    assert done.code == 0
    assert f"3 images saved to {tmp_path / 'saved'}" in done.stdout
    assert f"mobisearch index --index {tmp_path / 'saved'}" in done.stderr
    assert path.read_bytes() == damaged
    assert command("verify", "--index", tmp_path / "saved").code == 0
    done = command("index", "--index", tmp_path / "saved", "--json")
    assert done.document["images"] == 3
    document = command("salvage", tmp_path / "again", "--json").document
    assert (document["images"], document["embeddings"], document["gaps"]) == (3, 3, [])


def test_failed_files_are_tried_again(command: Command, indexed: Path) -> None:
    done = command("errors", "--retry")
    assert done.code == 1
    assert "0 added, 0 unchanged, 1 failed" in done.stdout
    whole, broken = (indexed / "a.png").read_bytes(), indexed / "broken.jpg"
    status = broken.stat()
    broken.write_bytes(whole + b"\0" * max(0, status.st_size - len(whole)))
    done = command("errors", "--retry", "--json")
    assert done.code == 0
    assert (done.document["updated"], done.document["images"]) == (1, 4)
    assert command("errors").stderr == "no errors: every image found could be indexed\n"


def test_bare_paths_are_printed_byte_for_byte(command: Command, indexed: Path) -> None:
    name = f"{indexed}/line\nbreak \u202e\x1b[31m.png"
    try:
        Path(name).write_bytes((indexed / "a.png").read_bytes() + b"x")
    except OSError:
        pytest.skip("file names cannot hold all characters here")
    command("index", indexed)
    done = command("search", indexed / "a.png", "-0", "-k", "2")
    assert done.stdout == f"{indexed / 'a.png'}\0{name}\0"
    assert command("errors", "-0").stdout == f"{indexed / 'broken.jpg'}\0"


def test_limits_can_be_set(command: Command, indexed: Path) -> None:
    for option in ("--max-megapixels", "--max-megabytes", "--deadline"):
        assert command("index", indexed, option, "0").code == 2
    folder = indexed.parent / "more"
    folder.mkdir()
    (folder / "x.png").write_bytes((indexed / "a.png").read_bytes() + b"1")
    done = command("index", folder, "--max-megapixels", "0.001")
    assert done.code == 1
    assert "over the limit of 500" in done.stderr
    (folder / "x.png").write_bytes((indexed / "a.png").read_bytes() + b"2")
    done = command("index", folder, "--max-megabytes", "0.0001")
    assert "over the limit of 100" in done.stderr
    assert command("errors", "--retry").code == 1
    assert len(json.loads(command("errors", "--json").stdout)) == 1


def test_what_is_cut_short_is_taken_when_asked_for(command: Command, indexed: Path) -> None:
    cut = (indexed / "a.png").read_bytes()
    (indexed / "cut.png").write_bytes(cut[: len(cut) * 3 // 4])
    assert command("index", indexed, "--json").document["errors"]["truncated"] == 2
    done = command("errors", "--retry", "--tolerant", "--json")
    assert done.document["images"] >= 4
