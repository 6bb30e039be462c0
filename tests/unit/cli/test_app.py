"""How every end of a command becomes a sentence and an exit code."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from mobisearch import errors
from mobisearch.cli import exit_codes
from mobisearch.cli.app import cli
from mobisearch.cli.output import format_bytes, json_path
from mobisearch.cli.progress import ProgressBar
from mobisearch.types import Progress

Command = Callable[..., Any]

CODES = {
    "PlanError": 65,
    "PlanNotFoundError": 66,
    "DecisionsFileError": 65,
    "DecisionsNotFoundError": 66,
    "StepRefusedError": 1,
    "TrashUnavailableError": 1,
    "InvalidDecisionError": 2,
    "UnknownDecisionError": 2,
    "UnknownKeepRuleError": 2,
    "InvalidScopeError": 2,
    "InvalidWrongGroupsError": 2,
    "FolderNotIndexedError": 66,
    "ImageNotFoundError": 66,
    "ImageNotIndexedError": 66,
    "ImageTooLargeError": 1,
    "IndexClosedError": 65,
    "IndexDamagedError": 65,
    "IndexExistsError": 73,
    "IndexFormatError": 65,
    "IndexLockedError": 75,
    "IndexNotFoundError": 66,
    "IndexReadOnlyError": 73,
    "InvalidRecallError": 2,
    "InvalidResultCountError": 2,
    "InvalidVectorError": 2,
    "ModelChangedError": 69,
    "ModelIncompleteError": 69,
    "ModelInUseError": 69,
    "ModelMismatchError": 69,
    "ModelNotInIndexError": 69,
    "ModelNotInUseError": 69,
    "ModelVariantError": 69,
    "NoEmbeddingError": 1,
    "DecodeMemoryError": 1,
    "DecodeTimeoutError": 1,
    "DecoderCrashedError": 1,
    "PrecisionUnavailableError": 69,
    "ReportError": 73,
    "PortTakenError": 73,
    "MappingError": 73,
    "RequestRefusedError": 73,
    "RootUnavailableError": 66,
    "RuntimeMismatchError": 69,
    "RuntimeUnavailableError": 69,
    "StorageError": 74,
    "TooFewImagesError": 66,
    "TruncatedImageError": 1,
    "UnknownImageIdError": 2,
    "UnknownModelError": 69,
    "UnknownRuntimeError": 69,
    "UnreadableImageError": 1,
    "UnsupportedFormatError": 1,
    "UntrainedModelError": 69,
    "WeightsAbsentError": 69,
    "WeightsAddressError": 69,
    "WeightsDownloadError": 69,
    "WeightsMismatchError": 69,
    "WeightsNotFoundError": 69,
    "WorkerStartError": 70,
    "NoClassifierError": 69,
    "ClassifierFileError": 69,
    "ClassifierMismatchError": 69,
    "NotLabelledError": 2,
    "UnknownLabelError": 2,
    "InvalidProbabilityError": 2,
    "TrainingDataError": 66,
}


def test_every_error_has_its_exit_code() -> None:
    kinds = {name: getattr(errors, name) for name in errors.__all__}
    leaves = {name: kind for name, kind in kinds.items() if not kind.__subclasses__()}
    assert set(leaves) == set(CODES)
    for name, kind in leaves.items():
        assert exit_codes.exit_code(kind.__new__(kind)) == CODES[name], name


def test_an_error_of_no_known_kind_is_internal() -> None:
    assert exit_codes.exit_code(errors.MobisearchError("what?")) == 70


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["search"], ["remove"], ["status", "--no-such-option"], ["--debug"], []],
)
def test_a_wrong_call_is_a_mistake_of_usage(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Usage: " in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_and_version_are_fine(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert (done.code, done.stderr) == (0, "")
    assert "mobisearch" in done.stdout.lower()


@pytest.fixture
def break_status(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """A function that makes ``mobisearch status`` raise."""

    def break_with(error: BaseException) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("mobisearch.ImageIndex.open", fail)

    return break_with


def test_an_interruption_is_said_and_has_its_code(
    command: Command, break_status: Callable[[BaseException], None]
) -> None:
    break_status(KeyboardInterrupt())
    done = command("status")
    assert done.code == 130
    assert "what was finished is kept" in done.stderr


def test_something_unexpected_is_a_sentence_and_a_traceback_only_on_request(
    command: Command, break_status: Callable[[BaseException], None]
) -> None:
    break_status(ZeroDivisionError("an \x1b[31m accident"))
    done = command("status")
    assert done.code == 70
    assert "ZeroDivisionError: an \\x1b[31m accident" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" in command("status", "--debug", is_debug=True).stderr


def test_an_error_of_ours_is_one_sentence_and_a_traceback_only_on_request(
    command: Command, break_status: Callable[[BaseException], None]
) -> None:
    break_status(errors.StorageError("index", "the disk is full"))
    done = command("status")
    assert (done.code, done.stderr) == (74, "mobisearch: index: the disk is full\n")
    shown = command("status", "--debug", is_debug=True).stderr
    assert "Traceback" in shown
    assert shown.endswith("mobisearch: index: the disk is full\n")


@pytest.mark.parametrize(
    ("word", "meant"), [("serch", "'search'"), ("duplicate", "'duplicates'"), ("xyz", "")]
)
def test_of_a_command_that_is_not_there_it_is_said_what_was_meant(
    command: Command, word: str, meant: str
) -> None:
    done = command(word)
    assert (done.code, f"No such command '{word}'." in done.stderr) == (2, True)
    assert (f"Did you mean {meant}" in done.stderr) == bool(meant)


def test_every_command_has_the_common_options() -> None:
    context = click.Context(cli)
    assert cli.list_commands(context) == [
        "apply",
        "backup",
        "bench",
        "classify",
        "cover",
        "decide",
        "decisions",
        "duplicates",
        "errors",
        "index",
        "label",
        "model",
        "models",
        "remove",
        "salvage",
        "search",
        "serve",
        "status",
        "train",
        "undo",
        "verify",
    ]
    for name in cli.list_commands(context):
        found = cli.get_command(context, name)
        assert found is not None
        commands = found.commands.values() if isinstance(found, click.Group) else [found]
        for command in commands:
            options = {option for parameter in command.params for option in parameter.opts}
            assert options >= {"--json", "--debug"}
            assert ("--index" in options) == (name not in ("classify", "models"))  # about none


def test_an_option_of_a_command_is_used_by_it() -> None:
    """A parameter that is accepted is a parameter that does something."""
    import inspect

    from mobisearch.cli import options

    made = {
        "settings: DecodeSettings": (options.decode_options, "DecodeSettings("),
        "runtime_settings: ": (options.runtime_options, "RuntimeSettings("),
        "weights_settings: ": (options.weights_options, "WeightsSettings("),
        "model: str": (options.model_options, "if model is not None"),
    }
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.callback is not None
        source = inspect.getsource(inspect.unwrap(command.callback))
        body = source.partition(") -> int:")[2]
        if "runtime_settings: " in source:
            source += "weights_settings: "
        for argument, (maker, start) in made.items():
            if argument in source:
                body += inspect.getsource(maker).partition(start)[2]
        for parameter in command.params:
            if parameter.expose_value:
                assert str(parameter.name) in body, f"{command.name} {parameter.name}"


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_500, "1.5 kB"),
        (12_345_678, "12.3 MB"),
        (5_000_000_000, "5.0 GB"),
        (7 * 10**15, "7000.0 TB"),
    ],
)
def test_sizes_are_shown_for_people(n_bytes: int, shown: str) -> None:
    assert format_bytes(n_bytes) == shown


def test_a_path_in_json_is_itself_while_it_is_text() -> None:
    assert json_path("/ü/🐈\x1b") == {"path": "/ü/🐈\x1b"}
    assert json_path(os.fsdecode(b"/\xff")) == {"path": "/\\xff", "path_b64": "L/8="}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    stderr = _Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with ProgressBar() as bar:
        bar(Progress(done=1, total=4, failed=0))
        bar(Progress(done=4, total=4, failed=2))
    if is_terminal:
        assert "4/4" in stderr.getvalue()
        assert "2 failed" in stderr.getvalue()
        assert "images/s" in stderr.getvalue()
    else:
        assert stderr.getvalue() == ""


def test_a_bar_that_never_moved_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Terminal())
    with ProgressBar():
        pass
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_a_termination_is_an_interruption(tmp_path: Path) -> None:
    """In a process of its own, since a program has only one way to take signals."""
    code = (
        "import os, signal, sys\n"
        "import mobisearch\n"
        "from mobisearch.cli import main\n"
        "def stop(*_):\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "mobisearch.ImageIndex.open = stop\n"
        "sys.argv = ['mobisearch', 'status']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert signal.SIGTERM
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr
