"""Ctrl-C: once to finish what is begun, twice to stop at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from mobisearch.cli.output import print_from_handler

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


_MESSAGE = "stopping when the images in hand are stored; once more to stop at once"


@contextlib.contextmanager
def stop_on_signals(message: str = _MESSAGE) -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets, or the end of the terminal; the second interrupts.

    Works in the main thread, the only one that gets signals; elsewhere the event is never set.
    """
    stop = threading.Event()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        if number == signal.SIGINT:
            print_from_handler(message)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
