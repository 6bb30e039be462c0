"""What a scan found, compared with the catalog."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest

from mobisearch.store import CatalogWriter, FileRow, path_range
from mobisearch.store.catalog.staging import StagedCounts
from mobisearch.types import FileStamp

RowMaker = Callable[..., FileRow]


def _stage(writer: CatalogWriter, *rows: FileRow, is_supported: bool = True) -> int:
    return writer.staging.put([(row.path, row.stamp, is_supported) for row in rows])


def _changed(writer: CatalogWriter) -> list[str]:
    return [file.path for file in writer.staging.iter_changed(supported=True)]


def _sync(writer: CatalogWriter, *rows: FileRow) -> StagedCounts:
    writer.staging.begin()
    _stage(writer, *rows)
    counts = writer.staging.compare()
    writer.staging.find_vanished([path_range("/")], gaps=[])
    return counts


def test_what_is_new_has_to_be_read_in_the_order_of_the_scan(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    rows = [file_row(f"/{name}.jpg", seed=1) for name in "cab"]
    assert _sync(writer, *rows) == StagedCounts(0, 0, 0, 0, to_read=3, unsupported=0)
    assert _changed(writer) == ["/c.jpg", "/a.jpg", "/b.jpg"]


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({}, True),
        ({"inode": "8"}, True),  # network disks renumber
        ({"size_bytes": 1}, False),
        ({"mtime_ns": 1}, False),
        ({"ctime_ns": 1}, False),
    ],
)
def test_a_file_is_the_same_while_size_and_times_are(
    writer: CatalogWriter, file_row: RowMaker, change: dict[str, object], is_same: bool
) -> None:
    row = file_row("/a.jpg", seed=1)
    writer.put_files([row])
    stamp = dataclasses.replace(row.stamp, **change)  # type: ignore[arg-type]
    counts = _sync(writer, dataclasses.replace(row, stamp=stamp))
    assert counts.unchanged == int(is_same)
    assert counts.to_read == int(not is_same)


def test_a_racy_file_has_to_be_read_again(writer: CatalogWriter, file_row: RowMaker) -> None:
    row = file_row("/a.jpg", seed=1, is_racy=True)
    writer.put_files([row])
    assert _sync(writer, row).to_read == 1
    [staged] = writer.staging.iter_changed(supported=True)
    assert (staged.image_id, staged.sha256, staged.is_hidden) == (1, row.sha256, False)


def test_a_failure_is_known_until_the_file_changes(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    row = file_row("/a.jpg", failure="corrupt")
    writer.put_files([row])
    assert _sync(writer, row) == StagedCounts(0, 0, 0, known_failures=1, to_read=0, unsupported=0)
    newer = dataclasses.replace(row, stamp=FileStamp(1, 1))
    assert _sync(writer, newer) == StagedCounts(0, 0, 0, 0, to_read=1, unsupported=0)


def test_what_is_not_read_is_counted_apart(writer: CatalogWriter, file_row: RowMaker) -> None:
    writer.staging.begin()
    _stage(writer, file_row("/a.psd", seed=1), is_supported=False)
    assert writer.staging.compare().unsupported == 1
    assert _changed(writer) == []
    assert [f.path for f in writer.staging.iter_changed(supported=False)] == ["/a.psd"]


def test_a_file_found_through_two_roots_is_staged_once(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.staging.begin()
    outer, inner = writer.put_root("/p", scan="{}"), writer.put_root("/p/q", scan="{}")
    assert _stage(writer, file_row("/p/a.jpg"), file_row("/p/q/b.jpg")) == 2
    assert _stage(writer, file_row("/p/q/b.jpg")) == 0
    writer.staging.assign_root(outer, path_range("/p"))
    writer.staging.assign_root(inner, path_range("/p/q"))
    writer.staging.compare()
    staged = {file.path: file.root_id for file in writer.staging.iter_changed(supported=True)}
    assert staged == {"/p/a.jpg": outer, "/p/q/b.jpg": inner}
    assert writer.staging.count_below(path_range("/p/q")) == 1


def test_a_missing_image_with_its_old_stamp_returns_unread(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    row = file_row("/a.jpg", seed=1)
    writer.put_files([row])
    _sync(writer)
    writer.settle_missing()
    assert writer.count_states() == {"missing": 1}
    before = writer.generation()
    assert _sync(writer, row) == StagedCounts(0, 0, 1, known_failures=0, to_read=0, unsupported=0)
    assert writer.count_states() == {"ok": 1}
    assert writer.generation() == before + 1


def test_a_vanished_image_that_moved_meanwhile_is_not_missing(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.put_files([file_row("/a.jpg", seed=1), file_row("/b.jpg", seed=2)])
    _sync(writer)
    writer.put_files([dataclasses.replace(file_row("/c.jpg", seed=1), moved_from=1)])
    writer.settle_missing()
    found = writer.find_files(["/a.jpg", "/b.jpg", "/c.jpg"])
    assert {path: file.is_hidden for path, file in found.items()} == {
        "/b.jpg": True,
        "/c.jpg": False,
    }


def test_nothing_has_vanished_in_a_gap(writer: CatalogWriter, file_row: RowMaker) -> None:
    writer.put_files([file_row("/p/x/a.jpg", seed=1), file_row("/p/y/b.jpg", seed=2)])
    writer.staging.begin()
    writer.staging.find_vanished([path_range("/p")], gaps=["/p/x"])
    writer.settle_missing()
    found = writer.find_files(["/p/x/a.jpg", "/p/y/b.jpg"])
    assert not found["/p/x/a.jpg"].is_hidden
    assert found["/p/y/b.jpg"].is_hidden


def test_a_vanished_failure_is_forgotten(writer: CatalogWriter, file_row: RowMaker) -> None:
    writer.put_files([file_row("/a.jpg", failure="corrupt")])
    _sync(writer)
    writer.settle_missing()
    assert writer.count_states() == {}


def test_more_files_than_a_page_are_all_given_in_order(
    writer: CatalogWriter, monkeypatch: pytest.MonkeyPatch, file_row: RowMaker
) -> None:
    monkeypatch.setattr("mobisearch.store.catalog.staging._ROWS_PER_PAGE", 10)
    monkeypatch.setattr("mobisearch.store.catalog.staging._ROWS_PER_INSERT", 7)
    rows: Sequence[FileRow] = [file_row(f"/{number:03}.jpg", seed=1) for number in range(95)]
    assert _sync(writer, *rows).to_read == 95
    assert _changed(writer) == [row.path for row in rows]
