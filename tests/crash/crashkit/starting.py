"""The library of faults, and the forking process that has it loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent.parent / "faults.c"

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_ONE_HEAP = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TOP_PAD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 28),
}
"""For glibc: a child that lives for a moment need not give memory back in between."""


def build_library(folder: Path) -> Path | str:
    """Compile faults.c into a folder; return the library, or why it cannot be had."""
    if not sys.platform.startswith("linux"):
        return "faults are injected by LD_PRELOAD, which is tried on Linux only"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "there is no C compiler (cc or gcc) to build faults.c with"
    library = folder / "faults.so"
    flags = ["-shared", "-fPIC", "-O2", "-U_FORTIFY_SOURCE", "-Wall", "-Wextra", "-Werror"]
    made = subprocess.run(
        [compiler, *flags, "-o", str(library), str(_SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    return library if made.returncode == 0 else f"faults.c does not compile: {made.stderr}"


def start_server(library: Path) -> subprocess.Popen[str]:
    """Start a forking process that reads requests and writes answers."""
    return subprocess.Popen(
        [sys.executable, "-m", "crashkit.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_SOURCE.parent,
        env={
            **os.environ,
            **dict.fromkeys(_ONE_THREAD, "1"),
            **_ONE_HEAP,
            "LD_PRELOAD": str(library),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
