"""What an index remembers of decisions, wherever files and catalogs go."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import DecisionsFileError, InvalidDecisionError, UnknownDecisionError
from mobisearch.types import Decision


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


def test_a_decision_knows_how_many_files_each_content_had(index: ImageIndex, photos: Path) -> None:
    for name in ("a2.png", "a3.png"):
        (photos / name).write_bytes((photos / "a.png").read_bytes())
    index.sync(photos)
    made = index.decide("keep", [photos / "a.png", photos / "b.png"])
    assert sorted(filter(None, made.n_files)) == [1, 3], "those that were not named count too"
    (photos / "a3.png").unlink()
    index.sync(photos)
    again = index.decide("keep", [photos / "b.png", photos / "a.png"])
    assert (again.id, sorted(filter(None, again.n_files))) == (made.id, [1, 2])
    assert index.decisions() == [again]
    (photos / "a4.png").write_bytes((photos / "a.png").read_bytes())
    (photos / "a5.png").write_bytes((photos / "a.png").read_bytes())
    named = [photos / name for name in ("a.png", "a2.png", "a4.png", "a5.png", "b.png")]
    third = index.decide("keep", named)
    assert sorted(filter(None, third.n_files)) == [1, 4], "the index need not know them"


def test_a_decision_is_about_no_more_files_than_there_were() -> None:
    one, other = "ab" * 32, "cd" * 32
    made = Decision(1, "keep", (one, other), "", (2, None))
    assert made.is_about_all({one: 2, other: 9})
    assert made.is_about_all({one: 1})
    assert not made.is_about_all({one: 3})
    assert not made.is_about_all({one: 1, "ef" * 32: 1})


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
    index.sync(photos)
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


def test_numbers_of_files_are_carried_too_and_older_exports_have_none(
    index: ImageIndex, photos: Path, tmp_path: Path, fake_embedder: Embedder
) -> None:
    (photos / "a2.png").write_bytes((photos / "a.png").read_bytes())
    index.sync(photos)
    made = index.decide("keep", [photos / "a.png", photos / "a2.png"])
    assert made.n_files == (2,)
    (tmp_path / "out.json").write_text(index.export_decisions())
    document = json.loads(index.export_decisions())
    del document["decisions"][0]["n_files"]
    (tmp_path / "older.json").write_text(json.dumps(document))
    with ImageIndex.create(tmp_path / "other", fake_embedder) as other:
        assert other.import_decisions(tmp_path / "older.json") == 1
        assert other.decisions()[0].n_files == (None,)
        for name in ("out.json", "older.json"):
            assert other.import_decisions(tmp_path / name) == 0
            assert other.decisions()[0].n_files == (2,)


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
        *(
            '{"mobisearch_decisions": 1, "decisions": [{"kind": "keep", "decided_at": "", '
            f'"sha256": ["{"ab" * 32}"], "n_files": {n_files}' + "}]}"
            for n_files in ("2", "[]", "[0]", "[1, 2]", "[true]", "[2.0]", '["2"]', "[1e99]")
        ),
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
    index.sync(photos)
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
        "UPDATE decision_member SET n_files = 0",
        "UPDATE decision_member SET n_files = 'two'",
        "PRAGMA foreign_keys=OFF; UPDATE decision_member SET decision_id = 99",
        "INSERT INTO action (plan, step, kind, state, path, sha256, size_bytes, mtime_ns, mode,"
        " keeper, keeper_sha256, changed_at) VALUES ('p', 1, 'trash', 'done', 'text',"
        " zeroblob(32), 1, 1, 1, x'00', zeroblob(32), '')",
    ],
)
def test_rows_that_make_no_sense_are_found_and_mended(
    index: ImageIndex, photos: Path, tmp_path: Path, statement: str
) -> None:
    index.sync(photos)
    index.decide("different", [photos / "a.png", photos / "b.png"])
    connection = sqlite3.connect(tmp_path / "index" / "mobisearch.db")
    connection.executescript(statement)
    connection.close()
    report = index.verify()
    assert report.damage
    assert index.repair().check.ok
    assert index.verify().ok
