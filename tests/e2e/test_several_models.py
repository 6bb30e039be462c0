"""A second model beside the first, through the real command, on photographs."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.command import COMMAND, DEADLINE_SECONDS, document, run

OLD, NEW = "mobilenet_v2", "mobilenet_v2@128"


@pytest.fixture
def where(tmp_path: Path, shipped_photos: Path) -> tuple[str, str]:
    """The option that names an index of the shipped photos."""
    where = ("--index", str(tmp_path / "index"))
    assert run("index", shipped_photos, *where).returncode == 0
    return where


def scores(where: tuple[str, str], photo: Path, *more: str) -> list[float]:
    (found,) = document("search", photo, *where, *more)
    return [match["score"] for match in found["matches"]]


def test_an_index_is_brought_from_one_model_to_another_and_back(
    where: tuple[str, str], shipped_photos: Path
) -> None:
    cat = shipped_photos / "cat.jpg"
    n_photos = len(list(shipped_photos.glob("*.jpg")))
    before = scores(where, cat)
    refused = run("search", cat, *where, "--model", NEW)
    assert refused.returncode == 69
    assert "mobisearch model add" in refused.stderr
    added = document("model", "add", NEW, *where)
    assert (added["embedded"], added["left"], added["failures"]) == (n_photos, 0, [])
    assert scores(where, cat) == before
    by_new = scores(where, cat, "--model", NEW)
    assert by_new[0] == pytest.approx(1, abs=1e-4)
    assert by_new[1:] != before[1:]
    assert run("model", "drop", OLD, *where).returncode == 69
    assert document("model", "use", NEW, *where)["in_use"]
    assert scores(where, cat) == by_new
    assert scores(where, cat, "--model", OLD) == before
    assert run("verify", *where).returncode == 0
    assert document("index", shipped_photos, *where)["unchanged"] == n_photos
    assert [model["name"] for model in document("model", "list", *where)["models"]] == [OLD, NEW]
    assert document("status", *where)["models_beside"] == [OLD]
    document("model", "use", OLD, *where)
    assert scores(where, cat) == before
    assert document("model", "drop", NEW, *where)["embedded"] == n_photos
    assert run("model", "use", NEW, *where).returncode == 69
    listed = run("model", "list", *where).stdout
    assert listed.startswith(f"{OLD}  in use  1280 values  {n_photos} embeddings")
    assert listed.count("\n") == 1


def test_adding_a_model_ends_in_order_when_it_is_interrupted(
    where: tuple[str, str], shipped_photos: Path
) -> None:
    running = subprocess.Popen(
        [COMMAND, "model", "add", NEW, *where], stderr=subprocess.PIPE, text=True
    )
    time.sleep(0.7)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode in (0, 130), told  # it may have been done already
    assert "Traceback" not in told
    assert run("verify", *where).returncode == 0
    assert document("model", "add", NEW, *where)["left"] == 0
    assert document("model", "use", NEW, *where)["lacking"] == 0
