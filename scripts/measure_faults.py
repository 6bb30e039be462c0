"""Count what the crash and fault tests try, and what they lose.

    python scripts/measure_faults.py --output scripts/results/faults.json
    MOBISEARCH_FAULT_REPORT=TOLD python scripts/test.py
    python scripts/measure_faults.py --told TOLD --output scripts/results/faults.json

The second way takes what a run of all tests told, which must have been without a failure.

Runs ``tests/crash`` and ``tests/faults``, which tell what they tried through the file that the
environment variable MOBISEARCH_FAULT_REPORT names: a JSON object a line, ``{"group": ..., "what":
..., "tried": n, "lost": n}``. Adds these up and writes them, with the tests that passed and those
that were skipped, and why. Writes nothing if a test failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
TESTS = ("tests/crash", "tests/faults")
REPORT = "MOBISEARCH_FAULT_REPORT"


def add_up(lines: Iterable[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Return group -> what -> tried and lost, in the order of first mention."""
    groups: dict[str, dict[str, dict[str, int]]] = {}
    for line in lines:
        told = json.loads(line)
        sums = groups.setdefault(told["group"], {}).setdefault(
            told["what"], {"tried": 0, "lost": 0}
        )
        for key in sums:
            sums[key] += told[key]
    return groups


def count_tests(report: Path) -> dict[str, Any]:
    """Return how many tests passed, failed and were skipped, with the reasons."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next(
            (child for child in case if child.tag in ("failure", "error", "skipped")), None
        )
        if outcome is None:
            counts["passed"] += 1
        elif outcome.tag != "skipped":
            counts["failed"] += 1
        elif outcome.get("type") == "pytest.xfail":
            counts["expected_failures"] += 1
        else:
            counts["skipped"] += 1
            reasons[outcome.get("message", "")] += 1
    names = ("passed", "failed", "expected_failures", "skipped")
    return {**{name: counts[name] for name in names}, "reasons": dict(sorted(reasons.items()))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--told", type=Path, help="what a run of the tests wrote")
    arguments = parser.parse_args()
    if arguments.told is not None:
        lines = arguments.told.read_text("utf-8").splitlines()
        if any(json.loads(line).get("failed") for line in lines):
            raise SystemExit("a test of that run failed; nothing was written")
        command = "MOBISEARCH_FAULT_REPORT=TOLD python scripts/test.py; --told TOLD"
        write(arguments.output, command, add_up(lines), {})
        return
    with tempfile.TemporaryDirectory() as directory:
        told, report = Path(directory) / "told.jsonl", Path(directory) / "report.xml"
        told.touch()
        started = time.monotonic()
        call = [sys.executable, "-m", "pytest", *TESTS, "-q", f"--junitxml={report}"]
        environment = {**os.environ, REPORT: str(told)}
        done = subprocess.run(call, cwd=REPOSITORY, env=environment, check=False)
        seconds = round(time.monotonic() - started)
        if done.returncode:
            raise SystemExit(f"the tests ended with {done.returncode}; nothing was written")
        tests, groups = count_tests(report), add_up(told.read_text("utf-8").splitlines())
    command = "python scripts/measure_faults.py --output FILE"
    write(arguments.output, command, groups, {"seconds": seconds, "tests": tests})


def write(
    output: Path,
    command: str,
    groups: dict[str, dict[str, dict[str, int]]],
    more: dict[str, Any],
) -> None:
    """Write the sums as JSON, if there are any."""
    if not groups:
        raise SystemExit(f"no test told what it tried in {REPORT}; nothing was written")
    document = {
        "command": command,
        "machine": {
            "system": platform.system(),
            "processors": platform.machine(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
        },
        "all_cases": os.environ.get("MOBISEARCH_CRASH_ALL") == "1",
        **more,
        "groups": groups,
    }
    output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
