"""Options that every command has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

DEFAULT_INDEX = "indexes/default"


def _checked_path(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse an empty path, such as an unset variable gives: it would mean this very folder."""
    if not value:
        raise click.BadParameter("the path is empty", ctx=context, param=parameter)
    return value


def common_options(function: _F) -> _F:
    """Add ``--index``, ``--json`` and ``--debug`` to a command."""
    index = click.option(
        "--index",
        "index_path",
        metavar="DIR",
        envvar="MOBISEARCH_INDEX",
        callback=_checked_path,
        default=DEFAULT_INDEX,
        show_default=True,
        help="The index directory; also from MOBISEARCH_INDEX.",
    )
    json_output = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
    )
    debug = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails."
    )
    return index(json_output(debug(function)))
