"""Pictures and pages of results for people."""

from mobisearch.reports.confusion import check_confusion_path, write_confusion
from mobisearch.reports.plot import check_plot_path, write_plot
from mobisearch.reports.review import check_review_path, write_review
from mobisearch.reports.sheet import check_sheet_path, write_sheet
from mobisearch.reports.tradeoff import TradeOff, check_tradeoff_path, write_tradeoff

__all__ = [
    "TradeOff",
    "check_confusion_path",
    "check_plot_path",
    "check_review_path",
    "check_sheet_path",
    "check_tradeoff_path",
    "write_confusion",
    "write_plot",
    "write_review",
    "write_sheet",
    "write_tradeoff",
]
