"""Commands as users run them, with the time and the memory that they take."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def installed() -> dict[str, str]:
    """Return the environment, without what keeps Python from keeping byte code."""
    return {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run_timed(command: list[str]) -> float:
    """Return the wall seconds of a process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=installed())
    process.wait()
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return wall


def most_resident(command: list[str]) -> float:
    """Return the megabytes that a process and its children have at most, what they share twice."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=installed())
    return max(sample[2] for sample in watched(process, every_seconds=0.002))


def watched(
    process: subprocess.Popen[bytes], *, every_seconds: float = 0.5
) -> Iterator[tuple[float, float, float]]:
    """Give second, resident megabytes, and those with all child processes, until it ends."""
    started = time.perf_counter()
    while process.poll() is None:
        own = resident_megabytes(process.pid)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            pids = [int(pid) for task in children.parent.parent.glob("*/children")
                    for pid in task.read_text().split()]  # fmt: skip
        except OSError:
            pids = []
        if own:
            total = own + sum(map(resident_megabytes, pids))
            yield time.perf_counter() - started, own, round(total, 1)
        time.sleep(every_seconds)


def resident_megabytes(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return round(int(line.split()[1]) / 1e3, 1)
    except (OSError, ValueError):
        pass
    return 0.0
