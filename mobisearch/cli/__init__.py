"""The command line: the only place that prints, and the only place that exits."""

from mobisearch.cli.start import main

__all__ = ["main"]
