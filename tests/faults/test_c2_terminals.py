"""Every kind of terminal and pipe, and names of every kind in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faultkit.names import NAMES, photos

PhotoMaker = Callable[..., Path]


# ---------------------------------------------------------------- terminals and pipes

ENVIRONMENTS = {
    "C locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Latin-1 output": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    "ASCII output": {"PYTHONIOENCODING": "ascii:strict"},
    "unbuffered": {"PYTHONUNBUFFERED": "1"},
}


@pytest.fixture
def odd_index(named: dict[str, bytes], tmp_path: Path, command: Callable[..., Any]) -> str:
    """The directory of an index in which half of the oddly named files failed."""
    for path in list(named.values())[::2]:
        with open(path, "wb") as file:
            file.write(b"ruined")
    path = str(tmp_path / "index")
    assert command("index", photos(named), "--index", path).code == 1
    return path


@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_case_40_no_locale_breaks_the_output(
    odd_index: str, named: dict[str, bytes], program: Callable[..., Any], kind: str
) -> None:
    query = list(named.values())[1]
    done = program(
        "search", "--index", odd_index, "-k", "99", "--", query, environment=ENVIRONMENTS[kind]
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.count(b"\n") == len(NAMES) // 2 + 1
    assert b"\x1b" not in done.stdout
    if kind == "C locale":
        assert done.stdout.isascii()


@pytest.mark.parametrize("words", [("errors",), ("errors", "--json"), ("verify",)])
def test_case_40_an_output_that_nobody_reads_is_no_error(
    odd_index: str, program: Callable[..., Any], words: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = program(*words, "--index", odd_index, stdout=writer)
    finally:
        os.close(writer)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_case_40_head_may_see_enough(odd_index: str, tmp_path: Path) -> None:
    fake = Path(__file__).parent / "fake_command.py"
    script = '"$0" "$1" errors --index "$2" | head -n 1; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, fake, odd_index], capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_case_40_closed_streams_break_nothing(
    odd_index: str, photos: Path, closed: str, command: Callable[..., Any]
) -> None:
    fake = Path(__file__).parent / "fake_command.py"
    script = f'"$0" "$1" index "$3" --index "$2" {closed}'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, fake, odd_index, photos],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert command("verify", "--index", odd_index).code == 0


def test_case_40_on_a_terminal_that_is_none_there_is_no_progress_bar(
    odd_index: str, photos: Path, program: Callable[..., Any]
) -> None:
    shutil.copytree(photos, photos.parent / "more")
    done = program("index", photos.parent / "more", "--index", odd_index, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done.stderr
    assert b"\r" not in done.stdout + done.stderr


# ---------------------------------------------------------------- raw paths for scripts


def test_case_36_raw_paths_separated_by_zeros_are_the_paths(
    named: dict[str, bytes], odd_index: str, program: Callable[..., Any]
) -> None:
    failed, whole = set(list(named.values())[::2]), set(list(named.values())[1::2])
    done = program("errors", "-0", "--index", odd_index)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.removesuffix(b"\0").split(b"\0")) == failed
    query = sorted(whole)[0]
    done = program("search", "-0", "-k", "99", "--index", odd_index, "--", query)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.removesuffix(b"\0").split(b"\0")) == whole
