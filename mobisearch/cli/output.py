"""How things are printed: JSON documents on stdout, sentences on stderr, safe on any terminal."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import shlex
import sys
from collections.abc import Iterable
from typing import Any

import click

from mobisearch.errors import StorageError
from mobisearch.text import printable

DEFAULT_INDEX = "indexes/default"


def print_json(document: object) -> None:
    """Print one JSON document, in ASCII, so that no terminal or locale can break it."""
    _print_result(json.dumps(document, indent=2))


def print_line(text: str) -> None:
    """Print a line of a result; whatever could act on a terminal is escaped."""
    _print_result(printable(text))


def print_paths(paths: Iterable[str]) -> None:
    """Print paths as the system has them, byte for byte, each ended by a NUL byte."""
    data = b"".join(os.fsencode(path) + b"\0" for path in paths)
    _print_result(data, ends_line=False)


def print_from_handler(text: str) -> None:
    """Print a sentence on stderr from a signal handler, which may have interrupted a print."""
    with contextlib.suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"\n{printable(text)}\n".encode("ascii", "backslashreplace"))


def print_message(text: str) -> None:
    """Print a sentence for people, on stderr, if that can be written."""
    with contextlib.suppress(OSError):
        click.echo(printable(text), err=True)


def print_note(text: str) -> None:
    """Say what is going on, on stderr, if that is a terminal: it is of no use in a log."""
    if sys.stderr.isatty():
        print_message(text)


def index_option(path: str) -> str:
    """Return the ``--index`` option for a suggested command, quoted; empty for the default."""
    return "" if path == DEFAULT_INDEX else f" --index {shlex.quote(path)}"


def _print_result(text: str | bytes, *, ends_line: bool = True) -> None:
    try:
        click.echo(text, nl=ends_line)
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"cannot be written ({error.strerror}); what the command did to the index is kept"
        raise StorageError("the output", message) from error


def json_path(path: str) -> dict[str, Any]:
    """Return the JSON fields for a path.

    ``path`` is the path itself if it is UTF-8. If not, ``path`` is escaped for reading, and
    ``path_b64`` holds the bytes.
    """
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        encoded = base64.b64encode(os.fsencode(path)).decode("ascii")
        return {"path": printable(path), "path_b64": encoded}
    return {"path": path}


def format_bytes(n_bytes: int) -> str:
    """Return a size for people: 0 bytes, 1.5 kB, 12.3 MB."""
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def make_streams_safe(*, is_debug: bool) -> None:
    """Never fail on a character that the terminal lacks, and keep C libraries from printing.

    libtiff writes a line about every odd tag straight to file descriptor 2. What it has to say
    reaches the user as the reason in the list of errors; with ``is_debug`` the lines are shown too.
    """
    _fill_closed_streams()
    if not is_debug:
        own_stderr = os.dup(2)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 2)
        os.close(silent)
        sys.stderr = open(own_stderr, "w", buffering=1)  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fill_closed_streams() -> None:
    """Put the null device where a caller closed a stream, before a file gets its number."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    if sys.stdout is None:
        sys.stdout = open(1, "w")  # noqa: SIM115 - open to the end
    if sys.stderr is None:
        sys.stderr = open(2, "w")  # noqa: SIM115 - open to the end


def drop_unwritten() -> None:
    """Forget what stdout and stderr did not take, or Python complains about it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
