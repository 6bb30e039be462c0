"""From an older format to the present one: with a backup, completely or not at all."""

from __future__ import annotations

import gzip
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import IndexLockedError, IndexReadOnlyError, StorageError
from mobisearch.store import IndexLayout
from mobisearch.store.catalog import migrations, schema
from mobisearch.store.catalog.migrations import read_version

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
FORMATS = sorted(path.name for path in GOLDEN.glob("format-*.db.gz"))


def golden_bytes(name: str = "format-1.db.gz") -> bytes:
    return gzip.decompress((GOLDEN / name).read_bytes())


@pytest.fixture
def old_index(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "mobisearch.db").write_bytes(golden_bytes())
    return folder


def test_there_is_a_golden_catalog_of_every_format_before_this_one() -> None:
    assert [f"format-{number}.db.gz" for number in range(1, schema.FORMAT_VERSION)] == FORMATS
    assert set(migrations.STEPS) == set(range(1, schema.FORMAT_VERSION))


@pytest.mark.parametrize("name", FORMATS)
def test_an_index_of_every_format_opens_and_answers(
    tmp_path: Path, fake_embedder: Embedder, name: str
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mobisearch.db").write_bytes(golden_bytes(name))
    with ImageIndex.open(tmp_path / "old", fake_embedder) as index:
        assert index.status().format_version == schema.FORMAT_VERSION
        assert (len(index), index.status().missing, index.status().errors) == (9, 1, 1)
        assert index.verify().ok
        for seed in (0, 1, 2, 3, 4, 5, 7):
            shape = (4, 5, 3)
            pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
            match = index.search(pixels, k=1)[0]
            assert match.score == 1
            assert os.path.basename(match.image.path).removesuffix(".png") in (
                str(seed),
                "copy of 0",
                os.fsdecode(b"\xff name"),
            )
            assert (match.image.width, match.image.height) == (5, 4)
            assert not match.image.is_truncated


def test_decisions_of_before_their_files_were_counted_hold_for_any_number(
    tmp_path: Path, fake_embedder: Embedder
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mobisearch.db").write_bytes(golden_bytes("format-6.db.gz"))
    with ImageIndex.open(tmp_path / "old", fake_embedder) as index:
        (found,) = index.decisions()
        assert (found.kind, found.n_files) == ("keep", (None,))
        names = {os.path.basename(path) for path in index.images_of(found.sha256s[0])}
        assert names == {"0.png", "copy of 0.png"}
        assert found.is_about_all({found.sha256s[0]: 3})


def test_the_catalog_as_it_was_is_kept(old_index: Path, fake_embedder: Embedder) -> None:
    ImageIndex.open(old_index, fake_embedder).close()
    [backup] = (old_index / "backups").iterdir()
    assert backup.name.startswith("format-1-")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert read_version(backup) == 1
    restored = old_index.parent / "restored"
    restored.mkdir()
    (restored / "mobisearch.db").write_bytes(backup.read_bytes())
    with ImageIndex.open(restored, fake_embedder) as index:
        assert len(index) == 9
    ImageIndex.open(old_index, fake_embedder).close()
    assert list((old_index / "backups").iterdir()) == [backup], "upgraded once"


def test_a_migration_that_fails_leaves_the_old_format_whole(
    old_index: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(connection: object) -> None:
        connection.exec_driver_sql("ALTER TABLE root ADD COLUMN scan TEXT")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", {1: half})
        with pytest.raises(KeyboardInterrupt):
            ImageIndex.open(old_index, fake_embedder)
    assert read_version(old_index / "mobisearch.db") == 1
    with ImageIndex.open(old_index, fake_embedder) as index:
        assert len(index) == 9
        assert index.verify().ok


def test_without_room_for_the_backup_nothing_is_changed(
    old_index: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    before = (old_index / "mobisearch.db").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        with pytest.raises(StorageError, match="the disk is full"):
            ImageIndex.open(old_index, fake_embedder)
    assert read_version(old_index / "mobisearch.db") == 1
    assert (old_index / "mobisearch.db").read_bytes() == before
    ImageIndex.open(old_index, fake_embedder).close()


def test_an_index_that_is_being_written_is_not_upgraded_meanwhile(
    old_index: Path, fake_embedder: Embedder
) -> None:
    layout = IndexLayout.at(old_index)
    layout.make_directories()
    with layout.writer_lock(), pytest.raises(IndexLockedError):
        ImageIndex.open(old_index, fake_embedder)
    assert read_version(old_index / "mobisearch.db") == 1


def test_an_older_index_that_cannot_be_written_says_what_to_do(
    old_index: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import contextlib

    @contextlib.contextmanager
    def refuse(self: IndexLayout) -> object:
        raise IndexReadOnlyError(self.directory, "cannot be written")
        yield

    monkeypatch.setattr(IndexLayout, "writer_lock", refuse)
    with pytest.raises(IndexReadOnlyError, match=r"has an older format, .* open it once"):
        ImageIndex.open(old_index, fake_embedder)
