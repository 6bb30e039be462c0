"""What a decode worker may use. Where a system lacks a limit, the parent's deadline remains."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_MAX_OPEN_FILES = 32
_ORPHAN_GRACE_SECONDS = 10.0
_PR_SET_NO_NEW_PRIVS = 38
"""Source: linux/prctl.h."""


def give_up_rights() -> None:
    """Write no file, leave no core, open few files, gain no rights."""
    if resource is None:
        return
    for name, value in (("FSIZE", 0), ("CORE", 0), ("NOFILE", _MAX_OPEN_FILES)):
        _limit(f"RLIMIT_{name}", value)
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit_memory(n_bytes: int | None) -> None:
    """Let allocations fail beyond this address space, where the system can. None lifts that."""
    if resource is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if n_bytes is None:
        n_bytes = hard
    elif hard != resource.RLIM_INFINITY:
        n_bytes = min(n_bytes, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (n_bytes, hard))


def limit_time(deadline_seconds: float | None) -> None:
    """Let the system end this process if the parent does not: it may be gone. None lifts that."""
    if hasattr(signal, "setitimer"):
        seconds = 0.0
        if deadline_seconds is not None:
            seconds = 2 * deadline_seconds + _ORPHAN_GRACE_SECONDS
        signal.setitimer(signal.ITIMER_REAL, seconds)


def address_space_bytes() -> int:
    """Return the address space in use, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


def _limit(name: str, value: int) -> None:
    if hasattr(resource, name):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (value, value))
