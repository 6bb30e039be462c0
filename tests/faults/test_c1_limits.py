"""What the system allows a process or a user: as a full disk."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import StorageError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from faultkit.disks import BATCH, MEGABYTE, N_PHOTOS, n_sound, try_to_sync

# ---------------------------------------------------------------- limits of the system


@contextlib.contextmanager
def _file_size_limit(n_bytes: int) -> Iterator[None]:
    """Let this process write no file beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("trusted_stamps")
def test_case_14_under_a_limit_on_the_size_of_files_batches_are_whole_and_a_higher_one_suffices(
    tmp_path: Path,
    many_photos: Path,
    wide: Embedder,
    check_sound: Callable[..., None],
    skip_case: Callable[[str], object],
) -> None:
    if resource is None:
        skip_case("this system limits no file sizes")
    limit, is_done = 32 << 10, False
    held: list[int] = []
    while not is_done:
        with _file_size_limit(limit):
            is_done = try_to_sync(tmp_path / "index", wide, many_photos)
        held.append(n_sound(tmp_path / "index", wide))
        assert held[-1] % BATCH == 0 or held[-1] == N_PHOTOS
        assert limit < 60 * MEGABYTE
        limit += 3 * MEGABYTE // 2
    assert held[0] == 0
    assert held == sorted(held)
    assert len(set(held)) > 2, "the limit was met at several places"
    with ImageIndex.open(tmp_path / "index", wide) as index:
        assert index.status().cached == len(index) == N_PHOTOS
        check_sound(index, wide)


def test_case_14_a_limit_on_the_size_of_files_ends_the_command_with_74(
    tmp_path: Path,
    many_photos: Path,
    command: Callable[..., Any],
    skip_case: Callable[[str], object],
) -> None:
    if resource is None:
        skip_case("this system limits no file sizes")
    assert command("index", many_photos / "000.png", "--index", tmp_path / "index").code == 66
    with _file_size_limit(600 << 10):
        done = command("index", many_photos, "--index", tmp_path / "index")
    assert done.code == 74
    assert str(tmp_path / "index") in done.stderr
    done = command("index", many_photos, "--index", tmp_path / "index", "--json")
    assert (done.code, done.document["images"]) == (0, N_PHOTOS)


def test_case_14_a_used_up_quota_is_a_full_disk(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(StorageError, match="disk is full"):
            index.sync(photos)
    assert len(index) == 4
    index.sync(photos)
    assert index.status().cached == 4


@pytest.mark.skipif(sys.platform != "linux", reason="case 14: quotas are simulated with strace")
@pytest.mark.parametrize("nth", [3, 30])
def test_case_14_a_quota_that_is_used_up_inside_the_database_ends_with_74(
    tmp_path: Path,
    photos: Path,
    program: Callable[..., Any],
    skip_case: Callable[[str], object],
    command: Callable[..., Any],
    nth: int,
) -> None:
    injection = f"inject=pwrite64:error=EDQUOT:when={nth}+"
    prefix = ("strace", "-f", "-o", os.devnull, "-e", "trace=pwrite64", "-e", injection)
    try:
        trial = program("--version", prefix=prefix)
    except FileNotFoundError:
        skip_case("strace is not here")
    if trial.returncode:
        skip_case("strace may not watch processes here")
    done = program("index", photos, "--index", tmp_path / "index", prefix=prefix)
    assert done.returncode == 74, done.stderr
    assert b"Traceback" not in done.stderr
    assert str(tmp_path / "index").encode() in done.stderr
    assert command("index", photos, "--index", tmp_path / "index").code == 0
    assert command("verify", "--index", tmp_path / "index").code == 0
