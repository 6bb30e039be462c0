"""What an index remembers of decisions, wherever files and catalogs go."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import DecisionsFileError, InvalidDecisionError, UnknownDecisionError


@pytest.fixture
def photos(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    for seed, name in enumerate(("a", "b", "c")):
        make_photo(tmp_path / "photos" / f"{name}.png", seed=seed)
    return tmp_path / "photos"


def test_a_decision_is_about_contents_and_outlives_them(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    made = index.decide("different", [photos / "a.png", photos / "b.png"])
    assert index.decide("different", [photos / "b.png", photos / "a.png"]) == made
    assert index.decisions() == [made]
    (photos / "a.png").rename(photos / "moved.png")
    index.sync(photos)
    assert {path for sha in made.sha256s for path in index.images_of(sha)} == {
        str((photos / name).resolve()) for name in ("moved.png", "b.png")
    }
    index.remove([photos])
    assert index.decisions() == [made]
    assert index.verify().ok


def test_decisions_survive_backup_salvage_and_repair(
    index: ImageIndex, photos: Path, tmp_path: Path, fake_embedder: Embedder
) -> None:
    index.sync(photos)
    made = index.decide("keep", [photos / "a.png", photos / "b.png"])
    with ImageIndex.open(index.backup(tmp_path / "copy"), fake_embedder) as copy:
        assert copy.decisions() == [made]
        copy.repair()
        assert copy.decisions() == [made]
    ImageIndex.salvage(tmp_path / "copy", tmp_path / "saved")
    with ImageIndex.open(tmp_path / "saved", fake_embedder) as saved:
        assert saved.decisions() == [made]


def test_decisions_are_carried_to_another_index_by_a_file(
    index: ImageIndex, photos: Path, tmp_path: Path, fake_embedder: Embedder
) -> None:
    made = index.decide("different", [photos / "a.png", photos / "b.png"])
    (tmp_path / "out.json").write_text(index.export_decisions())
    with ImageIndex.create(tmp_path / "other", fake_embedder) as other:
        assert other.import_decisions(tmp_path / "out.json") == 1
        assert other.import_decisions(tmp_path / "out.json") == 0
        (found,) = other.decisions()
        assert (found.kind, found.sha256s, found.decided_at) == (
            made.kind,
            made.sha256s,
            made.decided_at,
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"mobisearch_decisions": 2, "decisions": []}',
        '{"mobisearch_decisions": 1, "decisions": {}}',
        '{"mobisearch_decisions": 1, "decisions": [{"kind": "keep"}]}',
        '{"mobisearch_decisions": 1, "decisions": [{"kind": "keep", "decided_at": "", "sha256": '
        '["zz"]}]}',
        '{"mobisearch_decisions": 1, "decisions": [{"kind": "different", "decided_at": "", '
        '"sha256": ["' + "ab" * 32 + '"]}]}',
    ],
)
def test_a_file_of_decisions_that_makes_no_sense_is_refused_whole(
    index: ImageIndex, tmp_path: Path, text: str
) -> None:
    (tmp_path / "in.json").write_text(text)
    with pytest.raises(DecisionsFileError):
        index.import_decisions(tmp_path / "in.json")
    assert index.decisions() == []


def test_decisions_that_make_no_sense_are_refused(index: ImageIndex, photos: Path) -> None:
    with pytest.raises(InvalidDecisionError, match="expected one of"):
        index.decide("same", [photos / "a.png", photos / "b.png"])
    (photos / "copy.png").write_bytes((photos / "a.png").read_bytes())
    with pytest.raises(InvalidDecisionError, match="one content"):
        index.decide("different", [photos / "a.png", photos / "copy.png"])
    with pytest.raises(UnknownDecisionError):
        index.forget_decisions([1])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET decided_at = x'00'",
        "DELETE FROM decision_member WHERE sha256 = (SELECT min(sha256) FROM decision_member)",
        "PRAGMA foreign_keys=OFF; UPDATE decision_member SET decision_id = 99",
        "INSERT INTO action (plan, step, kind, state, path, sha256, size_bytes, mtime_ns, mode,"
        " keeper, keeper_sha256, changed_at) VALUES ('p', 1, 'trash', 'done', 'text',"
        " zeroblob(32), 1, 1, 1, x'00', zeroblob(32), '')",
    ],
)
def test_rows_that_make_no_sense_are_found_and_mended(
    index: ImageIndex, photos: Path, tmp_path: Path, statement: str
) -> None:
    index.decide("different", [photos / "a.png", photos / "b.png"])
    connection = sqlite3.connect(tmp_path / "index" / "mobisearch.db")
    connection.executescript(statement)
    connection.close()
    report = index.verify()
    assert report.damage
    assert index.repair().check.ok
    assert index.verify().ok
