"""Reading files that people name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mobisearch.inputs import read_regular


def test_a_file_is_read_up_to_a_byte_more_than_the_most(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(str(tmp_path / "a"), 5) == b"12345"
    assert read_regular(str(tmp_path / "a"), 3) == b"1234"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_may_never_end_is_refused(tmp_path: Path, kind: str) -> None:
    path = "/dev/zero" if kind == "device" else str(tmp_path / kind)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)
    with pytest.raises(OSError, match="is not a file"):
        read_regular(path, 10)


@pytest.mark.parametrize("name", ["nowhere", "\0"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_regular(str(tmp_path / name), 10)
