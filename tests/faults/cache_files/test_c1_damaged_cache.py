"""Vector files that are damaged or change: never believed, never needed, made again."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faultkit.cache_files import DIM, HEADER_BYTES, VALUES_AT, segment
from faultkit.questions import answers

from mobisearch import Embedder, ImageIndex

Damage = Callable[[Path], None]


# ---------------------------------------------------------------- damaged files


def _change(change: Callable[[bytes], bytes]) -> Damage:
    return lambda path: path.write_bytes(change(path.read_bytes())) and None


def _flip(at: int) -> Damage:
    return _change(lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def _flip_last(data: bytes) -> bytes:
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


def _replace(make: Callable[[Path], object]) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _other_index(path: Path) -> None:
    other = path.parent.parent.parent / "other"
    shutil.copy(segment(other), path)


def _wrong_dim(data: bytes) -> bytes:
    for at in (4, HEADER_BYTES + 4):
        data = data[:at] + struct.pack("<i", 2 * DIM) + data[at + 4 :]
    return data


def _huge_count(data: bytes) -> bytes:
    for at in (8, HEADER_BYTES + 8, 2 * HEADER_BYTES):
        data = data[:at] + struct.pack("<q", 1 << 62) + data[at + 8 :]
    return data


DAMAGE: dict[str, Damage] = {
    "missing": Path.unlink,
    "0 bytes": _change(lambda data: b""),
    "1 byte less": _change(lambda data: data[:-1]),
    "1 byte more": _change(lambda data: data + b"\0"),
    "a bit of the header": _flip(9),
    "a bit of the vectors": _flip(VALUES_AT + 100),
    "a bit of the ids": _change(_flip_last),
    "of another index": _other_index,
    "wrong dim": _change(_wrong_dim),
    "ntotal of 2^62": _change(_huge_count),
    "link to a system file": _replace(lambda path: path.symlink_to("/etc/passwd")),
    "link to a copy of itself": _replace(lambda path: path.symlink_to(path.with_suffix(".copy"))),
    "FIFO": _replace(lambda path: os.mkfifo(path)),
    "directory": _replace(lambda path: path.mkdir()),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_case_25_a_damaged_file_changes_no_answer_and_is_made_again(
    index_dir: Path,
    template: Path,
    tmp_path: Path,
    check_survives: Callable[..., None],
    kind: str,
) -> None:
    shutil.copytree(template / "other", tmp_path / "other")
    path = segment(index_dir)
    if "copy" in kind:
        shutil.copy(path, path.with_suffix(".copy"))
    DAMAGE[kind](path)
    check_survives()


def test_case_25_a_file_without_permission_changes_no_answer(
    open_path: Path,
    template: Path,
    expected: object,
    fake_embedder: Embedder,
    unprivileged: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    shutil.copytree(template / "index", open_path / "index")
    for path in (open_path / "index", *(open_path / "index").rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    segment(open_path / "index").chmod(0)
    with unprivileged():
        with pytest.raises(PermissionError):
            segment(open_path / "index").read_bytes()
        with ImageIndex.open(open_path / "index", fake_embedder) as index:
            assert answers(index) == expected
            assert len(index.verify().stale) == 1


# ---------------------------------------------------------------- files that change meanwhile


@pytest.fixture
def truncated_at(monkeypatch: pytest.MonkeyPatch, index_dir: Path) -> Iterator[list[int]]:
    """A list; the vector file is cut when its handle is asked for its status the n-th time."""
    fstat = os.fstat
    wanted: list[int] = []
    inode = os.stat(segment(index_dir)).st_ino
    n_asked = 0

    def truncate_then_stat(handle: int) -> os.stat_result:
        nonlocal n_asked
        status = fstat(handle)
        if status.st_ino == inode:
            n_asked += 1
            if n_asked in wanted:
                os.truncate(segment(index_dir), 1_000)
        return status

    monkeypatch.setattr(os, "fstat", truncate_then_stat)
    return wanted


def test_case_26_a_file_that_is_cut_while_it_is_loaded_is_a_cache_miss(
    index_dir: Path, truncated_at: list[int], expected: object, fake_embedder: Embedder
) -> None:
    truncated_at.append(1)
    with ImageIndex.open(index_dir, fake_embedder) as index:
        assert answers(index) == expected
    assert segment(index_dir).stat().st_size == 1_000, "or this test cuts nothing"


def test_case_26_a_file_that_is_cut_after_it_was_loaded_is_not_touched_again(
    index_dir: Path, expected: object, fake_embedder: Embedder, skip_case: Callable[[str], object]
) -> None:
    with ImageIndex.open(index_dir, fake_embedder) as index:
        assert answers(index) == expected
        path = segment(index_dir)
        if os.path.exists("/proc/self/maps"):
            assert str(path) not in Path("/proc/self/maps").read_text(), "mapped into memory"
        os.truncate(path, 0)
        assert answers(index) == expected
