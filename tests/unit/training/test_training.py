"""Learning classes from folders: what is learnt, what is left out, and what is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import ReportError, RootUnavailableError, TrainingDataError
from mobisearch.models import read_classifier_file
from mobisearch.training import (
    find_examples,
    save_classifier,
    score_answers,
    train_classifier,
)
from mobisearch.training.head import fit_head
from mobisearch.training.splitting import split_examples, weigh_classes
from tests.conftest import PhotoMaker

N_EACH = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes that anybody tells apart: bright pictures and dark ones."""
    for name, level in (("bright", 180), ("dark", 40)):
        for number in range(N_EACH):
            write_noise(tmp_path / "classes" / name / f"{number}.png", level, number)
    return tmp_path / "classes"


def write_noise(path: Path, level: int, seed: int) -> Path:
    from PIL import Image

    generator = np.random.default_rng((level, seed))
    noise = generator.integers(0, 60, (40, 40, 3)) + level
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise.astype(np.uint8)).save(path)
    return path


def test_classes_that_differ_are_told_apart(folder: Path, fake_embedder: Embedder) -> None:
    trained = train_classifier(folder, fake_embedder, name="light")
    assert trained.classes == ("bright", "dark")
    assert trained.counts == (N_EACH, N_EACH)
    assert trained.learnt + trained.stopping + trained.scores.tested == 2 * N_EACH
    assert trained.scores.accuracy == 1
    assert trained.failures == trained.notes == ()


def test_the_file_of_a_training_does_what_the_training_did(
    folder: Path, fake_embedder: Embedder, tmp_path: Path
) -> None:
    trained = train_classifier(folder, fake_embedder, name="light")
    path = save_classifier(trained, tmp_path / "light.safetensors")
    found = read_classifier_file(path)
    assert found.facts["scores"]["accuracy"] == 1
    new = [write_noise(tmp_path / f"{level}.png", level, 99) for level in (180, 40)]
    embedded, _ = fake_embedder.pool_each(new)
    labels = found.classifier.labels(embedded, 1)
    assert [label[0].category for label in labels] == ["bright", "dark"]


def test_the_same_folder_and_seed_give_the_same_bytes(
    folder: Path, fake_embedder: Embedder
) -> None:
    first = train_classifier(folder, fake_embedder)
    for path in (folder / "dark").iterdir():
        path.rename(path.with_name(f"renamed {path.name}"))
    assert train_classifier(folder, fake_embedder).data == first.data
    assert train_classifier(folder, fake_embedder, seed=1).data != first.data


def test_what_an_index_holds_is_not_embedded_again(
    folder: Path, index: ImageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(folder)
    write_noise(folder / "dark" / "new.png", 40, 500)
    seen: list[int] = []
    pool = Embedder.pool_pixels

    def count(embedder: Embedder, pixels: np.ndarray) -> object:
        seen.append(len(pixels))
        return pool(embedder, pixels)

    expected = train_classifier(folder, index.embedder).data
    monkeypatch.setattr(Embedder, "pool_pixels", count)
    trained = train_classifier(folder, index.embedder, index)
    assert (trained.stored, sum(seen)) == (2 * N_EACH, 1)
    assert trained.data == expected


def test_what_is_no_image_is_left_alone(folder: Path, fake_embedder: Embedder) -> None:
    expected = train_classifier(folder, fake_embedder)
    (folder / "dark" / "notes.txt").write_text("these are dark")
    (folder / "dark" / ".hidden.png").write_bytes(b"hidden")
    (folder / "readme.md").write_text("classes")
    (folder / ".trash" / "x").mkdir(parents=True)
    trained = train_classifier(folder, fake_embedder)
    assert trained.data == expected.data
    assert trained.notes == trained.failures == ()


def test_folders_inside_a_class_are_part_of_it(folder: Path, fake_embedder: Embedder) -> None:
    write_noise(folder / "dark" / "more" / "deep" / "1.png", 40, 300)
    assert train_classifier(folder, fake_embedder).counts == (N_EACH, N_EACH + 1)


def test_images_outside_of_class_folders_and_empty_folders_are_noted(
    folder: Path, fake_embedder: Embedder
) -> None:
    write_noise(folder / "loose.png", 40, 1)
    (folder / "empty").mkdir()
    trained = train_classifier(folder, fake_embedder)
    assert trained.classes == ("bright", "dark")
    assert any("empty: holds no images" in note for note in trained.notes)
    assert any("1 images are in no class folder" in note for note in trained.notes)


def test_files_that_cannot_be_read_are_data(folder: Path, fake_embedder: Embedder) -> None:
    (folder / "dark" / "bad.png").write_bytes(b"no picture")
    trained = train_classifier(folder, fake_embedder)
    assert [Path(failure.path).name for failure in trained.failures] == ["bad.png"]
    assert trained.counts == (N_EACH, N_EACH)


def test_a_class_of_which_nothing_can_be_read_is_none(
    folder: Path, fake_embedder: Embedder
) -> None:
    for number in range(3):
        path = folder / "broken" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no picture %d" % number)
    trained = train_classifier(folder, fake_embedder)
    assert trained.classes == ("bright", "dark")
    assert len(trained.failures) == 3
    assert any(note.startswith("broken: none of its images") for note in trained.notes)


def test_a_class_with_one_image_is_learnt_but_not_tested(
    folder: Path, fake_embedder: Embedder
) -> None:
    write_noise(folder / "grey" / "1.png", 110, 1)
    trained = train_classifier(folder, fake_embedder)
    assert trained.classes == ("bright", "dark", "grey")
    grey = trained.scores.classes[2]
    assert (grey.tested, grey.recall) == (0, None)
    assert any("one image" in note and "grey" in note for note in trained.notes)


def test_identical_files_count_once_and_those_of_two_classes_say_nothing(
    folder: Path, fake_embedder: Embedder
) -> None:
    expected = train_classifier(folder, fake_embedder)
    data = (folder / "dark" / "1.png").read_bytes()
    (folder / "dark" / "copy.png").write_bytes(data)
    assert train_classifier(folder, fake_embedder).data == expected.data
    (folder / "bright" / "copy.png").write_bytes(data)
    trained = train_classifier(folder, fake_embedder)
    assert trained.counts == (N_EACH, N_EACH - 1)
    assert any("several classes (bright, dark)" in note for note in trained.notes)


def test_few_examples_are_enough_to_learn_something(
    tmp_path: Path, fake_embedder: Embedder
) -> None:
    for name, level in (("bright", 180), ("dark", 40)):
        for number in range(2):
            write_noise(tmp_path / name / f"{number}.png", level, number)
    trained = train_classifier(tmp_path, fake_embedder)
    assert (trained.learnt, trained.stopping, trained.scores.tested) == (2, 0, 2)
    assert trained.scores.accuracy == 1


def refuse(folder: Path, embedder: Embedder) -> str:
    with pytest.raises(TrainingDataError) as caught:
        train_classifier(folder, embedder)
    assert caught.value.path == str(folder)
    return str(caught.value)


def test_too_little_to_learn_from_is_refused(tmp_path: Path, fake_embedder: Embedder) -> None:
    assert "two classes or more, found none" in refuse(tmp_path, fake_embedder)
    write_noise(tmp_path / "one" / "1.png", 40, 1)
    assert "found one" in refuse(tmp_path, fake_embedder)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "bad.png").write_bytes(b"no picture")
    assert "bad.png" in refuse(tmp_path, fake_embedder)
    write_noise(tmp_path / "two" / "2.png", 180, 1)
    assert "every class has one image" in refuse(tmp_path, fake_embedder)
    with pytest.raises(RootUnavailableError):
        train_classifier(tmp_path / "nowhere", fake_embedder)


def test_a_training_can_be_stopped(folder: Path, fake_embedder: Embedder) -> None:
    stop = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        train_classifier(folder, fake_embedder, on_progress=lambda _: stop.set(), stop=stop)


def test_a_file_that_is_no_classifier_is_not_replaced(
    folder: Path, fake_embedder: Embedder, tmp_path: Path
) -> None:
    trained = train_classifier(folder, fake_embedder)
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(b"my own")
    for path in (mine, tmp_path / "a.pt"):
        with pytest.raises(ReportError):
            save_classifier(trained, path)
    assert mine.read_bytes() == b"my own"
    save_classifier(trained, tmp_path / "new.safetensors")
    save_classifier(trained, tmp_path / "new.safetensors")
    assert (tmp_path / "new.safetensors").read_bytes() == trained.data


def test_links_are_no_classes(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    assert find_examples(folder).classes == ("bright", "dark")


@pytest.mark.parametrize("counts", [(1, 2, 3), (4, 5, 50), (20, 20), (2, 2)])
def test_a_split_has_every_example_once_and_each_class_in_proportion(
    counts: tuple[int, ...],
) -> None:
    numbers = np.repeat(np.arange(len(counts)), counts)
    split = split_examples(numbers, seed=3)
    parts = (split.training, split.stopping, split.testing)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(numbers)))
    for number, count in enumerate(counts):
        trained, stopping, tested = (int((numbers[part] == number).sum()) for part in parts)
        assert trained >= 1
        assert tested == (max(1, round(0.2 * count)) if count > 1 else 0)
        assert stopping >= (1 if count > 2 else 0)


def test_rare_classes_count_as_much_as_others() -> None:
    numbers = np.array([0] * 90 + [1] * 10)
    weights = weigh_classes(numbers, 2)
    assert weights[0] * 90 == pytest.approx(weights[1] * 10)
    assert weights[numbers].mean() == pytest.approx(1)


def test_a_rare_class_is_still_found(make_photo: PhotoMaker) -> None:
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((2, 32))
    numbers = np.array([0] * 300 + [1] * 12)
    rows = centres[numbers] + 0.8 * generator.standard_normal((312, 32))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    split = split_examples(numbers, seed=0)
    layer = fit_head(rows, numbers, split, 2, seed=0).layer
    answers = (rows[split.testing] @ layer.weight.T + layer.bias).argmax(axis=1)
    scores = score_answers(("often", "rare"), numbers[split.testing], answers)
    assert scores.balanced_accuracy > 0.9


def test_scores_are_counted() -> None:
    wanted, answers = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0])
    scores = score_answers(("a", "b", "c", "d"), wanted, answers)
    assert scores.confusion == ((2, 1, 0, 0), (1, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0))
    assert scores.accuracy == 0.5
    assert [found.recall for found in scores.classes] == [2 / 3, 1 / 2, 0, None]
    assert [found.precision for found in scores.classes] == [2 / 4, 1 / 2, None, None]
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
