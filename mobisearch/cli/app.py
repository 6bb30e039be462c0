"""The program: its commands, and how every error becomes one sentence and an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import signal
import sys
import traceback
import warnings
from typing import NoReturn

import click

from mobisearch import __version__
from mobisearch.cli import exit_codes
from mobisearch.cli.benching import bench_command
from mobisearch.cli.cleaning import apply_command, undo_command
from mobisearch.cli.covering import cover_command
from mobisearch.cli.deciding import decide_command, decisions_command
from mobisearch.cli.finding import duplicates_command
from mobisearch.cli.indexing import index_command
from mobisearch.cli.inspecting import errors_command, status_command, verify_command
from mobisearch.cli.maintaining import backup_command, salvage_command
from mobisearch.cli.output import drop_unwritten, make_streams_safe, print_message
from mobisearch.cli.removing import remove_command
from mobisearch.cli.searching import search_command
from mobisearch.errors import MobisearchError

_GC_THRESHOLDS = (50_000, 50, 100)
"""Python looks for garbage after 700 new objects by default, which takes a tenth of the time of a
command that imports much and ends soon."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, package_name="mobisearch", message="mobisearch %(version)s")
def cli() -> None:
    """Find images that look alike.

    \b
    mobisearch index ~/Pictures      read a folder of photos
    mobisearch search cat.jpg        show what looks like this one
    """  # noqa: D301 - click reads the control character


for _command in (
    index_command,
    search_command,
    remove_command,
    status_command,
    errors_command,
    verify_command,
    duplicates_command,
    apply_command,
    undo_command,
    decide_command,
    decisions_command,
    cover_command,
    backup_command,
    salvage_command,
    bench_command,
):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the command line and exit with the code that ``exit_codes`` gives."""
    gc.set_threshold(*_GC_THRESHOLDS)
    is_debug = "--debug" in sys.argv
    make_streams_safe(is_debug=is_debug)
    warnings.filterwarnings("ignore", module="PIL")  # what is damaged is in the list of errors
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _interrupt)
    code = _run(is_debug=is_debug)
    drop_unwritten()
    sys.exit(code)


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
