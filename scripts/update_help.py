"""Write what every command says with --help to tests/e2e/help, where a test compares it."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import click

from mobisearch.cli.app import cli

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "e2e" / "help"
WIDTH = 100


def command_names() -> list[str]:
    """Return the commands, and those inside them as two words."""
    context = click.Context(cli)
    names = []
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        inner = sorted(command.commands) if isinstance(command, click.Group) else []
        names += [name, *(f"{name} {each}" for each in inner)]
    return names


def main() -> None:
    os.environ["COLUMNS"] = str(WIDTH)
    FOLDER.mkdir(exist_ok=True)
    for name in ("", *command_names()):
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            cli.main([*name.split(), "--help"], prog_name="mobisearch", standalone_mode=False)
        path = FOLDER / f"{name.replace(' ', '-') or 'mobisearch'}.txt"
        path.write_text(shown.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
