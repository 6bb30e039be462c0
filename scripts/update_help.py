"""Write what every command says about itself with --help to tests/e2e/help, where a test reads it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from mobisearch.cli.app import cli

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "e2e" / "help"


def main() -> None:
    runner = CliRunner(env={"COLUMNS": "100"})
    FOLDER.mkdir(exist_ok=True)
    for name in ("", *cli.commands):
        shown = runner.invoke(cli, [*name.split(), "--help"], prog_name="mobisearch").output
        (FOLDER / f"{name or 'mobisearch'}.txt").write_text(shown, encoding="utf-8")


if __name__ == "__main__":
    main()
