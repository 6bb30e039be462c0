"""``mobisearch bench`` with a network of microseconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobisearch.evaluation import ALTERATIONS

Command = Callable[..., Any]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_bench_measures_a_sample_and_leaves_photos_and_index_alone(
    command: Command, indexed: Path, tmp_path: Path
) -> None:
    before = files_of(indexed)
    status = command("status", "--json").document
    done = command("bench", "--json")
    assert done.code == 0, done.stderr
    report = done.document
    assert (report["photos"], report["failed"]) == (3, 1)
    assert set(report["found_first"]) == set(ALTERATIONS)
    assert all(0 <= share <= 1 for share in report["found_first"].values())
    assert report["found_first"]["white border of a tenth"] > 0
    rates = [report["decode_rate"], report["index_rate"], *report["network_rates"].values()]
    assert min(rates) > 0
    assert 0 < report["query_ms"] <= report["query_ms_p95"]
    assert 0 < report["micro_average_precision"] <= 1
    assert files_of(indexed) == before
    assert command("status", "--json").document == status


def test_bench_says_what_it_measured_in_words(command: Command, photos: Path) -> None:
    done = command("bench", photos, "--photos", "4")
    assert done.code == 0
    assert "3, " in done.stdout.splitlines()[0]
    assert "1 failed" in done.stdout.splitlines()[0]
    assert "images/s" in done.stdout
    assert "  upside down" in done.stdout


def test_photos_that_are_there_twice_have_not_failed(command: Command, photos: Path) -> None:
    shutil.copy(photos / "a.png", photos / "again.png")
    report = command("bench", photos, "--json").document
    assert (report["photos"], report["failed"]) == (3, 1)


def test_a_smaller_sample_is_the_same_each_time(command: Command, indexed: Path) -> None:
    first = command("bench", "--photos", "3", "--json").document
    again = command("bench", "--photos", "3", "--json").document
    for name in ("photos", "failed", "megabytes", "micro_average_precision", "found_first"):
        assert first[name] == again[name]


def test_bench_without_photos_or_index_says_what_is_missing(
    command: Command, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = command("bench", empty)
    assert (done.code, done.stdout) == (66, "")
    assert "found 0" in done.stderr
    assert command("bench").code == 66  # there is no index
    assert command("bench", tmp_path / "nowhere").code == 66
