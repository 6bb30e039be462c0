"""Ctrl-C and its relatives at every step of the command: a sentence, and what is stored stays."""

from __future__ import annotations

import contextlib
import os
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.models import DEFAULT_MODEL, find_model

DEADLINE_SECONDS = 120.0
"""For a process to reach a step or its end; only there so that a hang fails."""

PER_COMMIT = 64
N_PHOTOS = 4 * PER_COMMIT + 2
"""More than are read ahead while the first are stored."""
PROGRAM = Path(__file__).parent / "paused_command.py"
FAKE = Path(__file__).parent / "fake_command.py"

STORED = {
    "loading": 0,
    "scanning": 0,
    "reading": 0,
    "embedding": PER_COMMIT,
    "before a commit": PER_COMMIT,
    "after a commit": PER_COMMIT,
    "sealing": N_PHOTOS,
}
"""Images that are committed for certain when a step is reached."""

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="case 15: there are no such signals to send to a process"
)


class Paused:
    """A command that stops at a step."""

    def __init__(self, step: str, *words: str | os.PathLike[str]) -> None:
        said, says = os.pipe()
        waits, self._go_on = os.pipe()
        self._said = said
        kept = {k: v for k, v in os.environ.items() if k != "MOBISEARCH_INDEX"}
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, step, str(says), str(waits), *words],
            pass_fds=(says, waits),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=kept,
        )
        os.close(says)
        os.close(waits)
        ready, _, _ = select.select([said], [], [], DEADLINE_SECONDS)
        assert ready, f"{step} was not reached"
        assert os.read(said, 10) == b"here\n", f"it ended before {step}: {self.end()}"

    def send(self, number: int) -> None:
        """Send a signal; it is seen before whatever is done next."""
        self.process.send_signal(number)

    def wait_for(self, words: str) -> None:
        """Wait until the command has said something meanwhile."""
        assert self.process.stderr is not None
        assert any(words in line for line in iter(self.process.stderr.readline, "")), "it ended"

    def end(self) -> tuple[int, str]:
        """Let the command go on to its end, and return its exit code and messages."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._go_on, b".")
        _, messages = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, messages

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self._said)
        os.close(self._go_on)


PauseAt = Callable[..., Paused]


@pytest.fixture
def pause_at() -> Iterator[PauseAt]:
    """A function that starts a command and returns when it has stopped at a step."""
    with contextlib.ExitStack() as stack:
        yield lambda *words: stack.enter_context(contextlib.closing(Paused(*words)))


@pytest.fixture(scope="module")
def some_photos(tmp_path_factory: pytest.TempPathFactory, make_photo: Callable[..., Path]) -> Path:
    """Photos for five commits. No test changes them."""
    folder = Path(os.path.realpath(tmp_path_factory.mktemp("some")))
    for seed in range(N_PHOTOS):
        make_photo(folder / f"{seed:03}.png", seed=seed, size=(12, 12))
    return folder


@pytest.fixture
def check_goes_on(
    some_photos: Path, tmp_path: Path, make_embedder: Callable[..., Embedder]
) -> Callable[..., None]:
    """A function that checks what an interrupted run left, and that the next one completes it."""
    model = find_model(DEFAULT_MODEL)
    runtime = runpy.run_path(str(FAKE))["CoarseRuntime"](model)
    embedder = make_embedder(model=model, runtime=runtime)
    path = tmp_path / "index"

    def check(*, at_least: int) -> None:
        if not (path / "mobisearch.db").exists():
            ImageIndex.create(path, embedder).close()
        with ImageIndex.open(path, embedder) as index:
            assert index.verify().ok
            held = len(index)
            assert held >= at_least, "what was committed is kept"
            assert index.errors() == []
            assert index.sync(some_photos).added == N_PHOTOS - held, "nothing is embedded twice"
            assert len(index) == index.status().cached == N_PHOTOS
            report = index.verify()
            assert (report.ok, report.stale) == (True, ())
        assert list((path / "tmp").iterdir()) == []

    return check


def _check_sentence(code: int, messages: str) -> None:
    assert code == 130, messages
    assert "interrupted; what was finished is kept" in messages
    assert "Traceback" not in messages
    assert "Exception" not in messages


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("step", [step for step in STORED if step != "sealing"])
def test_case_15_a_signal_at_any_step_ends_with_130_and_keeps_what_is_stored(
    some_photos: Path,
    tmp_path: Path,
    pause_at: PauseAt,
    check_goes_on: Callable[..., None],
    step: str,
    number: int,
) -> None:
    paused = pause_at(step, "index", some_photos, "--index", tmp_path / "index")
    paused.send(number)
    _check_sentence(*paused.end())
    check_goes_on(at_least=STORED[step])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_case_15_a_signal_while_cache_files_are_sealed_ends_orderly_with_everything_stored(
    some_photos: Path,
    tmp_path: Path,
    pause_at: PauseAt,
    check_goes_on: Callable[..., None],
    number: int,
) -> None:
    """All images are stored by then, but a script must not go on as if nobody had stopped it."""
    paused = pause_at("sealing", "index", some_photos, "--index", tmp_path / "index")
    paused.send(number)
    _check_sentence(*paused.end())
    check_goes_on(at_least=N_PHOTOS)


@pytest.mark.parametrize("step", STORED)
def test_case_15_a_second_ctrl_c_right_after_the_first_stops_at_once_and_loses_nothing(
    some_photos: Path,
    tmp_path: Path,
    pause_at: PauseAt,
    check_goes_on: Callable[..., None],
    step: str,
) -> None:
    paused = pause_at(step, "index", some_photos, "--index", tmp_path / "index")
    paused.send(signal.SIGINT)
    if step != "loading":  # nothing is in hand yet there: the first is enough
        paused.wait_for("once more to stop at once")
        paused.send(signal.SIGINT)
    _check_sentence(*paused.end())
    check_goes_on(at_least=STORED[step])
