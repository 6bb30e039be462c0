"""``ImageIndex`` beyond the number of images up to which every search compares with each."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy

from mobisearch import Embedder, ImageIndex, StructureStatus
from mobisearch.arguments import checked_recall
from mobisearch.errors import InvalidRecallError, QueryError
from mobisearch.models import Classifier, LinearLayer
from mobisearch.runtimes import FAKE_MODEL
from mobisearch.store import live, narrowing, structures, tuning

N_PHOTOS = 60
DIM = 64


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 40 images be many, and candidates be all of them."""
    monkeypatch.setattr(structures, "_MIN_VECTORS", 40)
    monkeypatch.setattr(structures, "_MIN_TAIL", 5)
    monkeypatch.setattr(tuning, "_CANDIDATES", (1_000,))
    monkeypatch.setattr(narrowing, "_MAX_SHARE", 1e6)


@pytest.fixture
def photos(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """A folder of photos."""
    for seed in range(N_PHOTOS):
        make_photo(tmp_path / "photos" / f"{seed:02}.png", seed=seed, size=(8, 8))
    return tmp_path / "photos"


@pytest.fixture
def large(index: ImageIndex, photos: Path) -> ImageIndex:
    """An index with a structure."""
    index.sync(photos)
    return index


def _structure(index: ImageIndex) -> StructureStatus:
    status = index.status().structure
    assert status is not None
    return status


def test_the_status_says_what_searches_go_through(large: ImageIndex) -> None:
    status = large.status()
    structure = _structure(large)
    assert status.recall_target == structure.recall_target == 0.99
    assert (structure.kind, structure.vectors, structure.newer) == ("RaBitQfs", N_PHOTOS, 0)
    assert (structure.recall, structure.queries) == (1.0, N_PHOTOS)
    assert status.missed_recall is None
    segments = Path(status.path) / "segments"
    there = sum(path.stat().st_size for path in segments.glob("*.faiss"))
    assert status.cache_bytes == there > structure.bytes > 0


def test_every_kind_of_search_takes_the_structure_or_compares_with_all_if_it_shall(
    large: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = photos / "07.png"
    vector = np.arange(1.0, DIM + 1)
    kinds: dict[str, Callable[..., object]] = {
        "search": lambda **more: large.search(query, 5, **more),
        "search_many": lambda **more: large.search_many([query, photos / "9.png"], 5, **more),
        "search_by_id": lambda **more: large.search_by_id(3, 5, **more),
        "search_by_vector": lambda **more: large.search_by_vector(vector, 5, **more),
    }
    exact = {name: ask(exact=True) for name, ask in kinds.items()}
    monkeypatch.setattr(live.LiveVectors, "_newest_loaded", lambda _: pytest.fail("loaded all"))
    for name, ask in kinds.items():
        assert ask() == exact[name]
        with pytest.raises(pytest.fail.Exception, match="loaded all"):
            ask(exact=True)


def test_another_recall_is_remembered_and_one_compares_with_all(
    large: ImageIndex, tmp_path: Path, fake_embedder: Embedder, photos: Path
) -> None:
    status = large.tune(0.9)
    assert (status.recall_target, _structure(large).recall_target) == (0.9, 0.9)
    assert large.tune(1).structure is None
    with ImageIndex.open(tmp_path / "index", fake_embedder) as again:
        assert again.status().recall_target == 1
        again.sync(photos)
        assert again.status().structure is None
        assert again.tune(0.99).structure is not None


def test_a_recall_that_cannot_be_reached_is_told(
    large: ImageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "_CANDIDATES", (1,))
    status = large.tune(0.999)
    assert status.structure is None
    assert status.missed_recall is not None
    assert status.missed_recall <= 0.1, "one of ten at most"
    monkeypatch.setattr(tuning, "_CANDIDATES", (1_000,))
    assert large.tune(0.9).missed_recall is None


@pytest.mark.parametrize(
    "recall", [0, -0.5, 1.0001, 99, math.nan, math.inf, True, "0.9", None, 0.9 + 0j, [0.9]]
)
def test_a_recall_that_is_none_is_refused_and_changes_nothing(
    large: ImageIndex, recall: object
) -> None:
    before = large.status()
    with pytest.raises(InvalidRecallError, match="above 0, up to 1") as caught:
        large.tune(recall)  # type: ignore[arg-type]
    assert isinstance(caught.value, QueryError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.recall is recall
    assert large.status() == before


def test_recalls_of_numpy_are_numbers_too() -> None:
    assert checked_recall(np.float32(0.5)) == 0.5
    assert checked_recall(np.int64(1)) == 1.0
    assert checked_recall(1e-300) == 1e-300


def test_the_structure_follows_what_happens_to_the_photos(
    large: ImageIndex, photos: Path, make_photo: Callable[..., Path]
) -> None:
    for seed in range(100, 106):
        make_photo(photos / f"{seed}.png", seed=seed, size=(8, 8))
    make_photo(photos / "07.png", seed=200, size=(8, 8))
    (photos / "08.png").rename(photos / "08 renamed.png")
    (photos / "09.png").unlink()
    large.sync(photos)
    assert large.search(photos / "103.png", 1)[0].score == 1
    assert large.search(photos / "07.png", 1)[0].image.path.endswith("07.png")
    assert large.search(photos / "08 renamed.png", 1)[0].score == 1
    assert "09.png" not in {match.image.path[-6:] for match in large.search_by_id(1, 100)}
    assert _structure(large).vectors == N_PHOTOS + 7, "the changed one was added too"
    assert large.verify().ok
    assert large.verify().stale == ()


def test_a_copy_has_no_structure_until_it_is_written_to(
    large: ImageIndex, tmp_path: Path, fake_embedder: Embedder, photos: Path
) -> None:
    expected = large.search(photos / "03.png")
    large.backup(tmp_path / "copy")
    with ImageIndex.open(tmp_path / "copy", fake_embedder) as copy:
        assert copy.status().structure is None
        assert copy.search(photos / "03.png") == expected
        copy.sync(photos)
        assert _structure(copy).vectors == N_PHOTOS


def test_a_salvaged_index_has_no_structure_until_it_is_written_to(
    large: ImageIndex, tmp_path: Path, fake_embedder: Embedder, photos: Path
) -> None:
    large.tune(0.95)
    ImageIndex.salvage(tmp_path / "index", tmp_path / "saved")
    with ImageIndex.open(tmp_path / "saved", fake_embedder) as saved:
        assert (saved.status().structure, saved.status().recall_target) == (None, 0.95)
        assert saved.verify().ok
        saved.sync(photos)
        assert _structure(saved).recall_target == 0.95


def test_readers_see_whole_commits_while_the_structure_is_made_and_grows(
    index: ImageIndex,
    tmp_path: Path,
    photos: Path,
    fake_embedder: Embedder,
    make_photo: Callable[..., Path],
) -> None:
    for seed in range(30, N_PHOTOS):
        (photos / f"{seed:02}.png").rename(tmp_path / f"{seed:02}.png")
    index.sync(photos)
    problems: list[str] = []
    seen: set[int] = set()
    is_done = threading.Event()

    def read() -> None:
        with ImageIndex.open(tmp_path / "index", fake_embedder) as reader:
            while not is_done.is_set():
                matches = reader.search_by_vector(np.arange(1.0, DIM + 1), 1_000)
                ids = [match.image.id for match in matches]
                if len(ids) != len(set(ids)):
                    problems.append(f"twice: {ids}")
                seen.add(len(ids))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    kinds = set()
    for start in range(30, N_PHOTOS, 6):
        for seed in range(start, start + 6):
            (tmp_path / f"{seed:02}.png").rename(photos / f"{seed:02}.png")
        index.sync(photos)
        kinds.add(index.status().structure is None)
    is_done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert kinds == {True, False}
    assert seen <= {30 + 6 * number for number in range(6)}
    assert len(seen) > 1


def test_a_search_for_a_label_finds_what_the_structure_does_not_name(
    large: ImageIndex, photos: Path
) -> None:
    classifier = Classifier(
        name="fake",
        sha256="0" * 64,
        fingerprint=FAKE_MODEL.fingerprint,
        model="fake",
        label=FAKE_MODEL.label,
        categories=("rare", "usual"),
        layers=(LinearLayer(np.zeros((2, DIM), np.float32), np.array([0, 3], np.float32)),),
        takes="unit",
    )
    large.label(classifier, k=1)
    _structure(large)
    everything = large.search(photos / "00.png", k=N_PHOTOS, exact=True)
    last = everything[-1]
    engine = sqlalchemy.create_engine(f"sqlite:///{large.status().path}/mobisearch.db")
    with engine.begin() as connection:
        statement = "SELECT content_id FROM file WHERE file_id = ?"
        content_id = connection.exec_driver_sql(statement, (last.image.id,)).scalar_one()
        statement = "UPDATE label SET category = 0 WHERE content_id = ?"
        connection.exec_driver_sql(statement, (content_id,))
    engine.dispose()
    (found,) = large.search(photos / "00.png", k=5, label="rare")
    assert (found.image.id, found.score) == (last.image.id, last.score)
    others = large.search(photos / "00.png", k=N_PHOTOS, label="usual")
    assert [match.image.id for match in others] == [match.image.id for match in everything[:-1]]
