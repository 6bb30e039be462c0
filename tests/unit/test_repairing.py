"""Mending an index in place, copying it, and saving what can be read of a broken one."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import (
    IndexDamagedError,
    IndexExistsError,
    IndexNotFoundError,
    StorageError,
)
from mobisearch.store import cache

PhotoMaker = Callable[..., Path]
N_PHOTOS = 12


@pytest.fixture
def photos(tmp_path: Path, make_photo: PhotoMaker) -> Path:
    folder = tmp_path / "photos"
    for seed in range(N_PHOTOS):
        make_photo(folder / f"{seed:02}.png", seed=seed)
    return folder


@pytest.fixture
def filled(
    index: ImageIndex, photos: Path, trusted_stamps: None, monkeypatch: pytest.MonkeyPatch
) -> ImageIndex:
    """An index with segment files, and some vectors that are in none yet."""
    monkeypatch.setattr(cache, "_MIN_SEGMENT", 4)
    index.sync(photos)
    return index


def _edit(index: ImageIndex, *statements: str) -> None:
    path = Path(index.status().path) / "mobisearch.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for statement in statements:
            connection.execute(statement)


def _snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _answers(index: ImageIndex, photos: Path) -> list[list[tuple[str, float]]]:
    results = index.search_many(sorted(photos.glob("*.png")), k=5)
    return [[(match.image.path, match.score) for match in matches] for matches in results]


# ---------------------------------------------------------------- repair


DAMAGES = {
    "an embedding of one byte": "UPDATE vector SET vec = x'00' WHERE vector_id = 3",
    "an embedding of text": "UPDATE vector SET vec = 'text' WHERE vector_id = 3",
    "an embedding of zeros": "UPDATE vector SET vec = zeroblob(length(vec)) WHERE vector_id = 3",
    "an embedding of NaN": "UPDATE vector SET vec = CAST(x'0000c07f' || substr(vec, 5) AS BLOB)"
    " WHERE vector_id = 3",
    "an embedding of text of its size": "UPDATE vector SET vec = CAST(vec AS TEXT)",
    "an embedding lost": "DELETE FROM vector WHERE vector_id = 3",
    "an embedding of nothing": "UPDATE vector SET content_id = 999 WHERE vector_id = 3",
    "a content lost": "DELETE FROM content WHERE content_id = 3",
    "a content of text": "UPDATE content SET width = 'wide' WHERE content_id = 3",
    "a hash cut short": "UPDATE content SET sha256 = x'00' WHERE content_id = 3",
    "a file of text": "UPDATE file SET size_bytes = 'big' WHERE file_id = 3",
    "a path of text": "UPDATE file SET path = '/as/text' WHERE file_id = 3",
    "a state of its own": "UPDATE file SET state = 'fine' WHERE file_id = 3",
    "a root lost": "DELETE FROM root",
    "a grave for the living": "INSERT INTO tombstone VALUES (3)",
    "segments that overlap": "INSERT INTO segment (name, first_id, last_id, n, size_bytes, sha256)"
    " VALUES ('other', 3, 5, 3, 9, 'x')",
    "a segment of more": "UPDATE segment SET n = n + 1",
    "a segment of text": "UPDATE segment SET n = 'many'",
    "a generation of text": "UPDATE meta SET value = 'x' WHERE key = 'generation'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_found_and_mended_and_nothing_is_lost(
    filled: ImageIndex, photos: Path, damage: str, fake_embedder: Embedder
) -> None:
    before, answers = _snapshot(photos), _answers(filled, photos)
    _edit(filled, DAMAGES[damage])
    assert not filled.verify().ok
    report = filled.repair()
    assert report.mended
    assert report.check.damage == ()
    assert report.missing == ()
    assert report.backup is not None
    assert os.path.exists(report.backup)
    filled.sync(photos)  # a row that made no sense at all is found again by its folder
    assert filled.verify().ok
    assert filled.verify().stale == ()
    assert _answers(filled, photos) == answers
    assert len(filled) == N_PHOTOS
    with ImageIndex.open(filled.status().path, fake_embedder) as again:
        assert _answers(again, photos) == answers
    assert _snapshot(photos) == before


def test_a_sound_index_is_left_as_it_is(filled: ImageIndex) -> None:
    report = filled.repair()
    assert (report.mended, report.reread, report.missing, report.backup) == ((), 0, (), None)
    assert report.check.ok
    assert not (Path(filled.status().path) / "backups").exists()


def test_images_that_cannot_be_read_now_are_named_and_come_back(
    filled: ImageIndex, photos: Path, tmp_path: Path
) -> None:
    _edit(filled, "DELETE FROM vector WHERE vector_id IN (3, 4)")
    (photos / "02.png").rename(tmp_path / "away.png")
    report = filled.repair()
    assert report.reread == 1
    assert report.missing == (str(photos / "02.png"),)
    assert report.check.ok
    assert len(filled) == N_PHOTOS - 1
    (tmp_path / "away.png").rename(photos / "02.png")
    assert filled.sync(photos).returned == 1
    assert len(filled) == N_PHOTOS
    assert filled.verify().ok


def test_at_most_two_backups_are_kept(filled: ImageIndex) -> None:
    kept = []
    for _ in range(4):
        _edit(filled, "DELETE FROM vector WHERE vector_id = (SELECT max(vector_id) FROM vector)")
        kept.append(filled.repair().backup)
    folder = Path(filled.status().path) / "backups"
    assert sorted(map(str, folder.iterdir())) == sorted(map(str, kept[-2:]))


def test_a_bad_index_of_the_database_is_made_again(filled: ImageIndex, photos: Path) -> None:
    """As by a bug of SQLite: the rows are right, what finds them is not."""
    path = Path(filled.status().path) / "mobisearch.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(state)', '(racy)')"
            " WHERE name = 'file_by_state'"
        )
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("REINDEX file_by_state")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(racy)', '(state)')"
            " WHERE name = 'file_by_state'"
        )
    assert not filled.verify().ok
    filled.repair()
    assert filled.verify().ok
    assert len(filled) == N_PHOTOS


# ---------------------------------------------------------------- backup


def test_a_backup_is_an_index_with_the_same_answers(
    filled: ImageIndex, photos: Path, tmp_path: Path, fake_embedder: Embedder
) -> None:
    place = filled.backup(tmp_path / "backup")
    assert place == str(tmp_path / "backup")
    with ImageIndex.open(place, fake_embedder) as copy:
        assert copy.verify().damage == ()
        assert _answers(copy, photos) == _answers(filled, photos)
        assert copy.sync(photos).unchanged == N_PHOTOS
        assert copy.verify().stale == ()
    assert {p.stat().st_mode & 0o077 for p in (tmp_path / "backup").glob("*.db")} == {0}


def test_a_backup_is_never_made_over_anything(filled: ImageIndex, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text").write_text("mine")
    for place in (tmp_path / "mine", tmp_path / "index"):
        with pytest.raises(IndexExistsError):
            filled.backup(place)
    assert (tmp_path / "mine" / "text").read_text() == "mine"


def test_a_backup_can_be_made_while_somebody_writes(
    filled: ImageIndex,
    photos: Path,
    tmp_path: Path,
    make_photo: PhotoMaker,
    fake_embedder: Embedder,
) -> None:
    for seed in range(20, 30):
        make_photo(photos / f"{seed}.png", seed=seed)
    made: list[str] = []

    def back_up(progress: object) -> None:
        if not made:
            with ImageIndex.open(tmp_path / "index", fake_embedder) as other:
                made.append(other.backup(tmp_path / "backup"))

    filled.sync(photos, on_progress=back_up)
    with ImageIndex.open(made[0], fake_embedder) as copy:
        assert copy.verify().ok
        assert len(copy) == N_PHOTOS


def test_a_backup_of_a_damaged_catalog_is_refused(filled: ImageIndex, tmp_path: Path) -> None:
    path = tmp_path / "index" / "mobisearch.db"
    filled.close()
    _ruin_pages_of(path, "vector")
    with (
        ImageIndex.open(tmp_path / "index", filled._embedder) as opened,
        pytest.raises(IndexDamagedError, match="mobisearch salvage"),
    ):
        opened.backup(tmp_path / "backup")
    assert not (tmp_path / "backup" / "mobisearch.db").exists()


# ---------------------------------------------------------------- salvage


def _ruin_pages_of(path: Path, table: str, *, keep_root: bool = True) -> int:
    """Overwrite pages of a table in the file, and return how many."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()[0]
        has_dbstat = True
        try:
            pages = [
                row[0]
                for row in connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,))
            ]
        except sqlite3.OperationalError:
            has_dbstat, pages = False, [root]
    chosen = [page for page in pages if page != root] if keep_root and len(pages) > 1 else pages
    assert chosen or not has_dbstat
    with open(path, "r+b") as file:
        for page in chosen[:1]:
            file.seek((page - 1) * size)
            file.write(np.random.default_rng(0).bytes(size))
    return len(chosen[:1])


@pytest.mark.parametrize("table", ["vector", "file", "content", "root", "segment", "tombstone"])
def test_what_can_be_read_of_a_broken_catalog_is_saved_and_the_rest_read_again(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker, fake_embedder: Embedder, table: str
) -> None:
    photos = tmp_path / "photos"
    for seed in range(150):
        make_photo(photos / f"{seed:03}.png", seed=seed, size=(9, 7))
    index.sync(photos)
    index.close()
    path = tmp_path / "index" / "mobisearch.db"
    _ruin_pages_of(path, table)
    damaged = path.read_bytes()
    report = ImageIndex.salvage(tmp_path / "index", tmp_path / "saved")
    assert path.read_bytes() == damaged
    assert (table in report.gaps) == (table in ("vector", "file", "content", "root"))
    with ImageIndex.open(tmp_path / "saved", fake_embedder) as saved:
        assert saved.verify().ok
        assert len(saved) == report.images
        if table in ("segment", "tombstone"):
            assert report.images == 150
        saved.sync(photos)
        assert len(saved) == 150
        assert saved.verify().ok
        for path in sorted(photos.glob("*.png"))[::29]:
            [match] = saved.search(path, k=1)
            assert (match.image.path, match.score) == (str(path), 1.0)


def test_salvage_reads_on_behind_a_bad_page(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker
) -> None:
    """More is saved than what comes before the damage."""
    photos = tmp_path / "photos"
    for seed in range(400):
        make_photo(photos / f"{seed:03}.png", seed=seed, size=(9, 7))
    index.sync(photos)
    index.close()
    if not _ruin_pages_of(tmp_path / "index" / "mobisearch.db", "vector"):
        pytest.skip("this SQLite cannot tell the pages of a table")
    report = ImageIndex.salvage(tmp_path / "index", tmp_path / "saved")
    assert "vector" in report.gaps
    assert 400 - 80 <= report.embeddings < 400, "a page of 16 kB holds up to 63 embeddings"


def test_salvage_needs_an_index_and_an_empty_place(filled: ImageIndex, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        ImageIndex.salvage(tmp_path / "nothing", tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    with pytest.raises(IndexExistsError):
        ImageIndex.salvage(tmp_path / "index", tmp_path / "photos")


def test_without_its_model_an_index_cannot_be_saved(filled: ImageIndex, tmp_path: Path) -> None:
    _edit(filled, "DELETE FROM model")
    with pytest.raises(IndexDamagedError, match="too damaged"):
        ImageIndex.salvage(tmp_path / "index", tmp_path / "saved")
    shutil.rmtree(tmp_path / "saved")  # nothing but what an interrupted creation leaves


# ---------------------------------------------------------------- the end of the ids


@pytest.mark.parametrize("table", ["vector", "file", "content"])
def test_the_end_of_the_ids_is_said_to_be_one(
    filled: ImageIndex, photos: Path, make_photo: PhotoMaker, table: str
) -> None:
    _edit(filled, f"UPDATE sqlite_sequence SET seq = {2**63 - 1} WHERE name = '{table}'")
    make_photo(photos / "new.png", seed=77)
    with pytest.raises(StorageError, match="id space is exhausted"):
        filled.sync(photos)
    assert len(filled) == N_PHOTOS
    assert filled.verify().ok
