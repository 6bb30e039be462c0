"""Measure mobisearch against other tools, and a cold search, on one machine in one run.

    python scripts/bench.py index FOLDER --peers PYTHON --output scripts/results/index.json
    python scripts/bench.py cold INDEX QUERY --output scripts/results/cold.json
    python scripts/bench.py memory --output scripts/results/memory.json

``index``: from the photos in FOLDER three sets are made: as they are, in ten versions each that
differ by a few pixels at the edge; enlarged to 12 megapixels; thumbnails of 64 x 64. Every tool
turns each set into embeddings, in turns, each time in a process of its own. PYTHON is that of an
environment with fastdup and imagededup (``pip install fastdup imagededup``); without it they are
left out. Rates are images by the seconds of work, medians over the rounds; ``process`` counts the
whole process with its imports.

``cold``: the whole process of ``mobisearch search`` on an index (``scripts/measure_search.py
--keep DIR`` leaves one in DIR/index), and searches in a process that has everything loaded.

``memory``: the resident memory of ``mobisearch index`` and of its workers over 100,000 files.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe_machine
from measured_commands import installed, most_resident, run_timed, watched
from photo_sets import jpegs, make_sets, make_thumbnails, part_of

CHILD = Path(__file__).with_name("bench_child.py")
OWN = ("mobisearch V2", "mobisearch V2 int8", "mobisearch V2 f32", "mobisearch V3-Small")
PARTS = ("decoding alone", "network alone")
PEERS = ("fastdup", "imagededup")
SEEDS = ("seed loop V2", "seed loop V3-Small")
N_SEED = 300
"""The loop of the chapter handles one photo after the other: its rate needs no large set."""

VERSIONS = ("openvino", "torch", "torchvision", "numpy", "pillow", "faiss-cpu", "sqlalchemy")


def describe(command: str) -> dict[str, Any]:
    versions = {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}
    return {"command": command, "machine": describe_machine(), "versions": versions}


# ---------------------------------------------------------------- index


def run_child(python: str, way: str, folder: Path) -> dict[str, float]:
    started = time.perf_counter()
    done = subprocess.run(
        [python, CHILD, way, folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=installed(),
    )
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-2000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "process": wall}


def bench_index(arguments: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        sets = make_sets(arguments.folder, Path(work))
        for name, folder in sets.items():
            ways = [(way, sys.executable, folder) for way in (*OWN, *PARTS)]
            seed_set = part_of(folder, N_SEED, Path(work))
            ways += [(way, sys.executable, seed_set) for way in SEEDS]
            if arguments.peers:
                ways += [(way, arguments.peers, folder) for way in PEERS]
            run_child(sys.executable, OWN[0], part_of(folder, 20, Path(work)))  # fills caches
            runs: dict[str, list[dict[str, float]]] = {way: [] for way, _, _ in ways}
            for _ in range(arguments.rounds):
                for way, python, place in ways:
                    runs[way].append(run_child(python, way, place))
                    print(f"{name:14} {way:20} {runs[way][-1]}", flush=True)
            results[name] = {
                "files": len(jpegs(folder)),
                "kilobytes_each": round(
                    sum(path.stat().st_size for path in jpegs(folder)) / len(jpegs(folder)) / 1e3
                ),
                "ways": {way: summed_up(found) for way, found in runs.items()},
            }
    return {
        **describe("python scripts/bench.py index FOLDER --peers PYTHON --output FILE"),
        "photos": arguments.about,
        "rounds": arguments.rounds,
        "peers": peer_versions(arguments.peers),
        "sets": results,
    }


def summed_up(runs: list[dict[str, float]]) -> dict[str, Any]:
    rates = [run["images"] / run["seconds"] for run in runs]
    return {
        "images": runs[0]["images"],
        "images_per_second": round(statistics.median(rates), 1),
        "least": round(min(rates), 1),
        "most": round(max(rates), 1),
        "processor_ms_each": round(
            statistics.median(1e3 * run["processor_seconds"] / run["images"] for run in runs), 2
        ),
        "process_seconds": round(statistics.median(run["process"] for run in runs), 2),
    }


def peer_versions(python: str | None) -> dict[str, str]:
    if python is None:
        return {}
    code = (
        "import importlib.metadata as m; print(*[m.version(n) for n in ('fastdup','imagededup')])"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return dict(zip(PEERS, done.stdout.split(), strict=True))


# ---------------------------------------------------------------- cold


WARM = """
import sys, time, json
from mobisearch import ImageIndex
with ImageIndex.open(sys.argv[1]) as index:
    data = open(sys.argv[2], "rb").read()
    times = []
    for _ in range(210):
        started = time.perf_counter()
        index.search(data, k=10)
        times.append(1e3 * (time.perf_counter() - started))
    print(json.dumps(times[10:]))
"""


def bench_cold(arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "mobisearch", "search", "--index", str(arguments.index)]
    command += ["--json", str(arguments.query)]
    n_runs = arguments.rounds * 4
    run_timed(command)  # fills the caches of the system, and of Python
    walls = [run_timed(command) for _ in range(n_runs)]
    peaks = [most_resident(command) for _ in range(n_runs)]
    place = [str(arguments.index), str(arguments.query)]
    warm = subprocess.run(
        [sys.executable, "-c", WARM, *place], capture_output=True, text=True, check=True
    )
    times = json.loads(warm.stdout)
    status = [sys.executable, "-m", "mobisearch", "status", "--json", "--index", place[0]]
    shown = json.loads(subprocess.run(status, capture_output=True, text=True, check=True).stdout)
    return {
        **describe("python scripts/bench.py cold INDEX QUERY --output FILE"),
        "images": shown["images"],
        "structure": shown.get("structure"),
        "cold": {
            "runs": len(walls),
            "seconds_median": round(statistics.median(walls), 3),
            "seconds_least": round(min(walls), 3),
            "seconds_most": round(max(walls), 3),
            "peak_megabytes": round(max(peaks), 1),
        },
        "imports_ms": imports_ms(n_runs),
        "warm": {
            "searches": len(times),
            "ms_median": round(statistics.median(times), 2),
            "ms_p95": round(float(np.quantile(times, 0.95)), 2),
        },
    }


def imports_ms(rounds: int) -> dict[str, float]:
    """Return what importing each large library takes alone, beyond starting Python, medians."""

    def median_ms(code: str) -> float:
        command = [sys.executable, "-c", code]
        return 1e3 * statistics.median(run_timed(command) for _ in range(rounds))

    bare = median_ms("pass")
    codes = {name: f"import {name}" for name in ("numpy", "sqlalchemy", "faiss", "openvino")}
    codes["openvino"] = (
        "from mobisearch.runtimes.openvino_library import import_openvino; import_openvino()"
    )
    taken = {name: median_ms(code) - bare for name, code in codes.items()}
    for name in ("faiss", "openvino"):
        taken[name] -= taken["numpy"]  # which both need
    return {name: round(ms, 1) for name, ms in taken.items()}


# ---------------------------------------------------------------- memory


def bench_memory(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "photos"
        folder.mkdir()
        make_thumbnails(folder, arguments.files)
        command = [sys.executable, "-m", "mobisearch", "index", "--json"]
        process = subprocess.Popen(
            [*command, "--index", f"{work}/index", str(folder)], stdout=subprocess.PIPE
        )
        samples = list(watched(process))
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
    own = [sample[1] for sample in samples]
    every = [sample[2] for sample in samples]
    middle = own[len(own) // 4 : len(own) // 2]
    late = own[3 * len(own) // 4 :]
    step = max(len(samples) // 40, 1)
    return {
        **describe("python scripts/bench.py memory --output FILE"),
        "files": arguments.files,
        "added": report["added"],
        "seconds": report["seconds"],
        "peak_megabytes": max(own),
        "peak_megabytes_with_workers": max(every),
        "second_quarter_median_megabytes": statistics.median(middle),
        "last_quarter_median_megabytes": statistics.median(late),
        "curve": [
            {"second": round(s), "megabytes": o, "with_workers": e} for s, o, e in samples[::step]
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    index = parts.add_parser("index")
    index.add_argument("folder", type=Path)
    index.add_argument("--peers", help="the Python of an environment with fastdup and imagededup")
    index.add_argument("--about", default="", help="what the photos are, kept in the output")
    index.set_defaults(run=bench_index)
    cold = parts.add_parser("cold")
    cold.add_argument("index", type=Path)
    cold.add_argument("query", type=Path)
    cold.set_defaults(run=bench_cold)
    memory = parts.add_parser("memory")
    memory.add_argument("--files", type=int, default=100_000)
    memory.set_defaults(run=bench_memory)
    for part in (index, cold, memory):
        part.add_argument("--rounds", type=int, default=3)
        part.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    document = arguments.run(arguments)
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps({k: v for k, v in document.items() if k != "curve"}, indent=2))


if __name__ == "__main__":
    main()
