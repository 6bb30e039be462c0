"""Pictures of results for people."""

from mobisearch.reports.sheet import check_sheet_path, write_sheet

__all__ = ["check_sheet_path", "write_sheet"]
