"""The program: its commands, and how every error becomes one sentence and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import difflib
import errno
import importlib
import logging
import os
import signal
import sys
import traceback
import warnings
from typing import NoReturn

import click

from mobisearch import __version__
from mobisearch.cli import exit_codes
from mobisearch.cli.output import drop_unwritten, make_streams_safe, print_message
from mobisearch.errors import MobisearchError

_COMMANDS = {
    "apply": "cleaning",
    "backup": "maintaining",
    "bench": "benching",
    "classify": "classifying",
    "cover": "covering",
    "decide": "deciding",
    "decisions": "deciding",
    "duplicates": "finding",
    "errors": "inspecting",
    "index": "indexing",
    "label": "labelling",
    "model": "upgrading",
    "models": "choosing",
    "remove": "removing",
    "salvage": "maintaining",
    "search": "searching",
    "serve": "serving",
    "status": "inspecting",
    "train": "training",
    "undo": "cleaning",
    "verify": "inspecting",
}
"""Each command, and the module of this package where it is: loaded when the command is used."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class _Commands(click.Group):
    """The commands, of which only the one that is asked for is loaded."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"mobisearch.cli.{_COMMANDS[cmd_name]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for; of one that is not there, say what was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            # click knows those that are loaded only, which are none.
            likes = difflib.get_close_matches(args[0], _COMMANDS)
            if not likes or args[0] in _COMMANDS:
                raise
            meant = " or ".join(map(repr, likes))
            message = f"No such command {args[0]!r}. Did you mean {meant}?"
            raise click.UsageError(message, ctx) from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, package_name="mobisearch", message="mobisearch %(version)s")
def cli() -> None:
    """Find images that look alike.

    \b
    mobisearch index ~/Pictures      read a folder of photos
    mobisearch search cat.jpg        show what looks like this one
    """  # noqa: D301 - click reads the control character


def run() -> NoReturn:
    """Run the command that the arguments of this process name, and end the process."""
    is_debug = "--debug" in sys.argv
    make_streams_safe(is_debug=is_debug)
    warnings.filterwarnings("ignore", module="PIL")  # what is damaged is in the list of errors
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _interrupt)
    code = _run(is_debug=is_debug)
    _end(code)


def _end(code: int) -> NoReturn:
    """End the process without taking all libraries apart first: that takes a fifth of a search.

    What has to be put in order at the end, such as the decode workers, is.
    """
    atexit._run_exitfuncs()  # what Python itself calls at its end
    drop_unwritten()
    os._exit(code)


def _run(*, is_debug: bool) -> int:
    try:
        result = cli.main(standalone_mode=False)
        return result if isinstance(result, int) else exit_codes.OK
    except click.exceptions.Abort:
        return _interrupted()
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # a stderr that takes nothing
            error.show()
        return exit_codes.USAGE
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit:  # how click ends when the reader of stdout, such as head, has seen enough
        return exit_codes.OK
    except MobisearchError as error:
        if is_debug:
            traceback.print_exc()
        print_message(f"mobisearch: {error}")
        return exit_codes.exit_code(error)
    except BrokenPipeError:  # the reader of stdout, such as head, has seen enough
        return exit_codes.OK
    except Exception as error:  # noqa: BLE001 - a sentence instead of a traceback
        if is_debug:
            traceback.print_exc()
        if isinstance(error, OSError) and error.errno in _FULL:  # help or version, onto a full disk
            print_message(f"mobisearch: nothing can be written ({error.strerror})")
            return exit_codes.STORAGE
        detail = f"{type(error).__name__}: {error}"
        print_message(
            f"mobisearch: something unexpected went wrong ({detail}). No photo was deleted. "
            "Run the command again with --debug and report what it prints"
        )
        return exit_codes.INTERNAL


def _interrupted() -> int:
    print_message("mobisearch: interrupted; what was finished is kept, run it again to go on")
    return exit_codes.INTERRUPTED


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
