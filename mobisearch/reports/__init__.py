"""Pictures of results for people."""

from mobisearch.reports.sheet import check_sheet_path, write_sheet
from mobisearch.reports.tradeoff import TradeOff, check_plot_path, write_plot

__all__ = ["TradeOff", "check_plot_path", "check_sheet_path", "write_plot", "write_sheet"]
