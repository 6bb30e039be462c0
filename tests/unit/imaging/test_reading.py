"""Whole files, and everything that is not one."""

from __future__ import annotations

import hashlib
import io
import os
import socket
from pathlib import Path

import pytest

from mobisearch.errors import (
    ImageNotFoundError,
    ImageTooLargeError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from mobisearch.imaging import reading
from mobisearch.imaging.reading import read_file, read_start, stamp_of

LIMIT_BYTES = 1000


def n_descriptors() -> int:
    return len(os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"))


def test_bytes_hash_and_stamp_belong_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    content = read_file(str(path), max_bytes=LIMIT_BYTES)
    assert content.data == b"photo"
    assert content.sha256 == hashlib.sha256(b"photo").hexdigest()
    assert content.stamp == stamp_of(path.stat())
    assert content.stamp.size_bytes == 5
    assert content.stamp.mtime_ns == 1_234_567_890_123_456_789


def test_an_empty_file_is_read_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert read_file(str(tmp_path / "a.jpg"), max_bytes=LIMIT_BYTES).data == b""


def test_a_file_at_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(LIMIT_BYTES))
    assert len(read_file(str(path), max_bytes=LIMIT_BYTES).data) == LIMIT_BYTES
    path.write_bytes(bytes(LIMIT_BYTES + 1))
    with pytest.raises(ImageTooLargeError) as caught:
        read_file(str(path), max_bytes=LIMIT_BYTES)
    assert (caught.value.actual, caught.value.limit) == (LIMIT_BYTES + 1, LIMIT_BYTES)
    assert caught.value.unit == "bytes"
    assert caught.value.path == str(path)


def test_a_huge_sparse_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ImageTooLargeError):
        read_file(str(path), max_bytes=LIMIT_BYTES)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError) as caught:
        read_file(str(tmp_path / "no.jpg"), max_bytes=LIMIT_BYTES)
    assert caught.value.path == str(tmp_path / "no.jpg")


def test_a_folder_is_not_a_picture_and_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = n_descriptors()
    for _ in range(3):
        with pytest.raises(UnsupportedFormatError, match="a folder, not an image"):
            read_file(str(tmp_path), max_bytes=LIMIT_BYTES)
    assert n_descriptors() == before


def test_the_first_bytes_are_read_and_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    assert read_start(str(tmp_path / "a.jpg"), 3) == b"pho"
    assert read_start(str(tmp_path / "a.jpg"), 300) == b"photo"
    with pytest.raises(ImageNotFoundError):
        read_start(str(tmp_path / "no.jpg"), 3)
    with pytest.raises(UnsupportedFormatError, match="a folder, not an image"):
        read_start(str(tmp_path), 3)
    with pytest.raises(UnreadableImageError):
        read_start("a\0.jpg", 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_that_nobody_writes_to_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(UnsupportedFormatError, match="not a regular file"):
        read_file(str(tmp_path / "a.jpg"), max_bytes=LIMIT_BYTES)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this system")
def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # socket addresses are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.jpg")
        with pytest.raises(UnsupportedFormatError, match="not a regular file"):
            read_file("a.jpg", max_bytes=LIMIT_BYTES)


def test_a_device_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="not a regular file"):
        read_file(os.devnull, max_bytes=LIMIT_BYTES)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    path.chmod(0)
    with pytest.raises(UnreadableImageError, match="permission denied"):
        read_file(str(path), max_bytes=LIMIT_BYTES)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "permission denied"),
        (PermissionError(1, "Operation not permitted"), "permission denied"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (OSError("odd"), "cannot be read: odd"),
    ],
)
def test_what_the_system_refuses_is_unreadable_with_the_systems_reason(
    error: OSError, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise error

    monkeypatch.setattr(reading.os, "open", refuse)
    with pytest.raises(UnreadableImageError) as caught:
        read_file("/photos/a.jpg", max_bytes=LIMIT_BYTES)
    assert caught.value.reason == words
    assert caught.value.path == "/photos/a.jpg"


@pytest.mark.parametrize("path", ["a\0b.jpg", "lone surrogate \ud800.jpg", "x" * 5000 + ".jpg"])
def test_an_impossible_path_is_unreadable(path: str) -> None:
    with pytest.raises(UnreadableImageError):
        read_file(path, max_bytes=LIMIT_BYTES)


def test_a_file_below_a_file_is_an_image_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    with pytest.raises(UnreadableImageError, match="Not a directory"):
        read_file(str(tmp_path / "a.jpg" / "b.jpg"), max_bytes=LIMIT_BYTES)


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    try:
        with open(path, "wb") as file:
            file.write(b"photo")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert read_file(os.fsdecode(path), max_bytes=LIMIT_BYTES).data == b"photo"


def test_pieces_that_the_system_hands_out_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sparing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(3)

    path = tmp_path / "a.jpg"
    path.write_bytes(b"0123456789")
    monkeypatch.setattr(reading.io, "FileIO", Sparing)
    assert read_file(str(path), max_bytes=LIMIT_BYTES).data == b"0123456789"


def changing(path: Path, n_changes: int) -> type[io.FileIO]:
    """Return a kind of file that is appended to behind the reader's back."""
    left = [n_changes]

    class Changing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if left[0]:
                left[0] -= 1
                with path.open("ab") as file:
                    file.write(b"+")
            return data

    return Changing


def test_a_file_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    monkeypatch.setattr(reading.io, "FileIO", changing(path, 1))
    content = read_file(str(path), max_bytes=LIMIT_BYTES)
    assert content.data == b"photo+"
    assert content.stamp == stamp_of(path.stat())
    assert content.sha256 == hashlib.sha256(b"photo+").hexdigest()


def test_a_file_that_keeps_changing_is_unreadable_and_every_descriptor_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    monkeypatch.setattr(reading.io, "FileIO", changing(path, 99))
    before = n_descriptors()
    with pytest.raises(UnreadableImageError, match="changed while it was being read"):
        read_file(str(path), max_bytes=LIMIT_BYTES)
    assert n_descriptors() == before


def test_times_beyond_64_bits_are_held_to_the_range_of_the_catalog() -> None:
    class Status:
        st_size = 1
        st_mtime_ns = 2**70
        st_ctime_ns = -(2**70)
        st_ino = 2**64 - 1

    stamp = stamp_of(Status())  # type: ignore[arg-type]
    assert stamp.mtime_ns == 2**63 - 1
    assert stamp.ctime_ns == -(2**63 - 1)
    assert stamp.inode == "18446744073709551615"
