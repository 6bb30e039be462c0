"""Programs that run beside a test and wait for it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

DEADLINE_SECONDS = 120.0
"""For a process to reach a state; only there so that a hang fails instead of staying."""


PEAK_BYTES = """
import os, resource, sys

def peak_bytes():
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peaks = [unit * resource.getrusage(which).ru_maxrss for which in who]
    if os.path.exists("/proc/self/status"):
        # The former begins with what the process had that started this one.
        with open("/proc/self/status") as file:
            peaks[0] = next(unit * int(line.split()[1]) for line in file if "VmHWM" in line)
    return peaks
"""
"""Python: a function that gives the peak memory of its own process and of its largest child."""


@contextlib.contextmanager
def started(program: str, *arguments: object, says: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Python program that has said a word and waits for a line; kill it at the end."""
    words = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"{says}\n"
            yield process
        finally:
            process.kill()


def go_on(process: subprocess.Popen[str]) -> str:
    """Let a program that waits go on, and return what else it says."""
    said, _ = process.communicate("go\n", timeout=DEADLINE_SECONDS)
    assert process.returncode == 0
    return said.strip()
