"""Pictures of results for people."""

from mobisearch.reports.sheet import write_sheet

__all__ = ["write_sheet"]
