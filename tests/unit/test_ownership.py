"""Nothing that is not ours is overwritten or deleted, wherever an index or a sheet is put."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import (
    IndexDamagedError,
    IndexExistsError,
    IndexFormatError,
    IndexReadOnlyError,
    ReportError,
    RootUnavailableError,
)
from mobisearch.reports import write_sheet
from mobisearch.results import Matches
from mobisearch.store import IndexLayout

PhotoMaker = Callable[..., Path]


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    "names", [("README",), ("tmp/a.jpg",), ("segments/a.jpg",), ("writer.json",), ("writer.lock",)]
)
def test_a_folder_with_names_like_ours_is_not_taken_for_ours(
    tmp_path: Path, fake_embedder: Embedder, names: tuple[str, ...]
) -> None:
    for name in names:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("somebody's")
    before = _tree(tmp_path)
    with pytest.raises(IndexExistsError):
        ImageIndex.create(tmp_path / "mine", fake_embedder)
    assert _tree(tmp_path) == before


@pytest.mark.parametrize("name", ["README", "tmp", "segments", "writer.json", "writer.lock"])
def test_a_link_in_place_of_a_part_of_ours_is_not_followed(
    tmp_path: Path, fake_embedder: Embedder, make_photo: PhotoMaker, name: str
) -> None:
    make_photo(tmp_path / "other" / "a.png", seed=1)
    target = "other" if name in ("tmp", "segments") else "other/a.png"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).symlink_to(tmp_path / target)
    before = _tree(tmp_path / "other")
    with pytest.raises(IndexExistsError):
        ImageIndex.create(tmp_path / "mine", fake_embedder)
    assert _tree(tmp_path / "other") == before


def test_what_an_interrupted_creation_left_behind_is_used(
    tmp_path: Path, fake_embedder: Embedder
) -> None:
    layout = IndexLayout.at(tmp_path / "index")
    layout.make_directories()
    with layout.writer_lock():
        (layout.tmp_dir / "new.db").write_bytes(b"half of it")
    with ImageIndex.create(tmp_path / "index", fake_embedder) as index:
        assert len(index) == 0


def test_photos_inside_an_index_are_never_deleted(
    tmp_path: Path, index: ImageIndex, make_photo: PhotoMaker
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.png", seed=1)
    index.sync(tmp_path / "photos")
    for folder in ("segments", "tmp"):
        shutil.copy(photo, tmp_path / "index" / folder)
        with pytest.raises(RootUnavailableError, match="part of the index"):
            index.sync(tmp_path / "index" / folder)
    index.add([photo])
    index.remove([photo])
    for folder in ("segments", "tmp"):
        assert (tmp_path / "index" / folder / "a.png").read_bytes() == photo.read_bytes()


@pytest.mark.parametrize("name", ["tmp", "segments"])
def test_a_part_that_was_replaced_by_a_link_is_refused(
    tmp_path: Path, index: ImageIndex, make_photo: PhotoMaker, name: str
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.png", seed=1)
    index.add([photo])
    make_photo(tmp_path / "other" / "b.png", seed=2)
    shutil.rmtree(tmp_path / "index" / name)
    (tmp_path / "index" / name).symlink_to(tmp_path / "other")
    before = _tree(tmp_path / "other")
    with pytest.raises(IndexReadOnlyError, match="symbolic link"):
        index.add([photo])
    assert _tree(tmp_path / "other") == before
    assert index.search(photo, k=1)[0].score == 1


@pytest.mark.parametrize("kind", ["link", "hard link", "FIFO"])
def test_a_note_is_never_written_into_something_else(
    tmp_path: Path, index: ImageIndex, make_photo: PhotoMaker, kind: str
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.png", seed=1)
    before = photo.read_bytes()
    index.add([photo])
    note = tmp_path / "index" / "writer.json"
    note.unlink()
    if kind == "FIFO":
        os.mkfifo(note)
    else:
        (note.symlink_to if kind == "link" else note.hardlink_to)(photo)
    assert index.add([photo]).unchanged == 1
    assert photo.read_bytes() == before


def test_a_photo_that_appears_while_a_sheet_is_drawn_stays(
    tmp_path: Path, make_photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobisearch.reports import sheet

    photo = make_photo(tmp_path / "a.png", seed=1)
    draw = sheet._draw

    def draw_slowly(results: object) -> object:
        shutil.copy(photo, tmp_path / "new.png")
        return draw(results)  # type: ignore[arg-type]

    monkeypatch.setattr(sheet, "_draw", draw_slowly)
    with pytest.raises(ReportError):
        write_sheet(tmp_path / "new.png", [(str(photo), Matches())])
    assert (tmp_path / "new.png").read_bytes() == photo.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "new.png"]


def test_a_sheet_and_a_catalog_that_are_no_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sheet.png")
    with pytest.raises(ReportError):
        write_sheet(tmp_path / "sheet.png", [])
    (tmp_path / "index").mkdir()
    os.mkfifo(tmp_path / "index" / "mobisearch.db")
    with pytest.raises(IndexFormatError):
        ImageIndex.open(tmp_path / "index")


def test_an_empty_path_is_not_the_current_directory(fake_embedder: Embedder) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        ImageIndex.create("", fake_embedder)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE model SET probe = x'00'", IndexDamagedError),
        ("UPDATE meta SET value = 'x' WHERE key = 'generation'", IndexDamagedError),
        ("DELETE FROM meta", IndexDamagedError),
        ("CREATE VIEW odd AS SELECT 1", IndexFormatError),
        (
            "CREATE TRIGGER odd AFTER UPDATE ON meta BEGIN DELETE FROM vector; END",
            IndexFormatError,
        ),
    ],
)
def test_a_catalog_that_was_tampered_with_is_refused(
    tmp_path: Path,
    fake_embedder: Embedder,
    make_photo: PhotoMaker,
    statement: str,
    error: type[Exception],
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.png", seed=1)
    with ImageIndex.create(tmp_path / "index", fake_embedder) as index:
        index.add([photo])
    with closing(sqlite3.connect(tmp_path / "index" / "mobisearch.db")) as connection, connection:
        connection.execute(statement)
    with (
        pytest.raises(error),
        ImageIndex.open(tmp_path / "index", fake_embedder) as opened,
    ):
        opened.search(photo)


@pytest.mark.parametrize(
    "name", ["'a' || char(0) || 'b'", "x'ff00fe'", "'../../photos/a.png'", "'/etc/passwd'"]
)
def test_a_segment_of_a_strange_name_is_left_aside_and_made_again(
    tmp_path: Path, fake_embedder: Embedder, make_photo: PhotoMaker, name: str
) -> None:
    photo = make_photo(tmp_path / "photos" / "a.png", seed=1)
    with ImageIndex.create(tmp_path / "index", fake_embedder) as index:
        index.add([photo])
    with closing(sqlite3.connect(tmp_path / "index" / "mobisearch.db")) as connection, connection:
        connection.execute(f"UPDATE segment SET name = {name}")
    with ImageIndex.open(tmp_path / "index", fake_embedder) as opened:
        assert opened.search(photo, k=1)[0].score == 1
        assert len(opened.verify().stale) == 1
        opened.add([photo])
        assert opened.verify().stale == ()
    assert photo.exists()


def test_verify_finds_embeddings_that_are_marked_as_gone(
    tmp_path: Path, fake_embedder: Embedder, make_photo: PhotoMaker
) -> None:
    with ImageIndex.create(tmp_path / "index", fake_embedder) as index:
        index.add([make_photo(tmp_path / "photos" / "a.png", seed=1)])
    with closing(sqlite3.connect(tmp_path / "index" / "mobisearch.db")) as connection, connection:
        connection.execute("INSERT INTO tombstone SELECT vector_id FROM vector")
    with ImageIndex.open(tmp_path / "index", fake_embedder) as opened:
        assert "catalog: 1 embeddings are there but marked as gone" in opened.verify().damage


@pytest.mark.skipif(os.name != "posix", reason="rights are others here")
def test_an_index_that_everybody_may_change_is_said_to_be_one(
    index: ImageIndex, tmp_path: Path, make_photo: PhotoMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo(tmp_path / "photos" / "a.png", seed=1)
    assert index.sync(tmp_path / "photos").warnings == ()
    (tmp_path / "index").chmod(0o777)
    [warning] = index.sync(tmp_path / "photos").warnings
    assert "can be written by everybody" in warning
    (tmp_path / "index").chmod(0o700)
    mine = os.stat(tmp_path / "index").st_uid
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    if mine:
        [warning] = index.sync(tmp_path / "photos").warnings
        assert "belongs to another user" in warning
