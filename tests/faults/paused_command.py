"""``fake_command`` that stops at a step of its work, says so, and goes on when it is told to.

Run as ``paused_command.py STEP SAYS WAITS ARGUMENT...``: at the step, the word ``here`` is written
to the handle SAYS, then a byte is read from the handle WAITS. Each step is reached once.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mobisearch.embedding
from mobisearch import pipeline
from mobisearch.store import CatalogWriter, cache
from mobisearch.sync import folders

# What runs in the background has SIGINT ignored, and its children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

Function = Callable[..., Any]


class Pause:
    """Stops once, at the n-th call."""

    def __init__(self, says: int, waits: int, *, at: int) -> None:
        self._says, self._waits = says, waits
        self._calls_left = at
        self._is_armed = True

    def __call__(self) -> None:
        self._calls_left -= self._is_armed
        if self._is_armed and not self._calls_left:
            os.write(self._says, b"here\n")
            os.read(self._waits, 1)

    def armed_after(self, function: Function) -> Function:
        """Return the function, and let no pause come before it was called."""
        self._is_armed = False

        def arming(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            self._is_armed = True
            return result

        return arming

    def before(self, function: Function) -> Function:
        """Return the function with a pause before it."""

        def paused(*arguments: Any, **named: Any) -> Any:
            self()
            return function(*arguments, **named)

        return paused

    def after(self, function: Function) -> Function:
        """Return the function with a pause after it."""

        def paused(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            self()
            return result

        return paused

    def among(self, function: Function) -> Function:
        """Return the generator with a pause before what it gives."""

        def paused(*arguments: Any, **named: Any) -> Iterator[Any]:
            for value in function(*arguments, **named):
                self()
                yield value

        return paused


def install(step: str, says: int, waits: int) -> None:
    """Let a step of the package stop."""
    embedding = mobisearch.embedding
    if step == "loading":
        pause = Pause(says, waits, at=1)
        embedding.load_runtime = pause.before(embedding.load_runtime)
    elif step == "scanning":
        folders.scan_folder = Pause(says, waits, at=20).among(folders.scan_folder)
    elif step == "reading":  # in a thread
        pipeline.read_file = Pause(says, waits, at=100).before(pipeline.read_file)
    elif step == "embedding":  # in a thread, and as soon as something is stored
        pause = Pause(says, waits, at=1)
        CatalogWriter.put_files = pause.armed_after(CatalogWriter.put_files)
        mobisearch.Embedder.pool_pixels = pause.before(mobisearch.Embedder.pool_pixels)
    elif step == "before a commit":
        pause = Pause(says, waits, at=2)
        CatalogWriter.put_files = pause.before(CatalogWriter.put_files)
    elif step == "after a commit":
        pause = Pause(says, waits, at=1)
        CatalogWriter.put_files = pause.after(CatalogWriter.put_files)
    elif step == "sealing":
        cache.serialise = Pause(says, waits, at=1).before(cache.serialise)
    else:
        raise SystemExit(f"there is no step {step!r}")


def main() -> None:
    """Run the command line."""
    step, says, waits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    del sys.argv[1:4]
    fake = runpy.run_path(str(Path(__file__).with_name("fake_command.py")))
    mobisearch.embedding.load_runtime = fake["CoarseRuntime"]
    install(step, says, waits)
    from mobisearch.cli import main as run

    run()


if __name__ == "__main__":
    main()
