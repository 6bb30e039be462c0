"""Fetching weights, and everything that can go wrong with it."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from mobisearch.errors import (
    ModelError,
    WeightsAbsentError,
    WeightsAddressError,
    WeightsDownloadError,
    WeightsMismatchError,
)
from mobisearch.models import ModelSpec, find_model, transfer
from mobisearch.models.downloads import fetch_weights, find_address
from mobisearch.types import FetchProgress, WeightsSettings

SOON_SECONDS = 0.05
"""When a server that says nothing is given up here; nothing depends on how long it is."""

PATIENCE_SECONDS = 60.0
N_WAITING = 3

FETCH = """
import dataclasses, hashlib, sys
from mobisearch.models import find_model
from mobisearch.models.downloads import fetch_weights
from mobisearch.types import WeightsSettings
url, sha256 = sys.argv[1:]
spec = find_model("mobilenet_v3_small")
weights = dataclasses.replace(spec.weights, file_name="weights.pth", url=url, sha256=sha256)
print("ready", flush=True)
data = fetch_weights(
    dataclasses.replace(spec, weights=weights), WeightsSettings(timeout_seconds=60)
)
print(len(data))
"""


def names(folder: Path) -> set[str]:
    """Return what is in a folder, without the lock."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


@pytest.fixture
def start_fetching(cache: Path, server: Any, served_spec: ModelSpec) -> Any:
    """A function that fetches in a process of its own."""

    def start() -> subprocess.Popen[str]:
        arguments = [server.url, served_spec.weights.sha256]
        return subprocess.Popen(
            [sys.executable, "-c", FETCH, *arguments], stdout=subprocess.PIPE, text=True
        )

    return start


def test_a_file_is_fetched_once_and_kept_under_its_name(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    assert fetch_weights(served_spec, quick) == server.content
    assert (cache / "weights.pth").read_bytes() == server.content
    assert names(cache) == {"weights.pth"}
    assert fetch_weights(served_spec, quick) == server.content
    assert len(server.requests) == 1


def test_progress_is_told_from_nothing_to_all(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    told: list[FetchProgress] = []
    fetch_weights(served_spec, dataclasses.replace(quick, on_progress=told.append))
    assert told[0].done_bytes == 0
    assert [step.done_bytes for step in told] == sorted(step.done_bytes for step in told)
    assert told[-1] == FetchProgress("weights.pth", len(server.content), len(server.content))


PASSING = ["500", "503", "429", "truncated", "hang up", "not http"]


@pytest.mark.parametrize("what", PASSING)
def test_what_may_pass_is_tried_again(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, what: str
) -> None:
    server.plan[:] = [what, what]
    assert fetch_weights(served_spec, quick) == server.content
    assert len(server.requests) == 3


@pytest.mark.parametrize("what", PASSING)
def test_attempts_come_to_an_end(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, what: str
) -> None:
    server.plan[:] = [what] * 50
    with pytest.raises(WeightsDownloadError) as caught:
        fetch_weights(served_spec, quick)
    assert len(server.requests) == quick.attempts
    for shown in (server.url, served_spec.weights.sha256, str(cache / "weights.pth"), "--weights"):
        assert shown in str(caught.value)
    assert not (cache / "weights.pth").exists()
    server.plan.clear()
    assert fetch_weights(served_spec, quick) == server.content


@pytest.mark.parametrize("what", ["404", "403", "410", "redirect to ftp"])
def test_what_will_not_pass_is_not_tried_again(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, what: str
) -> None:
    server.plan[:] = [what] * 5
    with pytest.raises(WeightsDownloadError) as caught:
        fetch_weights(served_spec, quick)
    assert len(server.requests) == 1
    assert (what if what.isdigit() else "ftp://") in caught.value.reason
    assert names(cache) == set()


def test_pauses_become_longer(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("mobisearch.models.downloads.time.sleep", pauses.append)
    server.plan[:] = ["500"] * 3
    fetch_weights(served_spec, dataclasses.replace(quick, pause_seconds=2.0))
    assert pauses == [2.0, 4.0, 8.0]


def test_a_wrong_file_is_dropped_and_refused(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    server.plan[:] = ["wrong"]
    with pytest.raises(WeightsMismatchError) as caught:
        fetch_weights(served_spec, quick)
    assert caught.value.expected == served_spec.weights.sha256
    assert caught.value.actual == hashlib.sha256(b"x" * len(server.content)).hexdigest()
    assert str(cache / "weights.pth") in str(caught.value)
    assert names(cache) == set()
    assert len(server.requests) == 1


def test_a_server_that_stalls_is_given_up_and_gone_on_with(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    server.plan[:] = ["stall"]
    impatient = dataclasses.replace(quick, timeout_seconds=SOON_SECONDS, attempts=1)
    with pytest.raises(WeightsDownloadError, match="timed out"):
        fetch_weights(served_spec, impatient)
    assert server.stalled.is_set()
    assert not (cache / "weights.pth").exists()
    assert fetch_weights(served_spec, quick) == server.content
    assert server.ranges == [None, f"bytes={len(server.content) // 2}-"]


def test_a_deadline_ends_what_goes_on_for_ever(
    cache: Path, served_spec: ModelSpec, quick: WeightsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = iter(range(0, 10**9, 100))
    monkeypatch.setattr("mobisearch.models.transfer.time.monotonic", lambda: float(next(passing)))
    with pytest.raises(WeightsDownloadError, match="too long"):
        fetch_weights(served_spec, dataclasses.replace(quick, deadline_seconds=150.0))


@pytest.mark.parametrize("etag", ['"one"', None, 'W/"weak"'])
def test_a_broken_transfer_goes_on_where_it_ended(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    etag: str | None,
) -> None:
    server.etag = etag
    server.plan[:] = ["truncated", "truncated"]
    assert fetch_weights(served_spec, quick) == server.content
    half = len(server.content) // 2
    assert server.ranges == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]
    expected = etag if etag == '"one"' else None  # only a strong one may stand for the bytes
    assert server.requests[1][1].get("If-Range") == expected


@pytest.mark.parametrize("what", ["range ignored", "no length", "good"])
def test_a_server_that_does_not_go_on_gives_all_of_it_again(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, what: str
) -> None:
    server.plan[:] = ["truncated", what]
    if what == "no length":
        server.plan[:] = ["no length"]
    assert fetch_weights(served_spec, quick) == server.content


def test_a_file_that_has_changed_meanwhile_is_fetched_from_its_beginning(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    whole = server.content
    server.content, server.etag = b"y" * len(whole), '"old"'
    server.plan[:] = ["truncated"]
    with pytest.raises(WeightsDownloadError):
        fetch_weights(served_spec, dataclasses.replace(quick, attempts=1))
    server.content, server.etag = whole, '"new"'
    assert fetch_weights(served_spec, quick) == whole


def test_two_halves_that_do_not_belong_together_are_noticed_and_fetched_again(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    whole = server.content
    server.content = b"y" * len(whole)  # of the same size, and under the same name of a version
    server.plan[:] = ["truncated"]
    with pytest.raises(WeightsDownloadError):
        fetch_weights(served_spec, dataclasses.replace(quick, attempts=1))
    server.content = whole
    assert fetch_weights(served_spec, quick) == whole
    assert server.ranges[1:] == [f"bytes={len(whole) // 2}-", None]


@pytest.mark.parametrize("extra", [0, 10])
def test_a_whole_part_that_nobody_came_to_look_at_is_taken_or_dropped(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, extra: int
) -> None:
    server.plan[:] = ["truncated"]
    with pytest.raises(WeightsDownloadError):
        fetch_weights(served_spec, dataclasses.replace(quick, attempts=1))
    (cache / ".weights.pth.part").write_bytes(server.content + b"z" * extra)
    assert fetch_weights(served_spec, quick) == server.content
    assert names(cache) == {"weights.pth"}


@pytest.mark.parametrize("note", [b"", b"{}", b"[1]", b"\xff", b'{"address": 1, "etag": 2}'])
def test_a_part_whose_note_makes_no_sense_is_not_gone_on_with(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, note: bytes
) -> None:
    cache.mkdir(parents=True)
    (cache / ".weights.pth.part").write_bytes(b"half")
    (cache / ".weights.pth.part.json").write_bytes(note)
    assert fetch_weights(served_spec, quick) == server.content
    assert server.ranges == [None]


def test_a_redirect_is_followed(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    server.plan[:] = ["redirect"]
    assert fetch_weights(served_spec, quick) == server.content
    assert [path for path, _ in server.requests][1] == "/elsewhere/weights.pth"


@pytest.mark.parametrize("what", ["good", "no length"])
def test_a_file_that_is_too_large_is_refused(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings, what: str
) -> None:
    server.plan[:] = [what]
    with pytest.raises(WeightsDownloadError, match="bytes"):
        fetch_weights(served_spec, dataclasses.replace(quick, max_bytes=200_000))
    assert names(cache) == set()
    assert len(server.requests) == 1


def test_a_full_disk_is_said_and_what_was_there_goes_on_later(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = transfer.write_piece
    written = 0

    def until_full(file: IO[bytes], piece: bytes) -> None:
        nonlocal written
        if written + len(piece) > 200_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += len(piece)
        write(file, piece)

    monkeypatch.setattr(transfer, "write_piece", until_full)
    with pytest.raises(WeightsDownloadError, match="No space left"):
        fetch_weights(served_spec, quick)
    assert len(server.requests) == 1
    assert not (cache / "weights.pth").exists()
    monkeypatch.setattr(transfer, "write_piece", write)
    assert fetch_weights(served_spec, quick) == server.content
    assert server.ranges[1] == f"bytes={written}-"


def test_a_cache_that_cannot_be_made_is_said(
    cache: Path, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    cache.parent.write_bytes(b"in the way")
    with pytest.raises(WeightsDownloadError, match="cannot be stored"):
        fetch_weights(served_spec, quick)


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_nothing_is_fetched_when_offline_is_asked_for(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    monkeypatch.setenv("MOBISEARCH_OFFLINE", value)
    with pytest.raises(WeightsAbsentError) as caught:
        fetch_weights(served_spec, quick)
    assert "offline" in str(caught.value)
    assert served_spec.weights.sha256 in str(caught.value)
    assert str(cache / "weights.pth") in str(caught.value)
    assert not server.requests
    on = dataclasses.replace(quick, offline=False)
    assert fetch_weights(served_spec, on) == server.content


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_what_says_no_is_not_offline(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    monkeypatch.setenv("MOBISEARCH_OFFLINE", value)
    with pytest.raises(WeightsAbsentError):
        fetch_weights(served_spec, dataclasses.replace(quick, offline=True))
    assert fetch_weights(served_spec, quick) == server.content


def test_a_damaged_file_in_the_cache_is_said_when_offline_and_fetched_anew_when_not(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    cache.mkdir(parents=True)
    (cache / "weights.pth").write_bytes(server.content[:-1])
    with pytest.raises(WeightsAbsentError, match="another SHA-256"):
        fetch_weights(served_spec, dataclasses.replace(quick, offline=True))
    assert fetch_weights(served_spec, quick) == server.content
    assert (cache / "weights.pth").read_bytes() == server.content


def test_a_mirror_takes_the_place_of_the_address(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = dataclasses.replace(served_spec.weights, url="https://unreachable.invalid/a.pth")
    spec = dataclasses.replace(served_spec, weights=weights)
    monkeypatch.setenv("MOBISEARCH_WEIGHTS_URL", f"{server.address}/mirror/")
    assert fetch_weights(spec, quick) == server.content
    assert server.requests[0][0] == "/mirror/weights.pth"
    given = WeightsSettings(address="https://mirror.invalid/a")
    assert find_address(weights, given) == "https://mirror.invalid/a/weights.pth"


def test_a_mirror_may_be_a_folder(
    cache: Path,
    tmp_path: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
) -> None:
    folder = tmp_path / "a mirror"
    folder.mkdir()
    there = dataclasses.replace(quick, address=folder.as_uri())
    with pytest.raises(WeightsDownloadError, match="no such file"):
        fetch_weights(served_spec, there)
    (folder / "weights.pth").write_bytes(server.content)
    with pytest.raises(WeightsDownloadError, match="more than are taken"):
        fetch_weights(served_spec, dataclasses.replace(there, max_bytes=100))
    assert fetch_weights(served_spec, there) == server.content
    assert not server.requests


BAD_ADDRESSES = ["ftp://a/b", "a/b", "//a", "https://", "file://host/a", "http://[", "javascript:1"]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_address_of_another_kind_is_refused(
    cache: Path, served_spec: ModelSpec, address: str
) -> None:
    with pytest.raises(WeightsAddressError) as caught:
        fetch_weights(served_spec, WeightsSettings(address=address))
    assert repr(address) in str(caught.value)


def test_a_proxy_is_taken_from_the_environment(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("no_proxy", "")
    mirror = dataclasses.replace(quick, address="http://mirror.invalid/a")
    assert fetch_weights(served_spec, mirror) == server.content
    assert server.requests[0][0] == "http://mirror.invalid/a/weights.pth"


def test_a_machine_without_a_network_says_so(
    cache: Path, served_spec: ModelSpec, quick: WeightsSettings, server: Any
) -> None:
    closed = dataclasses.replace(quick, address="http://127.0.0.1:1/")
    with pytest.raises(WeightsDownloadError, match="no connection"):
        fetch_weights(served_spec, closed)


def test_weights_of_a_users_own_are_fetched_from_nowhere(cache: Path) -> None:
    with pytest.raises(WeightsAbsentError, match="a file of your own"):
        fetch_weights(find_model(f"mobilenet_v2+{'0' * 64}"), WeightsSettings())


def test_two_threads_fetch_once(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(fetch_weights(served_spec, quick)))
        for _ in range(N_WAITING)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert results == [server.content] * N_WAITING
    assert len(server.requests) == 1


def test_other_processes_wait_for_the_one_that_fetches(
    cache: Path, server: Any, start_fetching: Callable[[], subprocess.Popen[str]]
) -> None:
    server.plan[:] = ["stall"]
    first = start_fetching()
    assert server.stalled.wait(PATIENCE_SECONDS)
    others = [start_fetching() for _ in range(2)]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    assert len(server.requests) == 1
    server.released.set()  # what was stalled ends here, and is gone on with
    for process in (first, *others):
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        assert shown.endswith(f"{len(server.content)}\n")
    assert server.ranges == [None, f"bytes={len(server.content) // 2}-"]


def test_one_that_waits_too_long_says_so(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    start_fetching: Callable[[], subprocess.Popen[str]],
) -> None:
    server.plan[:] = ["stall"]
    process = start_fetching()
    assert server.stalled.wait(PATIENCE_SECONDS)
    with pytest.raises(WeightsDownloadError, match="another process"):
        fetch_weights(served_spec, dataclasses.replace(quick, deadline_seconds=0.0))
    server.released.set()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_a_process_that_is_killed_leaves_a_part_that_is_gone_on_with(
    cache: Path,
    server: Any,
    served_spec: ModelSpec,
    quick: WeightsSettings,
    start_fetching: Callable[[], subprocess.Popen[str]],
) -> None:
    server.plan[:] = ["stall"]
    process = start_fetching()
    assert server.stalled.wait(PATIENCE_SECONDS)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert not (cache / "weights.pth").exists()
    part = cache / ".weights.pth.part"
    n_kept = part.stat().st_size if part.exists() else 0  # it may not have come to writing any
    assert fetch_weights(served_spec, quick) == server.content
    assert server.ranges == [None, f"bytes={n_kept}-" if n_kept else None]
    assert names(cache) == {"weights.pth"}


def test_an_interrupt_leaves_a_part_too(
    cache: Path, server: Any, served_spec: ModelSpec, quick: WeightsSettings
) -> None:
    def interrupt(progress: FetchProgress) -> None:
        if progress.done_bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_weights(served_spec, dataclasses.replace(quick, on_progress=interrupt))
    assert fetch_weights(served_spec, quick) == server.content
    assert server.ranges[1] is not None


def test_every_error_is_one_of_the_model() -> None:
    kinds = (WeightsAbsentError, WeightsAddressError, WeightsDownloadError)
    assert all(issubclass(kind, ModelError) for kind in kinds)
