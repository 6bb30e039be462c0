"""Classifier files: what training wrote is what is read, and nothing else is."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mobisearch.errors import ClassifierFileError, ClassifierMismatchError, NoClassifierError
from mobisearch.models import LinearLayer, find_model, read_classifier, read_classifier_file
from mobisearch.models.classifier_files import MARK, classifier_bytes, imagenet_categories
from mobisearch.runtimes import FAKE_MODEL
from mobisearch.types import UnitRows

LAYER = LinearLayer(
    np.arange(128, dtype=np.float32).reshape(2, 64) / 100, np.array([0.5, -0.5], np.float32)
)
DATA = classifier_bytes(FAKE_MODEL, LAYER, {"classes": ["cats", "dogs"], "seed": 7}, name="pets")


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "pets.safetensors"
    path.write_bytes(DATA)
    found = read_classifier_file(path)
    assert found.classifier.categories == ("cats", "dogs")
    assert (found.classifier.name, found.classifier.model) == ("pets", "fake")
    assert found.classifier.fingerprint == FAKE_MODEL.fingerprint
    assert not found.classifier.needs_norms
    assert found.facts["seed"] == 7
    rows = np.full((1, 64), 1 / 8, np.float32)
    logits = found.classifier.logits(UnitRows(rows, np.array([np.nan])))
    assert logits == pytest.approx(rows @ LAYER.weight.T + LAYER.bias)


def test_the_same_classifier_gives_the_same_bytes() -> None:
    again = classifier_bytes(
        FAKE_MODEL, LAYER, {"seed": 7, "classes": ["cats", "dogs"]}, name="pets"
    )
    assert again == DATA


def changed(**values: object) -> bytes:
    facts = json.loads(safetensors_metadata(DATA)[MARK]) | values
    tensors = {"weight": LAYER.weight, "bias": LAYER.bias}
    return safetensors.numpy.save(tensors, {MARK: json.dumps(facts)})


def safetensors_metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    found: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return found


FOREIGN = {
    "nothing": b"",
    "a text": b"these are no weights at all",
    "a pickle": pickle.dumps({"weight": [1]}),
    "other safetensors": safetensors.numpy.save({"weight": LAYER.weight}),
    "cut short": DATA[:-10],
    "cut in the head": DATA[:40],
    "a newer version": changed(version=2),
    "too many classes": changed(classes=["a", "b", "c"]),
    "classes that are numbers": changed(classes=[1, 2]),
    "no name": changed(name=None),
    "of something else": changed(takes="pixels"),
    "a shape that does not fit": safetensors.numpy.save(
        {"weight": LAYER.weight, "bias": np.zeros(3, np.float32)}, safetensors_metadata(DATA)
    ),
    "not finite": safetensors.numpy.save(
        {"weight": LAYER.weight * np.float32("nan"), "bias": LAYER.bias},
        safetensors_metadata(DATA),
    ),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_sound_classifier_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes(data)
    with pytest.raises(ClassifierFileError, match="mobisearch train") as caught:
        read_classifier_file(path)
    assert caught.value.path == str(path)


def test_a_file_that_is_not_there_or_a_folder_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(ClassifierFileError, match="no such file"):
            read_classifier_file(path)


def test_a_classifier_is_for_one_model_only(tmp_path: Path) -> None:
    path = tmp_path / "pets.safetensors"
    path.write_bytes(DATA)
    classifier = read_classifier_file(path).classifier
    classifier.check_model(FAKE_MODEL)
    with pytest.raises(ClassifierMismatchError, match="mobilenet_v2"):
        classifier.check_model(find_model("mobilenet_v2"))


def test_weights_without_a_classifier_say_what_to_do() -> None:
    with pytest.raises(NoClassifierError) as caught:
        read_classifier(find_model("mobilenet_v2"))
    assert caught.value.name == "mobilenet_v2"


def test_there_are_a_thousand_categories_and_each_has_a_name() -> None:
    names = imagenet_categories()
    assert len(names) == 1000
    assert all(name.strip() == name for name in names)
    assert (names[281], names[285], names[970]) == ("tabby", "Egyptian cat", "alp")
