"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP_DIR = Path("/sys/fs/cgroup")


def usable_processors() -> int:
    """Return the number of processors to keep busy, at least 1.

    Counts those that the process may run on and, on Linux, no more than its control group may
    take: a container with the share of two processors on a machine of sixty-four has two.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, ``cpu.max``.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _group_quota()))


def _group_quota() -> int:
    """Return the processors that the control group may take, rounded up; many if it may all."""
    unlimited = 1 << 20
    try:
        quota, period = (_CGROUP_DIR / "cpu.max").read_text().split()
        return unlimited if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return unlimited
