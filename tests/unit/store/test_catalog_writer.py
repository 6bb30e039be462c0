"""Changes to the catalog: each is whole, ids are never reused, nothing is left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from mobisearch.errors import IndexDamagedError
from mobisearch.store import CatalogWriter, FileRow, IndexLayout, path_range
from mobisearch.store.catalog import SegmentRow

RowMaker = Callable[..., FileRow]


def _count(layout: IndexLayout, table: str) -> int:
    with closing(sqlite3.connect(layout.catalog_path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _ids(writer: CatalogWriter, *paths: str) -> list[int | None]:
    found = writer.find_files(paths)
    return [found[path].image_id if path in found else None for path in paths]


def test_every_change_makes_a_new_generation(writer: CatalogWriter, file_row: RowMaker) -> None:
    writer.staging.begin()
    seen = [writer.generation()]
    writer.put_files([file_row("/a.jpg")])
    seen.append(writer.generation())
    writer.remove_files(["/a.jpg"])
    seen.append(writer.generation())
    writer.settle_missing()
    seen.append(writer.generation())
    writer.replace_segments([], None)
    seen.append(writer.generation())
    assert seen == sorted(set(seen))


def test_storing_nothing_changes_nothing(writer: CatalogWriter) -> None:
    writer.put_files([])
    assert writer.generation() == 0


def test_a_batch_is_stored_whole_or_not_at_all(writer: CatalogWriter, file_row: RowMaker) -> None:
    good = file_row("/a.jpg", seed=1)
    no_root = file_row("/b.jpg", seed=2, root_id=99)
    with pytest.raises(IndexDamagedError, match="FOREIGN KEY"):
        writer.put_files([good, no_root])
    assert writer.count_states() == {}
    assert writer.count_vectors() == 0
    assert writer.generation() == 0


def test_a_path_keeps_its_id_when_its_content_changes_fails_and_recovers(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.staging.begin()
    writer.put_files([file_row("/a.jpg", seed=1), file_row("/b.jpg", seed=2)])
    for row in (
        file_row("/a.jpg", seed=3),
        file_row("/a.jpg", failure="corrupt"),
        file_row("/a.jpg", seed=4),
    ):
        writer.put_files([row])
        writer.settle_missing()
        assert _ids(writer, "/a.jpg", "/b.jpg") == [1, 2]
    known = {bytes.fromhex(file_row("", seed=seed).sha256) for seed in (2, 4)}
    assert writer.known_sha256() == known
    assert writer.failures() == []


def test_ids_are_never_reused(writer: CatalogWriter, file_row: RowMaker) -> None:
    writer.put_files([file_row("/a.jpg", seed=1), file_row("/b.jpg", seed=2)])
    assert writer.remove_files(["/b.jpg"]) == 1
    writer.put_files([file_row("/b.jpg", seed=2)])
    assert _ids(writer, "/a.jpg", "/b.jpg") == [1, 3]
    assert writer.vectors(1, 9, dim=8)[0].tolist() == [1, 3]


def test_a_moved_image_keeps_its_id_at_the_new_path(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.put_files([file_row("/a.jpg", seed=1)])
    writer.put_files([file_row("/b.jpg", seed=1, moved_from=1)])
    assert _ids(writer, "/a.jpg", "/b.jpg") == [None, 1]


def test_the_same_content_twice_in_one_batch_is_stored_once(
    writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.put_files([file_row("/a.jpg", seed=1), file_row("/b.jpg", seed=1)])
    assert writer.count_vectors() == 1
    assert writer.count_states() == {"ok": 2}


def test_removing_a_folder_leaves_its_siblings(writer: CatalogWriter, file_row: RowMaker) -> None:
    paths = ["/p/a.jpg", "/p/deep/b.jpg", "/p-old/c.jpg", "/p.jpg", "/q/d.jpg"]
    writer.put_files([file_row(path, seed=number) for number, path in enumerate(paths)])
    assert writer.remove_files(["/p"]) == 2
    assert _ids(writer, *paths) == [None, None, 3, 4, 5]
    assert writer.remove_files(["/nowhere.jpg"]) == 0


def test_a_content_lives_as_long_as_a_file_has_it(
    layout: IndexLayout, writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.put_files([file_row("/a.jpg", seed=1), file_row("/b.jpg", seed=1)])
    writer.remove_files(["/a.jpg"])
    assert (_count(layout, "content"), _count(layout, "vector")) == (1, 1)
    writer.remove_files(["/b.jpg"])
    assert (_count(layout, "content"), _count(layout, "vector")) == (0, 0)
    assert _count(layout, "tombstone") == 0, "a vector that was in no segment leaves no tombstone"


def test_a_dead_vector_leaves_a_tombstone_until_its_segment_is_replaced(
    layout: IndexLayout, writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.put_files([file_row(f"/{seed}.jpg", seed=seed) for seed in range(4)])
    writer.replace_segments([], SegmentRow("old", 1, 3, 3, 1, "x"))
    writer.remove_files(["/1.jpg", "/3.jpg"])  # vectors 2, sealed, and 4, not sealed
    assert writer.vector_listing().hidden.tolist() == [2]
    writer.replace_segments(["old"], SegmentRow("new", 1, 3, 2, 1, "x"))
    assert [segment.name for segment in writer.vector_listing().segments] == ["new"]
    assert _count(layout, "tombstone") == 0


def test_a_segment_without_any_living_vector_goes_with_its_tombstones(
    layout: IndexLayout, writer: CatalogWriter, file_row: RowMaker
) -> None:
    writer.put_files([file_row("/1.jpg", seed=1), file_row("/2.jpg", seed=2)])
    writer.replace_segments([], SegmentRow("old", 1, 2, 2, 1, "x"))
    writer.remove_files(["/1.jpg", "/2.jpg"])
    assert _count(layout, "tombstone") == 2
    writer.replace_segments(["old"], None)
    assert writer.vector_listing().segments == ()
    assert _count(layout, "tombstone") == 0


def test_only_missing_files_in_scope_are_pruned(writer: CatalogWriter, file_row: RowMaker) -> None:
    paths = ["/p/a.jpg", "/p/b.jpg", "/q/c.jpg"]
    writer.put_files([file_row(path, seed=number) for number, path in enumerate(paths)])
    writer.staging.begin()
    writer.staging.find_vanished([path_range("/")], gaps=["/p/a.jpg"])
    assert writer.settle_missing(prune=["/p"]) == 1
    assert writer.count_states() == {"ok": 1, "missing": 1}
    assert _ids(writer, *paths) == [1, None, 3]


def test_a_root_is_remembered_once(writer: CatalogWriter) -> None:
    assert (
        writer.put_root("/p", scan="{}")
        == writer.put_root("/p", scan="{}")
        != writer.put_root("/q", scan="{}")
    )
    writer.finish_root("/p")
    roots = writer.roots()
    assert set(roots) == {"/p", "/q"}
    assert roots["/p"] is not None
    assert roots["/q"] is None


def test_a_root_inside_another_is_part_of_it(writer: CatalogWriter, file_row: RowMaker) -> None:
    inner = writer.put_root("/p/q", scan="{}")
    other = writer.put_root("/p-other", scan="{}")
    writer.put_files([replace(file_row("/p/q/a.jpg", seed=1), root_id=inner)])
    outer = writer.put_root("/p", scan="{}")
    assert set(writer.roots()) == {"/p", "/p-other"}
    assert writer.put_root("/p/q/deeper", scan="{}") == outer != other
    assert writer.find_files(["/p/q/a.jpg"])["/p/q/a.jpg"].root_id == outer
    writer.finish_root("/p/q/deeper")
    assert writer.roots()["/p"] is None
