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


def main() -> None:
    os.environ["COLUMNS"] = str(WIDTH)
    FOLDER.mkdir(exist_ok=True)
    for name in ("", *cli.list_commands(click.Context(cli))):
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            cli.main([*name.split(), "--help"], prog_name="mobisearch", standalone_mode=False)
        (FOLDER / f"{name or 'mobisearch'}.txt").write_text(shown.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
