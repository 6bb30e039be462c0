"""Classify, train, label, find by label: on photographs, through the real command."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mobisearch.evaluation.alterations import ALTERATIONS, alter
from tests.e2e.command import document

MODEL = "mobilenet_v2.imagenet1k_v1"
CLASSES = {
    "mountains": ("alps", "mountain", "trail", "stream"),
    "plants": ("dahlia", "dandelion", "allium", "acanthus"),
    "animals": ("cat", "dogs"),
}
LEAST_RIGHT = 0.75
"""Share of the larger set of photographs whose first label is their name. Measured: 0.83."""

HELD_BACK = {"mountains": "trail", "plants": "dahlia"}
"""Photos of which no altered copy is learnt from."""


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory, shipped_photos: Path) -> Path:
    """Folders of altered copies of some of the photos."""
    folder = tmp_path_factory.mktemp("classes")
    for name, photos in CLASSES.items():
        (folder / name).mkdir()
        for photo in set(photos) - set(HELD_BACK.values()):
            with Image.open(shipped_photos / f"{photo}.jpg") as image:
                picture = image.convert("RGB")
            for number, alteration in enumerate(ALTERATIONS.values()):
                path = folder / name / f"{photo}-{number}.jpg"
                path.write_bytes(alter(picture.copy(), alteration))
    return folder


def test_photos_are_trained_with_labelled_and_found_by_their_label(
    classes: Path, shipped_photos: Path, tmp_path: Path
) -> None:
    output, index = tmp_path / "kinds.safetensors", tmp_path / "index"
    trained = document("train", classes, "--output", output)
    assert set(trained["classes"]) == set(CLASSES)
    assert trained["accuracy"] >= 0.95
    document("index", shipped_photos, "--index", index)
    report = document("label", "--index", index, "--classifier", output)
    assert (report["labelled"], report["reread"]) == (22, 0)
    for name, photo in HELD_BACK.items():
        words = ("search", shipped_photos / f"{photo}.jpg", "--index", index, "-k", "3")
        (result,) = document(*words, "--label", name, "--least", "0.5")
        assert Path(result["matches"][0]["path"]).stem == photo
        known = [Path(match["path"]).stem for match in result["matches"]]
        assert len(set(known) & set(CLASSES[name])) >= 2, known
    (result,) = document(
        *("search", shipped_photos / "alps.jpg", "--index", index, "--label", "ANIMAL"),
        *("--least", "0.9", "-k", "2"),
    )
    assert {Path(match["path"]).stem for match in result["matches"]} == {"cat", "dogs"}


def test_an_index_with_a_classifier_of_its_own_finds_things_by_name(
    shipped_photos: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    document("index", shipped_photos, "--index", index, "--model", MODEL)
    assert document("label", "--index", index)["categories"] == 1000
    for label, photo in (("espresso", "coffee"), ("egyptian", "cat"), ("paintbrush", "brushes")):
        words = ("search", shipped_photos / "fig.jpg", "--index", index)
        (result,) = document(*words, "--label", label, "--least", "0.5")
        assert [Path(match["path"]).stem for match in result["matches"]] == [photo]
    status = document("status", "--index", index)
    assert (status["labelled"], status["classifiers"]) == (22, [MODEL])


def test_the_labels_of_an_index_are_what_classify_says(
    shipped_photos: Path, tmp_path: Path
) -> None:
    index, photo = tmp_path / "index", shipped_photos / "cat.jpg"
    document("index", shipped_photos, "--index", index, "--model", MODEL)
    document("label", "--index", index)
    (said,) = document("classify", photo)
    (result,) = document("search", photo, "--index", index, "-k", "1")
    stored = result["matches"][0]["labels"]
    assert [label["category"] for label in stored] == [x["category"] for x in said["labels"]]
    for label, other in zip(stored, said["labels"], strict=True):
        assert label["probability"] == pytest.approx(other["probability"], abs=0.01)


def test_a_network_that_was_trained_on_photos_makes_an_index_of_its_own(
    classes: Path, shipped_photos: Path, tmp_path: Path
) -> None:
    output, index = tmp_path / "own.safetensors", tmp_path / "index"
    trained = document(
        *("train", classes, "--fine-tune", "--epochs", "1", "--model", "mobilenet_v2@96"),
        *("--output", output, "--plot", tmp_path / "own.png"),
    )
    assert trained["accuracy"] >= 0.9
    assert not list(tmp_path.glob("*.checkpoint"))
    document(
        *("index", shipped_photos, "--index", index, "--model", trained["model"]),
        *("--weights", output),
    )
    report = document("label", "--index", index)
    assert (report["labelled"], report["categories"]) == (22, 3)
    (result,) = document(
        *("search", shipped_photos / "alps.jpg", "--index", index, "--label", "animals"),
        *("--least", "0.8", "-k", "2"),
    )
    assert {Path(match["path"]).stem for match in result["matches"]} == {"cat", "dogs"}


KINDS = {
    "dogs": ("terrier", "hound", "spaniel", "setter", "collie", "poodle"),
    "reptiles": (
        "snake",
        "chameleon",
        "crocodile",
        "alligator",
        "cobra",
        "gecko",
        "mamba",
        "viper",
    ),
}


def test_photos_are_labelled_with_what_is_in_them(shared_photos: Path) -> None:
    """Their files have the names of the things."""
    paths = sorted(shared_photos.glob("*.jpg"))
    results = document("classify", *paths)
    right = [
        path.stem.replace("_", " ").lower() == result["labels"][0]["category"].lower()
        for path, result in zip(paths, results, strict=True)
    ]
    assert sum(right) / len(right) >= LEAST_RIGHT


def test_photos_of_different_things_of_a_kind_are_learnt_as_one_class(
    shared_photos: Path, tmp_path: Path
) -> None:
    for path in shared_photos.glob("*.jpg"):
        words = path.stem.lower().replace("-", "_").split("_")
        for kind, names in KINDS.items():
            if any(word.endswith(names) for word in words):
                folder = tmp_path / "classes" / kind
                folder.mkdir(parents=True, exist_ok=True)
                (folder / path.name).write_bytes(path.read_bytes())
    trained = document("train", tmp_path / "classes", "--output", tmp_path / "a.safetensors")
    assert min(trained["classes"].values()) >= 10
    assert trained["accuracy"] >= 0.8
