"""``mobisearch remove``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def test_a_folder_that_is_gone_can_be_forgotten(command: Command, indexed: Path) -> None:
    before = {path: path.read_bytes() for path in indexed.iterdir()}
    assert command("index", indexed.parent / "nothing").code == 66
    shutil.move(indexed, indexed.parent / "away")
    done = command("remove", indexed, "--json")
    assert (done.code, done.stderr) == (0, "")
    assert done.document == {"removed": len(before), "roots": 1}
    status = command("status", "--json").document
    assert (status["images"], status["errors"], status["roots"]) == (0, 0, [])
    away = indexed.parent / "away"
    assert {indexed / path.name: path.read_bytes() for path in away.iterdir()} == before


def test_a_single_file_can_be_forgotten(command: Command, indexed: Path) -> None:
    done = command("remove", indexed / "a.png")
    assert (done.code, done.stdout) == (
        0,
        "1 file forgotten; the file itself was not touched\n",
    )
    assert (indexed / "a.png").exists()
    assert command("status", "--json").document["images"] == 2


def test_paths_that_are_not_known_are_said_to_be(command: Command, indexed: Path) -> None:
    done = command("remove", indexed / "nope.jpg")
    assert done.code == 66
    assert "knows none of these paths" in done.stderr
    assert command("status", "--json").document["images"] == 3
