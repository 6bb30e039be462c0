"""Where a network runs. One small protocol; torch is the reference that all others are held to."""

from mobisearch.runtimes.fake import FAKE_MODEL, FakeRuntime
from mobisearch.runtimes.protocol import Runtime
from mobisearch.runtimes.selection import (
    check_settings,
    load_runtime,
)

__all__ = [
    "FAKE_MODEL",
    "FakeRuntime",
    "Runtime",
    "check_settings",
    "load_runtime",
]
