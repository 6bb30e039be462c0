"""From older formats to the present one, a step at a time.

A step is a function that changes the tables of one format into those of the next. It runs in one
transaction with the new version number: after a failure the catalog has its old format, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.connection import (
    check_version,
    mapped_sqlite_errors,
    reader_engine,
    writer_engine,
)


def _remember_scan_settings_and_truncation(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE root ADD COLUMN scan TEXT")
    connection.exec_driver_sql(
        "ALTER TABLE content ADD COLUMN truncated INTEGER DEFAULT '0' NOT NULL"
    )


def _list_the_structure(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE structure ("
        " name TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, dim INTEGER NOT NULL,"
        " first_id INTEGER NOT NULL, last_id INTEGER NOT NULL, n INTEGER NOT NULL,"
        " n_trained INTEGER NOT NULL, probes INTEGER NOT NULL, candidates INTEGER NOT NULL,"
        " recall_target FLOAT NOT NULL, recall FLOAT NOT NULL, queries INTEGER NOT NULL,"
        " size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, built_at TEXT NOT NULL)"
    )


def _make_room_for_copies(connection: Connection) -> None:
    of_content = "INTEGER NOT NULL REFERENCES content (content_id) ON DELETE CASCADE"
    of_decision = "INTEGER NOT NULL REFERENCES decision (decision_id) ON DELETE CASCADE"
    for statement in (
        f"CREATE TABLE look (content_id {of_content}, model_id INTEGER NOT NULL REFERENCES model"
        " (model_id), version INTEGER NOT NULL, vec BLOB NOT NULL, pixels_sha256 BLOB,"
        " PRIMARY KEY (content_id))",
        f"CREATE TABLE thumbnail (content_id {of_content}, version INTEGER NOT NULL,"
        " jpeg BLOB NOT NULL, PRIMARY KEY (content_id))",
        f"CREATE TABLE relation (first_id {of_content}, second_id {of_content},"
        " version INTEGER NOT NULL, verdict TEXT NOT NULL, facts TEXT NOT NULL,"
        " PRIMARY KEY (first_id, second_id), CHECK (first_id < second_id))",
        "CREATE INDEX relation_by_second ON relation (second_id)",
        "CREATE TABLE decision (decision_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,"
        " kind TEXT NOT NULL CHECK (kind IN ('different', 'keep')), decided_at TEXT NOT NULL)",
        f"CREATE TABLE decision_member (decision_id {of_decision},"
        " sha256 BLOB NOT NULL CHECK (length(sha256) = 32), PRIMARY KEY (decision_id, sha256))",
        "CREATE TABLE action (action_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,"
        ' "plan" TEXT NOT NULL, step INTEGER NOT NULL,'
        " kind TEXT NOT NULL CHECK (kind IN ('trash', 'link')), state TEXT NOT NULL"
        " CHECK (state IN ('begun', 'done', 'failed', 'undoing', 'undone')), path BLOB NOT NULL,"
        " sha256 BLOB NOT NULL CHECK (length(sha256) = 32), size_bytes INTEGER NOT NULL,"
        " mtime_ns INTEGER NOT NULL, mode INTEGER NOT NULL, keeper BLOB NOT NULL,"
        " keeper_sha256 BLOB NOT NULL, destination BLOB, restored BLOB, reason TEXT,"
        " changed_at TEXT NOT NULL)",
        'CREATE INDEX action_by_plan ON action ("plan")',
    ):
        connection.exec_driver_sql(statement)


def _make_room_for_labels(connection: Connection) -> None:
    for statement in (
        "CREATE TABLE norm (vector_id INTEGER NOT NULL REFERENCES vector (vector_id)"
        " ON DELETE CASCADE, value FLOAT NOT NULL, PRIMARY KEY (vector_id))",
        "CREATE TABLE classifier (classifier_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,"
        " name TEXT NOT NULL, sha256 BLOB NOT NULL CHECK (length(sha256) = 32),"
        " categories TEXT NOT NULL, n_kept INTEGER NOT NULL)",
        "CREATE TABLE label (content_id INTEGER NOT NULL REFERENCES content (content_id)"
        " ON DELETE CASCADE, classifier_id INTEGER NOT NULL REFERENCES classifier (classifier_id)"
        " ON DELETE CASCADE, place INTEGER NOT NULL, category INTEGER NOT NULL,"
        " probability FLOAT NOT NULL, PRIMARY KEY (content_id, classifier_id, place))"
        " WITHOUT ROWID",
        "CREATE INDEX label_by_category ON label (classifier_id, category, probability)",
    ):
        connection.exec_driver_sql(statement)


def _make_room_for_models(connection: Connection) -> None:
    for statement in (
        "CREATE TABLE beside_vector (beside_id INTEGER NOT NULL PRIMARY KEY,"
        " model_id INTEGER NOT NULL REFERENCES model (model_id),"
        " content_id INTEGER NOT NULL REFERENCES content (content_id) ON DELETE CASCADE,"
        " vec BLOB NOT NULL, norm FLOAT, UNIQUE (model_id, content_id))",
        "CREATE INDEX beside_vector_by_content ON beside_vector (content_id)",
        "INSERT INTO meta (key, value) SELECT 'active_model', CAST(model_id AS TEXT) FROM model"
        " ORDER BY model_id LIMIT 1",
    ):
        connection.exec_driver_sql(statement)


def _count_the_files_of_decisions(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE decision_member ADD COLUMN n_files INTEGER")


STEPS: Mapping[int, Callable[[Connection], None]] = MappingProxyType(
    {
        1: _remember_scan_settings_and_truncation,
        2: _list_the_structure,
        3: _make_room_for_copies,
        4: _make_room_for_labels,
        5: _make_room_for_models,
        6: _count_the_files_of_decisions,
    }
)
"""By the format that a step starts from."""


def read_version(path: Path) -> int:
    """Return the format of a catalog. Nothing in it is changed.

    Raises:
        IndexFormatError, IndexDamagedError: it is foreign, newer or damaged.
    """
    # Not from the header alone: the newest version may still be in the write-ahead log.
    engine = reader_engine(path)
    try:
        with mapped_sqlite_errors(path.parent), engine.connect() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    finally:
        engine.dispose()
    check_version(path, version)
    return version


def migrate(path: Path, *, journal: str) -> None:
    """Bring a catalog to the present format: completely, or not at all.

    Only the holder of the writer lock may.

    Raises:
        StorageError, IndexReadOnlyError, IndexLockedError: the system refuses; nothing is changed.
    """
    engine = writer_engine(path, journal=journal)
    try:
        with mapped_sqlite_errors(path.parent), engine.connect() as connection:
            with connection.begin():
                version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
                for number in range(version, schema.FORMAT_VERSION):
                    STEPS[number](connection)
                connection.exec_driver_sql(f"PRAGMA user_version={schema.FORMAT_VERSION}")
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
