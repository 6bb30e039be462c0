"""What was tried: a line for each case in a file, for the table in the docs, and a summary.

The file is the one that MOBISEARCH_FAULT_REPORT names, and the crash tests write to it too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from typing import Any

import pytest

CASE = re.compile(r"test_case_(\d+)_(\w+)")
LAST_OF_GROUP = {"C.1": 26, "C.2": 40, "C.3": 50, "C.4": 57, "C.5": 58}
"""Crashes, disks and concurrency; scanning; images; vectors, models and searches; the trash."""


class LostImageError(AssertionError):
    """An image that was acknowledged is not there any more, not found, or not the same."""


def _number_of(nodeid: str) -> int | None:
    """Return the number of the case that a test is named for, or None for other tests."""
    found = CASE.search(nodeid)
    return int(found[1]) if found and "faults" in nodeid else None


def _title_of(nodeid: str) -> str:
    """Return what a test of a case tries, in words."""
    found = CASE.search(nodeid)
    assert found is not None
    variant = nodeid.partition("[")[2].rstrip("]")
    words = found[2].replace("_", " ")
    return f"case {int(found[1]):02} {words}" + (f" [{variant}]" if variant else "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in a report whether the test failed because an image was lost."""
    report = yield
    report.is_loss = call.excinfo is not None and call.excinfo.errisinstance(LostImageError)  # type: ignore[attr-defined]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Append a line for each case that was tried."""
    file_name = os.environ.get("MOBISEARCH_FAULT_REPORT")
    number = _number_of(report.nodeid)
    is_end = report.when == "call" or report.failed  # a failing fixture is a failing test too
    if not file_name or number is None or not is_end or report.skipped:
        return
    line: dict[str, Any] = {
        "group": next(group for group, last in LAST_OF_GROUP.items() if number <= last),
        "what": _title_of(report.nodeid),
        "tried": 1,
        "lost": int(getattr(report, "is_loss", False)),
    }
    if report.failed:
        line["failed"] = 1
    with open(file_name, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the fault cases, and list those that this machine cannot run."""

    def cases(*outcomes: str) -> dict[str, pytest.TestReport]:
        return {
            report.nodeid: report
            for outcome in outcomes
            for report in terminalreporter.stats.get(outcome, [])
            if isinstance(report, pytest.TestReport) and _number_of(report.nodeid) is not None
        }

    run, skipped = cases("passed", "failed", "error", "xfailed"), cases("skipped")
    if not run and not skipped:
        return
    terminalreporter.write_sep("-", "fault cases")
    terminalreporter.write_line(f"fault cases: {len(run)} run, {len(skipped)} skipped")
    for report in skipped.values():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"  {str(reason).removeprefix('Skipped: ')}")
