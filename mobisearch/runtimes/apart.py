"""A network that is loaded in a process of its own, while this one is busy with something else.

For a command that is over in half a second: loading the network and opening the catalog are mostly
imports, which threads of one process do in turns and two processes do at once.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import warnings
from typing import BinaryIO, Self, cast

import numpy as np
from numpy.typing import NDArray

from mobisearch.capacity import count_processors
from mobisearch.models import find_model
from mobisearch.runtimes.protocol import Runtime
from mobisearch.runtimes.selection import check_settings, load_runtime
from mobisearch.types import Pixels, RuntimeSettings


class RuntimeApart:
    """Runs the network of a model in a process of its own, which ends with this one.

    Where that process cannot load the network, or ends, it is loaded here, and what is wrong with
    it is raised as anywhere else.
    """

    def __init__(self, model: str, settings: RuntimeSettings, process: _Process) -> None:
        """Use ``start`` instead."""
        self._model = model
        self._settings = settings
        self._process: _Process | None = process
        self._own: Runtime | None = None
        self._lock = threading.Lock()

    @classmethod
    def start(cls, model: str, settings: RuntimeSettings) -> Self | None:
        """Begin to load the network of a model.

        To be called before an index is opened: the process has all files open that this one has.

        Returns:
            None where nothing is to be gained by it: on one processor, or where a process cannot be
            forked safely, as from one with several threads.

        Raises:
            UnknownRuntimeError: the settings name a runtime or precision that there is not.
        """
        check_settings(settings)
        is_safe = sys.platform == "linux" and threading.active_count() == 1
        if not is_safe or count_processors() < 2:
            return None
        try:
            return cls(model, settings, _Process(model, settings))
        except OSError:  # no more processes, or files: one is enough
            return None

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """See :meth:`mobisearch.runtimes.Runtime.extract`."""
        with self._lock:
            if self._process is not None:
                try:
                    return self._process.extract(pixels)
                except (OSError, EOFError, pickle.UnpicklingError):
                    self.close()
            if self._own is None:
                self._own = load_runtime(find_model(self._model), self._settings)
        return self._own.extract(pixels)

    def close(self) -> None:
        """End the process. Closing twice does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.close()


class _Process:
    """The other process: it answers each batch of pictures with a batch of rows."""

    def __init__(self, model: str, settings: RuntimeSettings) -> None:
        theirs, ours = os.pipe()
        try:
            answers, answering = os.pipe()
        except OSError:
            os.close(theirs)
            os.close(ours)
            raise
        with warnings.catch_warnings():
            # numpy's threads, which nothing asks for anything in the meantime.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._id = os.fork()
        if self._id == 0:
            os.close(ours)
            os.close(answers)
            _serve_and_exit(model, settings, theirs, answering)
        os.close(theirs)
        os.close(answering)
        self._requests: BinaryIO = os.fdopen(ours, "wb")
        self._answers: BinaryIO = os.fdopen(answers, "rb")

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        pickle.dump(pixels, self._requests, pickle.HIGHEST_PROTOCOL)
        self._requests.flush()
        return cast("NDArray[np.float32]", pickle.load(self._answers))  # noqa: S301 - our own

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self._id, signal.SIGKILL)  # it has nothing to put in order
        for stream in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # of what it did not take any more
                stream.close()
        with contextlib.suppress(OSError):
            os.waitpid(self._id, 0)


def _serve_and_exit(model: str, settings: RuntimeSettings, theirs: int, answering: int) -> None:
    """Answer until there is nobody to ask. Never returns: the rest is the other process's."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the other one handles it
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no result
        with os.fdopen(theirs, "rb") as requests, os.fdopen(answering, "wb") as answers:
            runtime = load_runtime(find_model(model), settings)
            with contextlib.suppress(EOFError):
                while True:
                    pixels = pickle.load(requests)  # noqa: S301 - of the process that forked us
                    pickle.dump(runtime.extract(pixels), answers, pickle.HIGHEST_PROTOCOL)
                    answers.flush()
        code = 0
    finally:
        os._exit(code)
