"""The directory of an index: what may be in it, its lock, and files that appear whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch.errors import (
    IndexExistsError,
    IndexLockedError,
    IndexNotFoundError,
    IndexReadOnlyError,
    StorageError,
)
from mobisearch.store.files import mapped_os_errors
from mobisearch.store.layout import IndexLayout
from mobisearch.store.ownership import is_index


@pytest.fixture
def empty(tmp_path: Path) -> IndexLayout:
    """A directory with everything but a catalog."""
    made = IndexLayout.at(tmp_path / "index")
    made.make_directories()
    return made


def _left_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_directory_without_a_catalog_is_no_index(empty: IndexLayout) -> None:
    assert not is_index(str(empty.directory))
    with pytest.raises(IndexNotFoundError, match="mobisearch index"):
        empty.require()


def test_a_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert IndexLayout.at("~/index").directory == tmp_path / "index"


def test_only_the_owner_may_look_into_an_index(empty: IndexLayout) -> None:
    for folder in (empty.directory, empty.segments_dir, empty.tmp_dir):
        assert folder.stat().st_mode & 0o077 == 0


def test_what_an_interrupted_creation_left_is_no_obstacle(empty: IndexLayout) -> None:
    (empty.tmp_dir / "new.db").write_bytes(b"half of a catalog")
    empty.check_is_free()


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"somebody's")
    with pytest.raises(IndexExistsError, match="holds other files"):
        IndexLayout.at(tmp_path).check_is_free()


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"")
    with pytest.raises(IndexExistsError, match="in the way"):
        IndexLayout.at(tmp_path / "index").check_is_free()


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").symlink_to(tmp_path / "nowhere")
    with pytest.raises(IndexExistsError, match="in the way"):
        IndexLayout.at(tmp_path / "index").check_is_free()


def test_a_second_lock_says_who_holds_the_first(empty: IndexLayout) -> None:
    with empty.writer_lock():
        is_locked = pytest.raises(IndexLockedError, match=f"process {os.getpid()} on ")
        with is_locked as caught, empty.writer_lock():
            pytest.fail("two locks at once")
        assert str(os.getpid()) in caught.value.holder
    with empty.writer_lock():
        pass


def test_a_lock_whose_holder_left_no_note_still_holds(empty: IndexLayout) -> None:
    with empty.writer_lock():
        (empty.directory / "writer.json").write_text("half a no")
        with pytest.raises(IndexLockedError, match="holder unknown"), empty.writer_lock():
            pytest.fail("two locks at once")


def test_a_lock_is_free_again_after_an_error(empty: IndexLayout) -> None:
    with pytest.raises(KeyError), empty.writer_lock():
        raise KeyError
    with empty.writer_lock():
        pass


def test_a_published_segment_is_read_back(empty: IndexLayout) -> None:
    name = empty.publish_segment(b"vectors", 3)
    assert name.startswith("seg-0000000000000003-")
    assert empty.read_segment(name, 7) == b"vectors"
    assert empty.has_segment(name, 7)
    assert not empty.has_segment(name, 8)
    assert empty.read_segment(name, 8) is None
    assert empty.read_segment("seg-none.faiss", 7) is None
    assert (empty.segments_dir / name).stat().st_mode & 0o077 == 0


def test_names_are_never_used_twice(empty: IndexLayout) -> None:
    names = {empty.publish_segment(b"same", 1) for _ in range(5)}
    assert len(names) == 5


def test_a_segment_is_written_whole_however_little_the_system_takes_at_once(
    empty: IndexLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, bytes(data)[:3]))
    name = empty.publish_segment(b"0123456789", 1)
    assert empty.read_segment(name, 10) == b"0123456789"


FAILURES: dict[str, tuple[str, int, type[Exception]]] = {
    "a full disk": ("write", errno.ENOSPC, StorageError),
    "a full quota": ("write", errno.EDQUOT, StorageError),
    "a failing disk": ("fsync", errno.EIO, StorageError),
    "a disk that became read-only": ("rename", errno.EROFS, IndexReadOnlyError),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_segment_that_cannot_be_written_leaves_nothing_behind(
    empty: IndexLayout, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    call, number, expected = FAILURES[kind]

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(expected, match=str(empty.directory)):
            empty.publish_segment(b"vectors", 1)
    assert _left_in(empty.tmp_dir) == []
    assert _left_in(empty.segments_dir) == ["CACHEDIR.TAG"]
    empty.publish_segment(b"vectors", 1)


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


def _make_link(path: Path) -> None:
    target = path.parent / "target"
    target.write_bytes(b"vectors")
    path.symlink_to(target)


ODD_FILES: dict[str, Callable[[Path], object]] = {
    "a FIFO": _make_fifo,
    "a link": _make_link,
    "a folder": Path.mkdir,
    "an empty file": Path.touch,
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_something_else_in_place_of_a_segment_is_not_read(empty: IndexLayout, kind: str) -> None:
    path = empty.segments_dir / "seg-odd.faiss"
    ODD_FILES[kind](path)
    size = path.lstat().st_size or 7
    n_open = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for n_bytes in (7, size):
        assert empty.read_segment(path.name, n_bytes) is None
        assert not empty.has_segment(path.name, n_bytes)
    if n_open:
        assert len(os.listdir("/proc/self/fd")) == n_open


def test_strays_go_and_what_is_listed_stays(empty: IndexLayout) -> None:
    kept = empty.publish_segment(b"kept", 1)
    stray = empty.publish_segment(b"stray", 2)
    (empty.tmp_dir / "new.db").write_bytes(b"")
    (empty.tmp_dir / stray).write_bytes(b"half of it")
    (empty.tmp_dir / "somebody's").write_bytes(b"")
    (empty.segments_dir / "folder").mkdir()
    empty.remove_strays({kept})
    assert empty.read_segment(stray, 5) is None
    assert _left_in(empty.tmp_dir) == ["somebody's"]
    assert _left_in(empty.segments_dir) == ["CACHEDIR.TAG", "folder", kept]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, IndexReadOnlyError),
        (errno.EROFS, IndexReadOnlyError),
        (errno.ENOSPC, StorageError),
        (errno.ENAMETOOLONG, IndexReadOnlyError),
        (errno.ENOTDIR, IndexReadOnlyError),
        (errno.EIO, StorageError),
    ],
)
def test_an_error_of_the_system_becomes_one_of_ours(
    number: int, expected: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(expected, match=str(tmp_path)) as caught, mapped_os_errors(tmp_path):
        raise OSError(number, os.strerror(number))
    assert isinstance(caught.value.__cause__, OSError)
