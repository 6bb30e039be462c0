"""Opening the catalog: its settings, its header, and SQLite's errors as ours."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch.errors import (
    IndexDamagedError,
    IndexFormatError,
    IndexLockedError,
    IndexReadOnlyError,
    MobisearchError,
    StorageError,
)
from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    FileRow,
    IndexLayout,
    open_reader,
    open_writer,
)
from mobisearch.store.catalog import schema
from mobisearch.store.catalog.connection import mapped_sqlite_errors

RowMaker = Callable[..., FileRow]


def _pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_a_catalog_is_marked_as_ours(layout: IndexLayout) -> None:
    assert _pragma(layout.catalog_path, "application_id") == schema.APPLICATION_ID
    assert _pragma(layout.catalog_path, "user_version") == schema.FORMAT_VERSION
    assert _pragma(layout.catalog_path, "page_size") == schema.PAGE_SIZE


def test_a_writer_waits_for_the_disk_at_every_commit(writer: CatalogWriter) -> None:
    with writer._connected() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        }
    full = 2
    assert values == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "trusted_schema": 0,
    }


def test_a_reader_cannot_write(reader: CatalogReader, writer: CatalogWriter) -> None:
    read_only = pytest.raises(IndexReadOnlyError, match="cannot be opened or written")
    with read_only, reader._connected() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    assert writer.meta()["uuid"] == "u"


def test_a_closed_writer_leaves_one_file(layout: IndexLayout, file_row: RowMaker) -> None:
    writer = open_writer(layout.catalog_path)
    writer.put_files([file_row("/a.jpg")])
    writer.close()
    assert not [name for name in os.listdir(layout.directory) if name.endswith(("-wal", "-shm"))]


def test_a_second_connection_that_writes_is_told_to_wait(
    layout: IndexLayout, monkeypatch: pytest.MonkeyPatch, file_row: RowMaker
) -> None:
    monkeypatch.setattr("mobisearch.store.catalog.connection.BUSY_TIMEOUT_MS", 1)
    first, second = open_writer(layout.catalog_path), open_writer(layout.catalog_path)
    try:
        with first._connected() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
            with pytest.raises(IndexLockedError, match="locked"):
                second.put_files([file_row("/a.jpg")])
    finally:
        first.close()
        second.close()


ODD_NAMES = [
    b"question?mark",
    b"ha#sh",
    b"per%20cent%",
    b"sp ace",
    "Bücher-日本-🐈".encode(),
    b"\xff\xfe invalid",
    b"quo'te\"s;--",
    b"mode=memory&cache=shared",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_a_directory_of_any_name_holds_an_index(
    tmp_path: Path, name: bytes, file_row: RowMaker
) -> None:
    from mobisearch.store import ModelRow, create_index

    layout = IndexLayout.at(os.path.join(tmp_path, os.fsdecode(name)))
    model = ModelRow("fake", "f" * 64, "the fake", 8, file_row("").embedding)
    create_index(layout, model, uuid="u")
    writer = open_writer(layout.catalog_path)
    writer.put_files([file_row("/a.jpg")])
    writer.close()
    reader = open_reader(layout.catalog_path)
    assert reader.count_states() == {"ok": 1}
    reader.close()
    assert os.listdir(tmp_path) == [os.fsdecode(name)]


def _with(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + new + data[at + len(new) :]


FOREIGN: dict[str, tuple[Callable[[bytes], bytes], type[MobisearchError], str]] = {
    "zero bytes": (lambda data: b"", IndexDamagedError, "cut short"),
    "fifty bytes": (lambda data: data[:50], IndexDamagedError, "cut short"),
    "half of it": (lambda data: data[: len(data) // 2], IndexDamagedError, "damaged"),
    "a JPEG": (lambda data: b"\xff\xd8\xff\xe0" * 100, IndexFormatError, "not a catalog"),
    "another magic": (_with(0, b"SQLite format 4\0"), IndexFormatError, "not a catalog"),
    "another program's": (_with(68, b"GPKG"), IndexFormatError, "not a catalog"),
    "a newer version": (_with(60, (99).to_bytes(4, "big")), IndexFormatError, "format 99"),
    "a page size of nothing": (_with(16, b"\0\0"), IndexDamagedError, "damaged"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("opener", [open_reader, open_writer])
def test_a_foreign_or_damaged_catalog_is_refused_and_left_as_it_is(
    layout: IndexLayout, kind: str, opener: Callable[[Path], CatalogReader | CatalogWriter]
) -> None:
    damage, expected, words = FOREIGN[kind]
    damaged = damage(layout.catalog_path.read_bytes())
    layout.catalog_path.write_bytes(damaged)
    files = sorted(os.listdir(layout.directory))

    def read_the_model() -> None:
        with contextlib.closing(opener(layout.catalog_path)) as catalog:
            catalog.model()

    with pytest.raises(expected, match=words):
        read_the_model()
    assert layout.catalog_path.read_bytes() == damaged
    side_files = {"mobisearch.db-wal", "mobisearch.db-shm"}  # which any reader of a log has
    assert sorted(set(os.listdir(layout.directory)) - side_files) == files


def test_a_catalog_that_is_no_file_is_said_to_be_that(layout: IndexLayout) -> None:
    layout.catalog_path.unlink()
    layout.catalog_path.mkdir()
    with pytest.raises(IndexFormatError, match="not a file"):
        open_reader(layout.catalog_path)


def test_tables_that_are_not_there_are_damage(layout: IndexLayout) -> None:
    connection = sqlite3.connect(layout.catalog_path)
    connection.executescript("DROP TABLE vector; DROP TABLE meta")
    connection.close()
    reader = open_reader(layout.catalog_path)
    with pytest.raises(IndexDamagedError, match="expected shape"):
        reader.generation()
    reader.close()


@pytest.fixture
def no_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says that nothing may be written, as on read-only media."""
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: mode != os.W_OK and access(path, mode, **more)
    )


@pytest.mark.usefixtures("no_writing")
def test_on_read_only_media_a_catalog_is_read_without_side_files(layout: IndexLayout) -> None:
    reader = open_reader(layout.catalog_path)
    assert reader.generation() == 0
    assert not Path(f"{layout.catalog_path}-shm").exists()
    reader.close()


@pytest.mark.usefixtures("no_writing")
def test_on_read_only_media_an_unfinished_log_is_explained(layout: IndexLayout) -> None:
    Path(f"{layout.catalog_path}-wal").write_bytes(b"something")
    with pytest.raises(IndexReadOnlyError, match="not closed cleanly"):
        open_reader(layout.catalog_path)
    Path(f"{layout.catalog_path}-wal").write_bytes(b"")
    open_reader(layout.catalog_path).close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_CORRUPT_VTAB", IndexDamagedError),
        ("SQLITE_NOTADB", IndexDamagedError),
        ("SQLITE_READONLY_DBMOVED", IndexReadOnlyError),
        ("SQLITE_CANTOPEN", IndexReadOnlyError),
        ("SQLITE_BUSY_SNAPSHOT", IndexLockedError),
        ("SQLITE_FULL", StorageError),
        ("SQLITE_IOERR_WRITE", StorageError),
        ("SQLITE_ERROR", IndexDamagedError),
    ],
)
def test_each_error_of_sqlite_has_one_of_ours(
    tmp_path: Path, name: str, expected: type[MobisearchError]
) -> None:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorname = name
    with pytest.raises(expected, match="what SQLite says"), mapped_sqlite_errors(tmp_path):
        raise error
