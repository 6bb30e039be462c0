"""A network in a process of its own: the same rows, and never worse than without it.

It is forked from programs with one thread, which this one is not: each test runs one of its own.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mobisearch.errors import UnknownRuntimeError
from mobisearch.models import DEFAULT_MODEL
from mobisearch.runtimes.apart import RuntimeApart
from mobisearch.types import RuntimeSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux only")

ENDS_WITHIN_SECONDS = 30.0

_BEGIN = """
import os, signal, sys
import numpy as np
from mobisearch.models import DEFAULT_MODEL, find_model
from mobisearch.runtimes import apart, load_runtime
from mobisearch.types import RuntimeSettings, WeightsSettings
apart.count_processors = lambda: 2
pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)

def start(settings=RuntimeSettings()):
    made = apart.RuntimeApart.start(DEFAULT_MODEL, settings)
    assert made is not None
    return made
"""


def run(code: str) -> str:
    """Return what a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + code], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rows_are_those_of_the_network_loaded_here() -> None:
    run("""
made = start()
found = [made.extract(pictures), made.extract(pictures[:1])]
assert not {"openvino", "torch"} & sys.modules.keys()
made.close()
made.close()
own = load_runtime(find_model(DEFAULT_MODEL))
assert np.array_equal(found[0], own.extract(pictures))
assert np.array_equal(found[1], own.extract(pictures[:1]))
""")


@pytest.mark.parametrize("ended", ["before", "after"])
def test_where_the_process_ends_the_network_is_loaded_here(ended: str) -> None:
    run(f"""
made = start()
if {ended!r} == "after":
    made.extract(pictures)
os.kill(made._process._id, signal.SIGKILL)
found = made.extract(pictures)
assert np.array_equal(found, load_runtime(find_model(DEFAULT_MODEL)).extract(pictures))
""")


def test_what_is_wrong_with_the_network_is_raised_as_anywhere_else() -> None:
    shown = run("""
made = start(RuntimeSettings(weights=WeightsSettings(path="/nowhere/weights.pth")))
try:
    made.extract(pictures)
except Exception as error:
    print(type(error).__name__, error)
""")
    assert shown.startswith("WeightsNotFoundError ")
    assert "/nowhere/weights.pth" in shown


def test_the_process_is_gone_when_it_is_closed_or_the_one_that_started_it_ends() -> None:
    shown = run("""
made = start()
print(made._process._id)
made.close()
other = start()
print(other._process._id, flush=True)
other.extract(pictures)
os._exit(0)
""")
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    for number in shown.split():
        while Path(f"/proc/{number}").exists():
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "Z":  # it has ended; whoever adopted it has not looked
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_what_a_library_prints_is_no_result_of_a_command() -> None:
    shown = run("""
def load_loudly(spec, settings):
    os.write(1, b"Welcome!")
    print("Welcome!", flush=True)
    return load_runtime(spec, settings)

apart.load_runtime = load_loudly
print(start().extract(pictures).shape)
""")
    assert shown == "(3, 1280)\n"


def test_nothing_is_forked_from_several_threads_or_on_one_processor() -> None:
    run("""
apart.count_processors = lambda: 1
assert apart.RuntimeApart.start(DEFAULT_MODEL, RuntimeSettings()) is None
""")
    halt = threading.Event()
    thread = threading.Thread(target=halt.wait)
    thread.start()
    try:
        assert RuntimeApart.start(DEFAULT_MODEL, RuntimeSettings()) is None
    finally:
        halt.set()
        thread.join()


def test_settings_that_make_no_sense_are_an_error_at_once() -> None:
    with pytest.raises(UnknownRuntimeError):
        RuntimeApart.start(DEFAULT_MODEL, RuntimeSettings(runtime="abacus"))
