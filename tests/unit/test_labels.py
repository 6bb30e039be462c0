"""Labelling an index from stored embeddings, and finding images by their labels."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import (
    ClassifierMismatchError,
    InvalidProbabilityError,
    NoClassifierError,
    NotLabelledError,
    UnknownLabelError,
)
from mobisearch.models import Classifier, LinearLayer, find_model, read_classifier
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.store.catalog.labels import find_category
from mobisearch.types import Label, Pixels, Progress, UnitRows
from tests.conftest import PhotoMaker

CATEGORIES = ("red barn", "tabby", "tiger cat", "Tabby cat", "espresso")


def make_classifier(name: str = "fake", seed: int = 0, **changes: object) -> Classifier:
    generator = np.random.default_rng(seed)
    layers = (
        LinearLayer(
            generator.standard_normal((16, 64), dtype=np.float32),
            generator.standard_normal(16, dtype=np.float32),
        ),
        LinearLayer(
            generator.standard_normal((len(CATEGORIES), 16), dtype=np.float32),
            np.zeros(len(CATEGORIES), np.float32),
        ),
    )
    made = Classifier(
        name=name,
        sha256=f"{seed:064x}",
        fingerprint=FAKE_MODEL.fingerprint,
        model="fake",
        label=FAKE_MODEL.label,
        categories=CATEGORIES,
        layers=layers,
        takes="pooled",
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


CLASSIFIER = make_classifier()


@pytest.fixture
def photos(tmp_path: Path, make_photo: PhotoMaker) -> Path:
    folder = tmp_path / "photos"
    for seed in range(30):
        make_photo(folder / f"{seed:02}.png", seed=seed)
    return folder


def expected_labels(embedder: Embedder, path: Path, k: int) -> tuple[Label, ...]:
    embedded, _ = embedder.pool_each([path])
    return CLASSIFIER.labels(embedded, k)[0]


def statement(index: ImageIndex, text: str) -> list[tuple[object, ...]]:
    """Run SQL on the catalog itself."""
    engine = sqlalchemy.create_engine(f"sqlite:///{index.status().path}/mobisearch.db")
    with engine.begin() as connection:
        result = connection.exec_driver_sql(text)
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def test_every_image_gets_what_the_classifier_says_of_it(
    index: ImageIndex, photos: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "pool_pixels", lambda *_: pytest.fail("embedded again"))
        report = index.label(CLASSIFIER, k=3)
    assert (report.labelled, report.unchanged, report.reread, report.left) == (30, 0, 0, 0)
    for path in sorted(photos.iterdir())[:5]:
        (file,) = index._catalog.find_files([str(path)]).values()
        assert file.image_id is not None
        labels = index.image(file.image_id).labels
        expected = expected_labels(fake_embedder, path, 3)
        assert [label.category for label in labels] == [label.category for label in expected]
        for label, other in zip(labels, expected, strict=True):
            assert label.probability == pytest.approx(other.probability, abs=1e-5)


def test_probabilities_add_up_to_one_and_come_in_order(fake_embedder: Embedder) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    embedded = fake_embedder.pool_pixels(pixels)
    assert CLASSIFIER.probabilities(embedded).sum(axis=1) == pytest.approx(np.ones(4))
    for labels in CLASSIFIER.labels(embedded, 99):
        shares = [label.probability for label in labels]
        assert len(shares) == len(CATEGORIES)
        assert shares == sorted(shares, reverse=True)


def test_a_second_run_labels_only_what_is_new(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    make_photo(photos / "new.png", seed=99)
    index.sync(photos)
    assert index.status().labelled == 30
    report = index.label(CLASSIFIER)
    assert (report.labelled, report.unchanged) == (1, 30)
    assert index.status().labelled == 31
    assert index.status().classifiers == ("fake",)


def test_a_run_that_is_stopped_goes_on_where_it_ended(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobisearch.labelling._LABELLED_PER_COMMIT", 10)
    index.sync(photos)
    stop = threading.Event()
    seen: list[Progress] = []

    def note(progress: Progress) -> None:
        seen.append(progress)
        stop.set()

    first = index.label(CLASSIFIER, on_progress=note, stop=stop)
    assert (first.labelled, first.interrupted) == (10, True)
    assert seen == [Progress(10, 30, 0, 10)]
    second = index.label(CLASSIFIER)
    assert (second.labelled, second.unchanged, second.interrupted) == (20, 10, False)


def test_another_number_of_categories_or_another_classifier_of_that_name_labels_all_again(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    index.label(CLASSIFIER, k=2)
    assert index.label(CLASSIFIER, k=3).labelled == 30
    assert index.label(make_classifier(seed=1), k=3).labelled == 30
    assert index.status().classifiers == ("fake",)
    assert len(statement(index, "SELECT 1 FROM label")) == 90


def test_two_classifiers_live_side_by_side(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    index.label(CLASSIFIER, k=1)
    index.label(make_classifier("other", seed=1), k=1)
    assert index.status().classifiers == ("fake", "other")
    assert index.status().labelled == 30
    assert sum(count.images for count in index.labels()) == 60
    assert len(index.image(1).labels) == 2


def test_the_counts_are_of_the_most_probable_categories(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    firsts = [index.image(number).labels[0].category for number in range(1, 31)]
    counted = {count.category: count.images for count in index.labels()}
    assert counted == {name: firsts.count(name) for name in set(firsts)}
    order = [count.images for count in index.labels()]
    assert order == sorted(order, reverse=True)


def test_embeddings_without_norms_are_read_again_and_what_cannot_be_read_is_left(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    index.sync(photos)
    before = {name: index.search(photos / name, k=5) for name in ("03.png", "07.png")}
    statement(index, "DELETE FROM norm WHERE vector_id <= 10")
    (photos / "03.png").unlink()
    make_photo(photos / "04.png", seed=1234)  # another picture by now
    report = index.label(CLASSIFIER)
    assert (report.labelled, report.reread, report.left) == (28, 8, 2)
    assert len(statement(index, "SELECT 1 FROM norm")) == 28
    after = index.search(photos / "07.png", k=5)
    assert [match.image.id for match in after] == [match.image.id for match in before["07.png"]]
    assert index.label(make_classifier(takes="unit", name="unit")).labelled == 30


def test_a_classifier_for_unit_rows_needs_no_norms(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    statement(index, "DELETE FROM norm")
    report = index.label(make_classifier(takes="unit"))
    assert (report.labelled, report.reread) == (30, 0)


def test_a_search_for_a_label_finds_the_best_of_all_images_with_it(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    query = photos / "05.png"
    everything = index.search(query, k=30)
    for name in ("tabby", "red barn", "espresso"):
        for least in (0.0, 0.1, 0.6):
            having = [
                match
                for match in everything
                if any(x.category == name and x.probability >= least for x in match.image.labels)
            ]
            found = index.search(query, k=4, label=name, least_probability=least)
            assert list(found) == having[:4]
            (many,) = index.search_many([query], k=4, label=name, least_probability=least)
            assert list(many) == having[:4]
    assert len(index.search(query, k=30, label="tabby", least_probability=0)) == 30


def test_a_search_for_a_label_looks_beyond_what_the_structure_names(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    everything = index.search(photos / "05.png", k=30)
    name = everything[-1].image.labels[0].category
    monkeypatch.setattr(index._vectors, "search", lambda *_, **__: pytest.fail("approximate"))
    found = index.search(photos / "05.png", k=30, label=name, least_probability=0)
    assert everything[-1].image.id in [match.image.id for match in found]


def test_missing_images_are_not_found_by_their_label(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    (photos / "05.png").unlink()
    index.sync(photos)
    found = index.search(photos / "06.png", k=30, label="tabby", least_probability=0)
    assert len(found) == 29
    assert sum(count.images for count in index.labels()) == 29
    assert index.status().labelled == 29


def test_copies_share_their_labels(index: ImageIndex, photos: Path, make_photo: PhotoMaker) -> None:
    make_photo(photos / "copy.png", seed=5)
    index.sync(photos)
    index.label(CLASSIFIER)
    first, second = index.search(photos / "05.png", k=2)
    assert first.image.labels == second.image.labels != ()
    assert index.status().labelled == 31


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("tabby", "tabby"),
        ("TABBY", "tabby"),
        ("tabby CAT", "Tabby cat"),
        ("tiger", "tiger cat"),
        ("barn", "red barn"),
        (" Espresso ", "espresso"),
    ],
)
def test_a_label_is_found_by_a_part_of_its_name_in_any_case(label: str, meant: str) -> None:
    assert find_category(label, CATEGORIES) == meant


@pytest.mark.parametrize(
    ("label", "candidates"),
    [("cat", ("tiger cat", "Tabby cat")), ("dog", ()), ("", ()), ("  ", ())],
)
def test_a_label_that_means_none_or_several_is_refused_with_those(
    label: str, candidates: tuple[str, ...]
) -> None:
    with pytest.raises(UnknownLabelError) as caught:
        find_category(label, CATEGORIES)
    assert caught.value.candidates == candidates
    assert all(name in str(caught.value) for name in candidates)


def test_names_that_differ_by_case_alone_are_told_apart_where_they_are_written_so() -> None:
    names = ["Cardigan", "cardigan"]  # a dog and a garment
    assert find_category("Cardigan", names) == "Cardigan"
    assert find_category("cardigan", names) == "cardigan"
    with pytest.raises(UnknownLabelError):
        find_category("CARDIGAN", names)


def test_questions_about_labels_that_make_no_sense_are_refused(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    with pytest.raises(NotLabelledError, match="mobisearch label"):
        index.search(photos / "05.png", label="tabby")
    index.label(CLASSIFIER)
    with pytest.raises(UnknownLabelError):
        index.search(photos / "05.png", label="dog")
    for wrong in (-0.1, 1.5, float("nan"), True, "much"):
        with pytest.raises(InvalidProbabilityError):
            index.search(photos / "05.png", label="tabby", least_probability=wrong)  # type: ignore[arg-type]


def test_an_index_whose_model_has_no_classifier_says_what_to_do(tmp_path: Path) -> None:
    with ImageIndex.create(tmp_path / "index") as index:
        with pytest.raises(NoClassifierError) as caught:
            index.label()
        assert "mobilenet_v2.imagenet1k_v1" in str(caught.value)
        assert "mobisearch train" in str(caught.value)
        assert index.labels() == []


def test_a_classifier_of_another_model_is_refused(tmp_path: Path, index: ImageIndex) -> None:
    other = read_classifier(find_model("mobilenet_v2.imagenet1k_v1"))
    with pytest.raises(ClassifierMismatchError) as caught:
        index.label(other)
    assert caught.value.actual == FAKE_MODEL.label


def test_forgotten_images_leave_no_labels_and_no_norms(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    index.remove([photos])
    for table in ("label", "norm", "vector"):
        assert statement(index, f"SELECT 1 FROM {table}") == []


def test_a_check_finds_labels_that_make_no_sense_and_a_repair_lets_go_of_them(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    index.label(CLASSIFIER)
    statement(index, "UPDATE label SET category = 7000 WHERE content_id = 3")
    statement(index, "UPDATE norm SET value = -1.0 WHERE vector_id = 4")
    assert len(index.verify().damage) == 2
    repaired = index.repair()
    assert repaired.check.ok
    report = index.label(CLASSIFIER)
    assert (report.labelled, report.reread) == (30, 1)


def test_norms_are_saved_from_a_damaged_index(
    index: ImageIndex, photos: Path, tmp_path: Path, fake_embedder: Embedder
) -> None:
    index.sync(photos)
    norms = statement(index, "SELECT * FROM norm ORDER BY vector_id")
    assert len(norms) == 30
    ImageIndex.salvage(index.status().path, tmp_path / "saved")
    with ImageIndex.open(tmp_path / "saved", fake_embedder) as saved:
        assert statement(saved, "SELECT * FROM norm ORDER BY vector_id") == norms


def test_a_row_that_is_not_a_direction_has_no_norm() -> None:
    class Broken(FakeRuntime):
        def extract(self, pixels: Pixels) -> np.ndarray:
            rows = super().extract(pixels)
            rows[0] = 0
            return rows

    embedder = Embedder(FAKE_MODEL, runtime=Broken())
    found = embedder.pool_pixels(np.full((2, 32, 32, 3), 7, np.uint8))
    assert np.isnan(found.norms).tolist() == [True, False]
    assert np.isnan(found.rows[0]).all()
    assert isinstance(found, UnitRows)
