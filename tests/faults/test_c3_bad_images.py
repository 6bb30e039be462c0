"""A collection of broken and odd pictures from other projects: each ends ok or as a row."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faultkit.processes import PEAK_BYTES

DEADLINE_SECONDS = 240.0
"""For some hundred small files, which take seconds; a hang would take for ever."""

MOST_PARENT_BYTES = 256 << 20
"""The process that decodes nothing itself: the interpreter, numpy, FAISS and the fake network."""

MOST_WORKER_BYTES = 512 << 20
"""The largest decode worker. The default limit, for pictures of 128 megapixels, is six times as
much; nothing in the collection has a claim to that."""

CODES = {"corrupt", "truncated", "unsupported", "too_large", "timeout", "memory", "crashed"}

SYNC_TWICE = (
    PEAK_BYTES
    + """
import json, os, sys
from mobisearch import Embedder, ImageIndex, pipeline
from mobisearch.imaging import shared_workers
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime

read_file, reads = pipeline.read_file, []

def counted(path, **limits):
    reads.append(path)
    return read_file(path, **limits)

pipeline.read_file = counted
folder, index_dir = sys.argv[1:]
files = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), isolated=True)
with ImageIndex.create(index_dir, embedder) as index:
    first = index.sync(folder)
    images = [match.image.path for match in index.search_by_vector([1.0] * 64, k=10**6)]
    errors = {failure.path: failure.code for failure in index.errors()}
    passed_over = sorted(set(files) - set(images) - set(errors))
    n_first, n_read = len(reads), len(set(reads))
    reads.clear()
    second = index.sync(folder)
    n_second = len(reads)
    added = index.add(passed_over)  # their names say that they are no pictures
    ok = index.verify().ok
shared_workers().close()
print(json.dumps({
    "files": files, "images": images, "errors": errors, "passed_over": passed_over,
    "reads": [n_first, n_read, n_second], "unchanged": second.unchanged,
    "failed": [first.failed, second.failed, second.failed_now],
    "added": [added.added, sorted(failure.code for failure in added.failures)],
    "ok": ok, "peak_bytes": peak_bytes(),
}))
"""
)


@dataclass(frozen=True)
class _Told:
    """What the program told."""

    files: list[str]
    images: list[str]
    errors: dict[str, str]
    passed_over: list[str]
    reads: list[int]
    unchanged: int
    failed: list[int]
    added: list[Any]
    ok: bool
    peak_bytes: list[int]


@pytest.fixture(scope="module")
def told(bad_images: Path, tmp_path_factory: pytest.TempPathFactory) -> _Told:
    """What became of the collection, in a process of its own with decode workers."""
    pytest.importorskip("resource", reason="case 41: this system does not tell peak memory")
    place = tmp_path_factory.mktemp("bad") / "index"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SYNC_TWICE, bad_images, place],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, f"the parent ended with {done.returncode}: {done.stderr[-2000:]}"
    return _Told(**json.loads(done.stdout))


def test_case_41_each_file_of_the_collection_ends_ok_or_as_a_row(
    told: _Told, record_property: Callable[[str, object], None]
) -> None:
    by_code = Counter(told.errors.values())
    record_property("ended", {"ok": len(told.images), **by_code})
    assert len(told.files) > 100, "the collection is not what it was"
    assert len(told.images) + len(told.errors) + len(told.passed_over) == len(told.files)
    assert not set(told.images) & told.errors.keys()
    assert by_code.keys() <= CODES
    assert told.ok
    n_added, codes = told.added
    record_property("passed over, then added by name", {"ok": n_added, **Counter(codes)})
    assert n_added + len(codes) == len(told.passed_over)
    assert set(codes) <= CODES


def test_case_41_peak_memory_stays_bounded_in_the_parent_and_in_the_workers(
    told: _Told, record_property: Callable[[str, object], None]
) -> None:
    parent, worker = told.peak_bytes
    record_property(
        "peak MiB of the parent and of the largest worker", [parent >> 20, worker >> 20]
    )
    assert parent < MOST_PARENT_BYTES
    assert 0 < worker < MOST_WORKER_BYTES


def test_case_41_a_second_sync_reads_none_of_the_collection_again(told: _Told) -> None:
    n_first, n_different, n_second = told.reads
    assert n_first == n_different >= len(told.images)
    assert n_second == 0
    assert told.unchanged == len(told.images)
    assert told.failed == [len(told.errors), len(told.errors), 0]
