"""``mobisearch models``, and the options that choose a model and say where its weights are."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch.evaluation import ModelMeasurement
from mobisearch.models import MODELS, ModelSpec, find_model
from mobisearch.types import FetchProgress, RuntimeSettings, WeightsSettings

Command = Callable[..., Any]
SHA256 = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def _empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no weights be here but the bundled ones, whatever other tests or people fetched."""
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "own cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache of torch"))


def test_the_list_has_every_model_with_what_there_is_to_know(command: Command) -> None:
    done = command("models", "--json")
    assert (done.code, done.stderr) == (0, "")
    found = {row["name"]: row for row in done.document["models"]}
    assert list(found) == list(MODELS)
    default = found["mobilenet_v2"]
    assert default["here"]
    assert default["top1"] is None
    assert Path(default["file"]).stat().st_size == default["size_bytes"]
    small = found["mobilenet_v3_small.imagenet1k_v1"]
    assert (small["dim"], small["parameters"], small["here"]) == (576, 2_542_856, False)
    assert small["multiply_adds"] > small["embedding_multiply_adds"] > 54e6
    assert (small["licence"], small["top1"], small["file"]) == ("BSD-3-Clause", 67.668, None)
    assert small["top1_source"].startswith("https://")


def test_the_list_for_people_says_the_same(command: Command) -> None:
    lines = command("models").stdout.splitlines()
    assert lines[0].split() == [
        *("name", "d", "parameters", "multiply-adds", "size", "licence", "top-1", "here")
    ]
    for name in MODELS:
        (line,) = (line for line in lines if line.startswith(f"{name} "))
        assert line.endswith("bundled" if MODELS[name].weights.place == "bundled" else "no")
    assert "75.3 %" in command("models").stdout


def test_variants_are_counted_and_do_not_claim_an_accuracy(command: Command) -> None:
    names = ("mobilenet_v2.imagenet1k_v1@160", "mobilenet_v2x0.5")
    done = command("models", "--json", *(f"--model={name}" for name in names))
    small, narrow = done.document["models"]
    assert (small["resolution"], small["top1"]) == (160, None)
    assert small["parameters"] == 3_504_872
    assert small["multiply_adds"] < 160e6
    assert narrow["parameters"] < 2e6
    assert "untrained" in command("models", f"--model={names[1]}").stdout


def test_listing_loads_no_heavy_library() -> None:
    code = (
        "import sys\nfrom mobisearch.cli.app import cli\n"
        "cli.main(['models', '--json'], standalone_mode=False)\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    document, _, loaded = done.stdout.partition("LOADED")
    assert json.loads(document)["models"]
    assert not set(loaded.split()) & {"torch", "openvino", "faiss", "sqlalchemy", "PIL"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "resnet50"], 69, "choose one of"),
        (["--model", "mobilenet_v2@1000"], 69, "96 to 288"),
        (["--model", "mobilenet_v2x7"], 69, "0.25 to 1.4"),
        (["photos"], 2, "--measure"),
        (["--plot", "a.png"], 2, "--measure"),
        (["--measure", "--plot", "a.png"], 2, "FOLDER"),
        (["--measure", "nowhere"], 66, "nowhere"),
        (["--measure", "--plot", "a.jpg", "photos"], 73, ".png"),
    ],
)
def test_what_makes_no_sense_is_said(
    command: Command, words: list[str], code: int, says: str
) -> None:
    done = command("models", *words)
    assert done.code == code
    assert says in done.stderr
    assert not done.stdout


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was asked for; measuring takes no time and finds two ways."""
    asked: list[dict[str, Any]] = []

    def measure(specs: list[ModelSpec], **named: Any) -> list[ModelMeasurement]:
        asked.append({"specs": [spec.name for spec in specs], **named})
        quality = 0.98 if named["folders"] else None
        one = ModelMeasurement(specs[0].name, "openvino", "bf16", 5.0, 400.0, 32, quality, quality)
        return [one, dataclasses.replace(one, runtime="torch", images_per_second=90.0)]

    monkeypatch.setattr("mobisearch.evaluation.measure_models", measure)
    return asked


def test_measuring_takes_the_models_that_are_here_and_recommends_one(
    command: Command, measured: list[dict[str, Any]], photos: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.png"
    done = command("models", "--measure", photos, "--plot", plot, "--photos", "7")
    assert done.code == 0, done.stderr
    assert measured[0]["specs"] == ["mobilenet_v2", "mobilenet_v2.imagenet1k_v1"]
    assert (list(measured[0]["folders"]), measured[0]["n_photos"]) == ([str(photos)], 7)
    *_, last = done.stdout.splitlines()
    assert last.startswith("recommended: mobilenet_v2 with openvino in bf16: ")
    assert plot.read_bytes().startswith(b"\x89PNG")
    found = command("models", "--measure", photos, "--json").document
    assert found["recommended"]["runtime"] == "openvino"
    assert [row["images_per_second"] for row in found["measured"]] == [400.0, 90.0]


def test_measuring_without_photos_says_what_is_missing(
    command: Command, measured: list[dict[str, Any]]
) -> None:
    done = command("models", "--measure", "--model", "mobilenet_v3_small@160")
    assert measured[0]["specs"] == ["mobilenet_v3_small.imagenet1k_v1@160"]
    assert "name a FOLDER" in done.stdout.splitlines()[-1]


def test_an_index_is_made_with_the_model_that_is_named_and_keeps_to_it(
    command: Command, photos: Path
) -> None:
    assert command("index", photos, "--model", "mobilenet_v3_small@160").code == 1
    status = command("status", "--json").document
    assert (status["model"], status["dim"]) == ("mobilenet_v3_small.imagenet1k_v1@160", 576)
    assert command("index").code == 1
    assert command("search", photos / "a.png").code == 0
    assert command("index", "--model", "mobilenet_v3_small@160").code == 1
    done = command("index", photos, "--model", "mobilenet_v2")
    assert done.code == 69
    assert "must not be mixed" in done.stderr


def test_bench_measures_the_model_that_is_named(command: Command, photos: Path) -> None:
    done = command("bench", photos, "--model", "mobilenet_v2@128", "--json")
    assert done.document["model"] == "mobilenet_v2@128"


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch, command: Command) -> list[tuple[str, WeightsSettings]]:
    """The names and settings with which networks were loaded."""
    import mobisearch.embedding

    load = mobisearch.embedding.load_runtime
    found: list[tuple[str, WeightsSettings]] = []

    def remember(spec: ModelSpec, settings: RuntimeSettings) -> object:
        found.append((spec.name, settings.weights))
        return load(spec, settings)

    monkeypatch.setattr("mobisearch.embedding.load_runtime", remember)
    return found


def test_the_options_about_weights_reach_the_network(
    command: Command, photos: Path, used: list[tuple[str, WeightsSettings]]
) -> None:
    words = ("--weights", "own.pth", "--trust-weights", SHA256, "--offline")
    assert command("index", photos, "--model", "mobilenet_v2@160", *words).code == 1
    assert used[0] == (f"mobilenet_v2+{SHA256}@160", WeightsSettings("own.pth", offline=True))
    assert command("search", photos / "a.png").code == 0
    assert used[-1] == (f"mobilenet_v2+{SHA256}@160", WeightsSettings())
    done = command("index", photos, "--trust-weights", "abc")
    assert done.code == 69
    assert "64 digits" in done.stderr


def test_without_options_the_variables_decide(
    command: Command, photos: Path, used: list[tuple[str, WeightsSettings]]
) -> None:
    command("index", photos)
    assert {settings for _, settings in used} == {WeightsSettings()}
    assert used[0][1].on_progress is not None


def test_a_model_that_cannot_be_fetched_ends_with_69_and_makes_no_index(
    command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobisearch.runtimes import load_runtime

    monkeypatch.setattr("mobisearch.embedding.load_runtime", load_runtime)
    for model, says in (
        ("mobilenet_v3_large", find_model("mobilenet_v3_large").weights.sha256),
        ("mobilenet_v2x0.5", "for training only"),
    ):
        done = command("index", photos, "--model", model)
        assert done.code == 69
        assert says in done.stderr
        assert not Path("indexes").exists()


def test_what_is_fetched_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    from mobisearch.cli.progress import FetchBar

    bar = FetchBar()
    for done in (0, 500, 1000):
        bar(FetchProgress("a.pth", done, 1000))
    bar(FetchProgress("b.pth", 0, None))
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "fetching a.pth (1.0 kB) ...",
        "fetching b.pth (size unknown) ...",
    ]
    assert not captured.out
