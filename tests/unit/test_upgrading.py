"""Several models in one index: added beside, searched by, used, dropped; nothing is lost."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobisearch import Embedder, ImageIndex, IndexModels, upgrading
from mobisearch.errors import (
    IndexLockedError,
    IndexNotFoundError,
    ModelChangedError,
    ModelIncompleteError,
    ModelInUseError,
    ModelMismatchError,
    ModelNotInIndexError,
    ModelNotInUseError,
)
from mobisearch.models import ModelSpec
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import ImageFilter, Progress

PhotoMaker = Callable[..., Path]

N_PHOTOS = 8
OTHER = dataclasses.replace(FAKE_MODEL, name="other", architecture="another", dim=48)
ALIKE = dataclasses.replace(FAKE_MODEL, architecture="newer")
"""Of the same name and dimension as the one in use, as after an upgrade of the preprocessing."""


class _Turned(FakeRuntime):
    """Another projection of the same shape."""

    def extract(self, pixels):
        return super().extract(pixels)[:, ::-1] * np.linspace(1, 2, FAKE_MODEL.dim)


def embedder(spec: ModelSpec = FAKE_MODEL) -> Embedder:
    runtime = _Turned() if spec is ALIKE else FakeRuntime(spec)
    return Embedder(spec, runtime=runtime)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, make_photo: PhotoMaker) -> Path:
    """Photos, one of them twice, and an index of them."""
    folder = tmp_path_factory.mktemp("template")
    for seed in range(N_PHOTOS):
        make_photo(folder / "photos" / f"{seed}.png", seed=seed)
    shutil.copy(folder / "photos" / "0.png", folder / "photos" / "copy of 0.png")
    return folder


@pytest.fixture
def photos(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template / "photos", tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture
def path(photos: Path, tmp_path: Path) -> Path:
    """The directory of an index of ``photos`` by the fake model."""
    with ImageIndex.create(tmp_path / "index", embedder()) as index:
        index.sync(photos)
    return tmp_path / "index"


def found(path: Path, spec: ModelSpec, query: Path, k: int = 20) -> list[tuple[int, float]]:
    with ImageIndex.open(path, embedder(spec)) as index:
        return [(match.image.id, match.score) for match in index.search(query, k=k)]


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path / "mobisearch.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_model_added_beside_finds_the_same_images_by_its_own_scores(
    path: Path, photos: Path
) -> None:
    before = found(path, FAKE_MODEL, photos / "3.png")
    seen: list[Progress] = []
    report = IndexModels(path).add(embedder(OTHER), on_progress=seen.append)
    assert (report.embedded, report.unchanged, report.left) == (N_PHOTOS, 0, 0)
    assert (seen[-1].done, seen[-1].total, seen[-1].stored) == (N_PHOTOS, N_PHOTOS, N_PHOTOS)
    assert found(path, FAKE_MODEL, photos / "3.png") == before
    by_other = found(path, OTHER, photos / "3.png")
    assert by_other[0][1] == 1
    assert {image_id for image_id, _ in by_other} == {image_id for image_id, _ in before}
    assert [score for _, score in by_other] != [score for _, score in before]
    in_use, beside = IndexModels(path).list()
    assert (in_use.name, in_use.in_use, in_use.embedded, in_use.lacking) == ("fake", True, 8, 0)
    assert (beside.name, beside.in_use, beside.embedded, beside.lacking) == ("other", False, 8, 0)
    with ImageIndex.open(path, embedder()) as index:
        assert index.status().models_beside == ("other",)
        assert index.verify().checked == 2 * N_PHOTOS


def test_the_scores_by_a_model_beside_are_those_of_its_embeddings(path: Path, photos: Path) -> None:
    IndexModels(path).add(embedder(OTHER))
    with ImageIndex.open(path, embedder(OTHER)) as index:
        query = embedder(OTHER).embed([photos / "2.png"])[0].astype(np.float64)
        for match in index.search(photos / "2.png", k=20):
            row = embedder(OTHER).embed([match.image.path])[0].astype(np.float64)
            assert match.score == pytest.approx(query @ row, abs=1e-6)
        best = index.search(photos / "2.png", k=1)[0].image
        assert [m.score for m in index.search_by_id(best.id, k=3)] == [
            m.score for m in index.search(photos / "2.png", k=4)[1:]
        ]
        by_vector = index.search_by_vector(query, k=4)
        assert [m.image.id for m in by_vector] == [
            m.image.id for m in index.search(photos / "2.png", k=4)
        ]
        assert np.array_equal(index.embedding(best.id), embedder(OTHER).embed([best.path])[0])
        only = index.search_row(query.astype(np.float32), 20, ImageFilter(folder=str(photos)))
        assert len(only) == N_PHOTOS + 1


def test_adding_goes_on_where_it_was_stopped(
    path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "_EMBEDDED_PER_COMMIT", 2)
    stop = threading.Event()
    first = IndexModels(path).add(embedder(OTHER), on_progress=lambda _: stop.set(), stop=stop)
    assert first.interrupted
    assert (first.embedded, first.left) == (2, N_PHOTOS - 2)
    assert len(found(path, OTHER, photos / "0.png")) < N_PHOTOS + 1
    with pytest.raises(ModelIncompleteError, match="6 images"):
        IndexModels(path).use("other")
    second = IndexModels(path).add(embedder(OTHER))
    assert (second.embedded, second.unchanged, second.left) == (N_PHOTOS - 2, 2, 0)
    assert not second.interrupted
    assert len(found(path, OTHER, photos / "0.png")) == N_PHOTOS + 1


def test_a_switch_and_a_switch_back_lose_nothing(path: Path, photos: Path) -> None:
    models = IndexModels(path)
    before = found(path, FAKE_MODEL, photos / "5.png")
    models.add(embedder(OTHER))
    beside = found(path, OTHER, photos / "5.png")
    assert models.use("other").in_use
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert index.is_in_use
        assert index.status().model == "other"
        assert index.status().models_beside == ("fake",)
        assert len(index) == N_PHOTOS + 1
        assert index.verify().ok
        assert index.sync(photos).unchanged == N_PHOTOS + 1
    assert found(path, OTHER, photos / "5.png") == beside
    assert found(path, FAKE_MODEL, photos / "5.png") == before
    models.use("fake")
    assert found(path, FAKE_MODEL, photos / "5.png") == before
    assert models.use("fake").in_use, "using what is in use changes nothing"
    connection = sqlite3.connect(path / "mobisearch.db")
    assert connection.execute("SELECT count(*) FROM norm").fetchone() == (N_PHOTOS,)
    connection.close()


def test_files_of_the_old_vectors_are_gone_after_a_switch(path: Path, photos: Path) -> None:
    names = set(os.listdir(path / "segments"))
    assert any(name.endswith(".faiss") for name in names)
    IndexModels(path).add(embedder(OTHER))
    IndexModels(path).use("other")
    left = {n for n in os.listdir(path / "segments") if n.endswith(".faiss")}
    assert left
    assert not left & names
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert not index.verify().stale


def test_dropping_forgets_what_is_beside_and_refuses_what_is_in_use(path: Path) -> None:
    models = IndexModels(path)
    models.add(embedder(OTHER))
    with pytest.raises(ModelInUseError, match="fake is in use"):
        models.drop("fake")
    assert models.drop("other").embedded == N_PHOTOS
    assert [model.name for model in models.list()] == ["fake"]
    with pytest.raises(ModelNotInIndexError, match="'other'"):
        models.use("other")
    with pytest.raises(ModelMismatchError):
        ImageIndex.open(path, embedder(OTHER))
    models.add(embedder(OTHER))
    models.use("other")
    models.drop("fake")
    with pytest.raises(ModelMismatchError):
        ImageIndex.open(path, embedder())
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert index.verify().ok
        assert index.verify().checked == N_PHOTOS


@pytest.mark.parametrize("spec", [OTHER, ALIKE], ids=["another size", "the same size"])
def test_an_open_index_notices_that_another_model_came_into_use(
    path: Path, photos: Path, spec: ModelSpec
) -> None:
    IndexModels(path).add(embedder(spec))
    wanted = IndexModels(path).list()[1].fingerprint
    row = np.eye(1, FAKE_MODEL.dim, dtype=np.float32)[0]
    with ImageIndex.open(path, embedder()) as index:
        index.search(photos / "1.png")
        IndexModels(path).use(wanted)
        for ask in (
            lambda: index.search(photos / "1.png"),
            lambda: index.search_row(row, 3, ImageFilter(camera="x")),
            lambda: index.search_by_vector(np.ones(64)),
            lambda: index.sync(photos),
            lambda: index.add([photos / "1.png"]),
            lambda: index.duplicates(),
        ):
            with pytest.raises(ModelChangedError, match="open it again"):
                ask()
    with ImageIndex.open(path, embedder(spec)) as index:
        assert index.verify().ok
        assert index.search(photos / "1.png", k=1)[0].score == 1


def test_only_searches_are_made_by_a_model_beside(path: Path, photos: Path) -> None:
    IndexModels(path).add(embedder(OTHER))
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert not index.is_in_use
        assert len(index.search_many([photos / "1.png", photos / "none.png"], k=2)[0]) == 2
        for ask in (
            lambda: index.sync(photos),
            lambda: index.remove([photos]),
            lambda: index.label(),
            lambda: index.duplicates(),
            lambda: index.known_contents(),
            lambda: list(index.rows_of(np.array([1]))),
        ):
            with pytest.raises(ModelNotInUseError, match="model use"):
                ask()


def test_images_that_come_later_are_embedded_at_the_next_call(
    path: Path, photos: Path, make_photo: PhotoMaker
) -> None:
    models = IndexModels(path)
    models.add(embedder(OTHER))
    make_photo(photos / "new.png", seed=50)
    with ImageIndex.open(path, embedder()) as index:
        index.sync(photos)
        index.remove([photos / "7.png"])
        (new,) = [m.image for m in index.search(photos / "new.png", k=1)]
    assert (models.list()[1].embedded, models.list()[1].lacking) == (N_PHOTOS - 1, 1)
    with ImageIndex.open(path, embedder(OTHER)) as index:
        with pytest.raises(ModelIncompleteError):
            index.search_by_id(new.id)
        assert new.id not in [match.image.id for match in index.search(photos / "new.png", k=20)]
    assert models.add(embedder(OTHER)).embedded == 1
    assert found(path, OTHER, photos / "new.png", k=1) == [(new.id, 1.0)]


def test_what_cannot_be_read_again_is_left_and_told(path: Path, photos: Path) -> None:
    (photos / "0.png").unlink()  # whose copy is there
    (photos / "1.png").unlink()
    (photos / "2.png").write_bytes(b"no picture")
    shutil.copy(photos / "3.png", photos / "4.png")
    report = IndexModels(path).add(embedder(OTHER))
    assert (report.embedded, report.left) == (N_PHOTOS - 3, 3)
    assert sorted(os.path.basename(failure.path) for failure in report.failures) == [
        "1.png",
        "2.png",
    ]
    with pytest.raises(ModelIncompleteError):
        IndexModels(path).use("other")
    IndexModels(path).use("other", incomplete=True)
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert index.verify().ok
        assert index.status().missing == 3
        (photos / "2.png").unlink()
        synced = index.sync(photos)
        assert (synced.failed, index.status().images) == (0, N_PHOTOS - 2)
        assert index.verify().ok


def test_images_that_are_missing_at_a_switch_come_back(path: Path, photos: Path) -> None:
    os.rename(photos / "6.png", photos.parent / "6.png")
    with ImageIndex.open(path, embedder()) as index:
        index.sync(photos)
        assert index.status().missing == 1
    assert IndexModels(path).add(embedder(OTHER)).embedded == N_PHOTOS - 1
    IndexModels(path).use("other")
    os.rename(photos.parent / "6.png", photos / "6.png")
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert index.verify().ok
        index.sync(photos)
        assert len(index) == N_PHOTOS + 1
        assert os.path.basename(index.search(photos / "6.png", k=1)[0].image.path) == "6.png"


def test_an_index_whose_model_is_no_more_what_it_was_is_brought_to_the_new_one(
    path: Path, photos: Path
) -> None:
    with pytest.raises(ModelMismatchError, match="mobisearch model add"):
        ImageIndex.open(path, embedder(ALIKE))
    models = IndexModels(path)
    models.add(embedder(ALIKE))
    with pytest.raises(ModelNotInIndexError, match="no single model 'fake'"):
        models.use("fake")
    models.use(ALIKE.fingerprint[:12])
    models.drop(FAKE_MODEL.fingerprint)
    with ImageIndex.open(path, embedder(ALIKE)) as index:
        assert index.search(photos / "4.png", k=1)[0].score == 1


def test_adding_again_by_libraries_that_embed_differently_is_refused(path: Path) -> None:
    IndexModels(path).add(embedder(OTHER))

    class Drifted(FakeRuntime):
        def extract(self, pixels):
            return super().extract(np.roll(pixels, 3, axis=1))

    with pytest.raises(ModelMismatchError, match="embed differently"):
        IndexModels(path).add(Embedder(OTHER, runtime=Drifted(OTHER)))


def test_adding_the_model_in_use_does_nothing(path: Path) -> None:
    report = IndexModels(path).add(embedder())
    assert (report.embedded, report.unchanged, report.left) == (0, N_PHOTOS, 0)
    assert len(IndexModels(path).list()) == 1


def test_a_locked_index_and_none_are_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        IndexModels(tmp_path / "none")
    with ImageIndex.open(path, embedder()) as index, index._layout.writer_lock():
        for change in ("use", "drop"):
            with pytest.raises(IndexLockedError):
                getattr(IndexModels(path), change)("fake")
        assert IndexModels(path).list()[0].name == "fake"


def test_damage_beside_is_found_and_mended(path: Path, photos: Path) -> None:
    IndexModels(path).add(embedder(OTHER))
    execute(path, "UPDATE beside_vector SET vec = zeroblob(4 * 48) WHERE beside_id = 1")
    execute(path, "UPDATE beside_vector SET vec = zeroblob(5) WHERE beside_id = 2")
    with ImageIndex.open(path, embedder()) as index:
        damage = index.verify().damage
        assert any("embedding beside 1 is not a unit vector" in line for line in damage)
        assert any("1 embeddings beside make no sense" in line for line in damage)
        repaired = index.repair()
        assert len(repaired.mended) == 2
        assert index.verify().ok
        assert len(index) == N_PHOTOS + 1
    assert IndexModels(path).add(embedder(OTHER)).embedded == 2


@pytest.mark.parametrize("value", ["'7'", "'x'", "''", "2", None])
def test_a_catalog_that_does_not_say_which_model_is_in_use_is_mended(
    path: Path, photos: Path, value: str | None
) -> None:
    IndexModels(path).add(embedder(OTHER))
    before = found(path, FAKE_MODEL, photos / "5.png")
    if value is None:
        execute(path, "DELETE FROM meta WHERE key = 'active_model'")
    else:
        execute(path, f"UPDATE meta SET value = {value} WHERE key = 'active_model'")
    with ImageIndex.open(path, embedder()) as index:
        assert not index.verify().ok
        assert len(index.repair().mended) == 1
    with ImageIndex.open(path, embedder()) as index:
        assert index.verify().ok
        assert index.is_in_use
        assert len(index) == N_PHOTOS + 1
    assert found(path, FAKE_MODEL, photos / "5.png") == before


def test_a_backup_and_a_salvaged_index_have_all_models(
    path: Path, photos: Path, tmp_path: Path
) -> None:
    IndexModels(path).add(embedder(OTHER))
    IndexModels(path).use("other")
    with ImageIndex.open(path, embedder(OTHER)) as index:
        index.backup(tmp_path / "copy")
    ImageIndex.salvage(path, tmp_path / "saved")
    for place in (tmp_path / "copy", tmp_path / "saved"):
        assert [(m.name, m.in_use, m.embedded) for m in IndexModels(place).list()] == [
            ("fake", False, N_PHOTOS),
            ("other", True, N_PHOTOS),
        ]
        assert found(place, FAKE_MODEL, photos / "5.png") == found(
            path, FAKE_MODEL, photos / "5.png"
        )


def test_copies_are_looked_at_by_the_new_model_after_a_switch(path: Path) -> None:
    with ImageIndex.open(path, embedder()) as index:
        assert len(index.duplicates()) == 1
    IndexModels(path).add(embedder(OTHER))
    IndexModels(path).use("other")
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert len(index.duplicates()) == 1
        assert index.verify().ok
    IndexModels(path).drop("fake")
    with ImageIndex.open(path, embedder(OTHER)) as index:
        assert index.verify().ok
        assert len(index.duplicates()) == 1
