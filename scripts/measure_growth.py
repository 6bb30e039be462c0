"""Measure how much is written when a few images are added to an index that holds many.

    python scripts/measure_growth.py --output scripts/results/growth.json
    python scripts/measure_growth.py --images 200000 --directory DIR --output FILE

Makes an index of random unit vectors through the catalog's writer, with one seal at the end, as the
first sync of a folder does. Then adds 100 images, ten times, each time as a sync in a process of
its own does: open the catalog, store the new files, bring the cache files up to date, close. Prints
and writes what went into the index's files: the log, the cache files, and what closing folds from
the log into the catalog. In the end a scan of all files is compared with the catalog, and timed.

Scanning, decoding and the network are left out: they cost what they cost for an index of any size.
The index takes about 11 kB an image on the disk at 1280 values and is deleted in the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mobisearch.store import (
    FileRow,
    IndexLayout,
    ModelRow,
    create_index,
    open_writer,
    path_range,
    refresh_cache,
)
from mobisearch.sync import synchroniser
from mobisearch.types import Embeddings, FileStamp, ImageFacts

FOLDER = "/photos"
ADDED = 100
TIMES = 10
FILLED_PER_COMMIT = 4096
ACCOUNTS = Path("/proc/self/io")
LOG_LIMIT_BYTES = 1000 * 16384
"""SQLite folds its log into the database when it has a thousand pages."""


def path_of(number: int) -> str:
    return f"{FOLDER}/{number // 1000:05}/IMG_{number:08}.jpg"


def stamp_of(number: int) -> FileStamp:
    return FileStamp(3_000_000 + number, 10**18 + number, 10**18 + number, str(10**6 + number))


def make_rows(numbers: range, dim: int, root_id: int | None) -> list[FileRow]:
    """Return what the catalog stores of new images, each with a content of its own."""
    values = np.random.default_rng(numbers.start).standard_normal((len(numbers), dim))
    rows: Embeddings = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    facts = ImageFacts("JPEG", 4000, 3000, "2024-05-06T07:08:09", "Acme Camera 5")
    return [
        FileRow(
            path_of(number),
            stamp_of(number),
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            facts=facts,
            embedding=row,
            root_id=root_id,
        )
        for number, row in zip(numbers, rows, strict=True)
    ]


def batches(numbers: range, n: int) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, n):
        yield range(start, min(start + n, numbers.stop))


def sizes(layout: IndexLayout) -> dict[str, int]:
    """Return the size of every file of the index."""
    paths = (path for path in layout.directory.rglob("*") if path.is_file())
    return {str(path.relative_to(layout.directory)): path.stat().st_size for path in paths}


class Meter:
    """Tells the seconds, and the bytes that this process wrote and read, since it was made."""

    def __init__(self) -> None:
        self._start, self._accounts = time.perf_counter(), read_accounts()

    def read(self) -> dict[str, Any]:
        """Return both; the bytes only where the system counts them."""
        seconds = round(time.perf_counter() - self._start, 3)
        grown = {name: n - self._accounts[name] for name, n in read_accounts().items()}
        if not grown:
            return {"seconds": seconds}
        return {"seconds": seconds, "written": grown["wchar"], "read": grown["rchar"]}


def read_accounts() -> dict[str, int]:
    """Return what the system counts of this process, nothing where it does not."""
    if not ACCOUNTS.exists():
        return {}
    lines = (line.split(": ") for line in ACCOUNTS.read_text().splitlines())
    return {name: int(value) for name, value in lines}


def fill(layout: IndexLayout, n_images: int, dim: int) -> dict[str, Any]:
    """Make an index of so many images."""
    probe = np.zeros(dim, np.float32)
    probe[0] = 1
    create_index(layout, ModelRow("made", "0" * 64, "made up", dim, probe), uuid="growth")
    meter = Meter()
    with layout.writer_lock():
        catalog = open_writer(layout.catalog_path)
        root_id = catalog.put_root(FOLDER, scan="{}")
        for numbers in batches(range(n_images), FILLED_PER_COMMIT):
            catalog.put_files(make_rows(numbers, dim, root_id))
        refresh_cache(layout, catalog, dim=dim)
        catalog.close()
    return meter.read()


def add(layout: IndexLayout, n_known: int, dim: int) -> dict[str, Any]:
    """Add images as a sync in a new process does; return what it wrote, and how long it took."""
    before, total = sizes(layout), Meter()
    log = Path(f"{layout.catalog_path}-wal")
    with layout.writer_lock():
        catalog = open_writer(layout.catalog_path)
        catalog.staging.begin()
        catalog.known_sha256()
        root_id = catalog.put_root(FOLDER, scan="{}")
        commit = Meter()
        for numbers in batches(range(n_known, n_known + ADDED), synchroniser._FILES_PER_COMMIT):
            catalog.put_files(make_rows(numbers, dim, root_id))
        committed = commit.read()
        settle = Meter()
        catalog.settle_missing()
        catalog.finish_root(FOLDER)
        settled = settle.read()
        seal = Meter()
        refresh_cache(layout, catalog, dim=dim)
        sealed = seal.read()
        log_bytes = log.stat().st_size
        if log_bytes >= LOG_LIMIT_BYTES:
            raise SystemExit(
                "the log was folded in between; its size does not say what was written"
            )
        close = Meter()
        catalog.close()
        closed = close.read()
    after = sizes(layout)
    cache_bytes = sum(after[name] for name in after.keys() - before.keys())
    folded_bytes = closed.get("written", log_bytes)
    return {
        "bytes_written": log_bytes + folded_bytes + cache_bytes,
        "log_bytes": log_bytes,
        "folded_bytes": folded_bytes,
        "cache_bytes": cache_bytes,
        "is_merge": cache_bytes > 2 * ADDED * (4 * dim + 8),
        "cache_files": sum(name.endswith(".faiss") for name in after),
        "process": total.read(),
        "commit": committed,
        "settle": settled,
        "seal": sealed,
        "close": closed,
    }


def compare(layout: IndexLayout, n_known: int) -> dict[str, Any]:
    """Compare a scan of all files, 100 of them new, with the catalog."""
    meter = Meter()
    with layout.writer_lock():
        catalog = open_writer(layout.catalog_path)
        staging = catalog.staging
        staging.begin()
        staging.put((path_of(n), stamp_of(n), True) for n in range(n_known + ADDED))
        counts = staging.compare()
        staging.find_vanished([path_range(FOLDER)], gaps=[])
        n_changed = sum(1 for _ in staging.iter_changed(supported=True))
        catalog.close()
    if (counts.unchanged, counts.to_read, n_changed) != (n_known, ADDED, ADDED):
        raise SystemExit(f"the comparison went wrong: {counts}")
    return {"files": n_known + ADDED, **meter.read()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=1280)
    parser.add_argument("--directory", type=Path, help="where the index is made for the time")
    parser.add_argument("--no-comparison", action="store_true", help="leave the last step out")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    n_images, dim = arguments.images, arguments.dim
    with tempfile.TemporaryDirectory(prefix="growth-", dir=arguments.directory) as directory:
        layout = IndexLayout.at(Path(directory) / "index")
        filled = fill(layout, n_images, dim)
        start = sizes(layout)
        index_bytes = sum(start.values())
        print(f"{n_images:,} images, {index_bytes:,} bytes: {filled}", flush=True)
        runs: list[dict[str, Any]] = []
        for n_known in range(n_images, n_images + TIMES * ADDED, ADDED):
            runs.append(add(layout, n_known, dim))
            print(f"{runs[-1]['bytes_written'] / index_bytes:.4%}: {runs[-1]}", flush=True)
        compared = None
        if not arguments.no_comparison:
            compared = compare(layout, n_images + TIMES * ADDED)
            print(f"comparison: {compared}")
    written = [run["bytes_written"] for run in runs]
    document = {
        "command": f"python scripts/measure_growth.py --images {n_images} --dim {dim}"
        + " --no-comparison" * arguments.no_comparison,
        "machine": {
            "system": platform.system(),
            "processors": platform.machine(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
        },
        "images": n_images,
        "dim": dim,
        "index_bytes": index_bytes,
        "catalog_bytes": start["mobisearch.db"],
        "fill": filled,
        "added": ADDED,
        "once": {
            "bytes_written": written[0],
            "share_of_index": round(written[0] / index_bytes, 6),
            "seconds": runs[0]["process"]["seconds"],
        },
        "ten_times": {
            "bytes_written": sum(written),
            "share_of_index": round(sum(written) / index_bytes, 6),
            "largest_share_of_index": round(max(written) / index_bytes, 6),
            "merges": sum(run["is_merge"] for run in runs),
        },
        "comparison": compared,
        "runs": runs,
    }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
