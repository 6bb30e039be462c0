"""How much of this machine the process may use: processors, and pictures decoded at once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

_BYTES_PER_WORKER = 512 << 20
"""What the largest picture that is read at full size by default takes: 128 million pixels of four
bytes. With less memory than this for each worker, fewer are started."""

_GROUPS_DIR = "/sys/fs/cgroup"
_OWN_GROUP = "/proc/self/cgroup"


def count_processors() -> int:
    """Return the number of processors that this process may use, at least 1.

    Looks at the processors of the machine, those that this process is bound to, and what control
    groups (version 2) grant, as containers have them: a part of a processor counts as one.
    """
    return max(1, math.ceil(min([float(_bound_processors()), *_granted_processors()])))


def count_workers() -> int:
    """Return one worker for each processor that this process may use, fewer where memory is short.

    For processes that decode pictures, each of which may take much memory.
    """
    memory = min([_physical_bytes(), *_granted_bytes()])
    return max(1, min(count_processors(), int(memory // _BYTES_PER_WORKER)))


def _bound_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _physical_bytes() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _granted_processors() -> Iterator[float]:
    """Give the processors' time that each control group over this process grants per second."""
    for text in _group_values("cpu.max"):
        quota, _, period = text.partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _granted_bytes() -> Iterator[float]:
    for text in _group_values("memory.max"):
        if text.isdigit():
            yield float(text)


def _group_values(name: str) -> Iterator[str]:
    """Give what a file says in this process's control group and in those above it.

    Source: the Linux kernel's "Control Group v2". An absent limit reads "max", or has no file.
    """
    try:
        with open(_OWN_GROUP, encoding="utf-8") as lines:
            paths = [line[3:].strip() for line in lines if line.startswith("0::")]
    except OSError:
        return
    for path in paths:
        folder = path.strip("/")
        while True:
            try:
                with open(os.path.join(_GROUPS_DIR, folder, name), encoding="utf-8") as file:
                    yield file.read().strip()
            except OSError:
                pass
            if not folder:
                break
            folder = os.path.dirname(folder)
