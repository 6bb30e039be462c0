"""After a power failure at any point nothing acknowledged is lost, and nothing is half there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from crashkit.loads import WORKLOADS
from crashkit.outages import SEED, find_losses
from crashkit.workloads import Prepared


@pytest.mark.parametrize("name", list(WORKLOADS))
def test_case_09_a_power_failure_at_any_point_loses_nothing_that_was_acknowledged(
    prepare: Callable[[str], Prepared],
    report: Callable[..., None],
    tmp_path: Path,
    name: str,
) -> None:
    load = prepare(name)
    tried, lost = find_losses(load, tmp_path)
    report("power loss", f"power lost: {load.title}", tried=tried, lost=len(lost))
    assert tried > 15, "hardly anything was pending at any point: the log is not what it should be"
    shown = "\n".join(line[-1500:] for line in lost[:4])
    assert not lost, f"{len(lost)} of {tried} states (seed {SEED}):\n{shown}"
