"""Where the program begins, before anything else is loaded."""

from __future__ import annotations

import gc
from typing import NoReturn

_GC_THRESHOLDS = (50_000, 50, 100)
"""Python looks for garbage after 700 new objects by default, which takes a tenth of the time of a
command that imports much and ends soon."""


def main() -> NoReturn:
    """Run the command line and exit with the code that ``exit_codes`` gives."""
    gc.set_threshold(*_GC_THRESHOLDS)  # before the imports, which make most of the objects
    from mobisearch.cli.app import run

    run()
