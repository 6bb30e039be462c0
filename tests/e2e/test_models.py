"""Models other than the default one, through the real command."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import torchvision

from mobisearch.models import find_model
from tests.e2e.command import DEADLINE_SECONDS, run

SMALL = find_model("mobilenet_v3_small")


@pytest.fixture(scope="module")
def state_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MobileNetV3-Small of random weights, under the name of torchvision's file."""
    torch.manual_seed(0)
    network = torchvision.models.mobilenet_v3_small(weights=None)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():  # statistics of real activations, without which all rows are alike
        network(torch.nn.functional.interpolate(torch.randn(32, 3, 8, 8), (128, 128)))
    path = tmp_path_factory.mktemp("weights") / SMALL.weights.file_name
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def mirror(state_file: Path) -> Iterator[str]:
    """A server that has another file than the pinned one under its name."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay silent."""

    handler = functools.partial(Handler, directory=str(state_file.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(DEADLINE_SECONDS)


def test_an_index_with_weights_of_ones_own_needs_them_only_once(
    state_file: Path, tmp_path: Path, shipped_photos: Path
) -> None:
    sha256 = hashlib.sha256(state_file.read_bytes()).hexdigest()
    where = ("--index", tmp_path / "index")
    cache = str(tmp_path / "cache")
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("cat", "dogs", "alps"):
        (photos / f"{name}.jpg").write_bytes((shipped_photos / f"{name}.jpg").read_bytes())
    model = ("--model", "mobilenet_v3_small@128")
    refused = run("index", photos, *where, *model, "--weights", state_file, MOBISEARCH_CACHE=cache)
    assert refused.returncode == 69
    assert SMALL.weights.sha256 in refused.stderr
    assert sha256 in refused.stderr
    own = ("--weights", state_file, "--trust-weights", sha256)
    done = run("index", photos, *where, *model, *own, MOBISEARCH_CACHE=cache)
    assert done.returncode == 0, done.stderr
    found = run("search", photos / "cat.jpg", *where, "--json", MOBISEARCH_CACHE=cache)
    assert found.returncode == 0, found.stderr
    (best, *_) = json.loads(found.stdout)[0]["matches"]
    assert best["path"].endswith("cat.jpg")
    status = json.loads(run("status", *where, "--json").stdout)
    assert status["model"] == f"{SMALL.name}+{sha256}@128"
    lost = run("search", photos / "cat.jpg", *where, MOBISEARCH_CACHE=str(tmp_path / "empty"))
    assert lost.returncode == 69
    assert sha256 in lost.stderr


def test_a_mirror_with_another_file_is_noticed_and_nothing_is_left(
    mirror: str, tmp_path: Path, shipped_photos: Path
) -> None:
    done = run(
        "index", shipped_photos, "--index", tmp_path / "index", "--model", SMALL.name,
        MOBISEARCH_CACHE=str(tmp_path / "cache"), MOBISEARCH_OFFLINE="",
        MOBISEARCH_WEIGHTS_URL=mirror, no_proxy="127.0.0.1",
    )  # fmt: skip
    assert done.returncode == 69
    assert SMALL.weights.sha256 in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "index").exists()
    left = {path.name for path in (tmp_path / "cache" / "weights").iterdir()}
    assert left <= {f".{SMALL.weights.file_name}.lock"}


def test_offline_says_which_file_goes_where(tmp_path: Path, shipped_photos: Path) -> None:
    cache = tmp_path / "cache"
    done = run(
        "index", shipped_photos, "--index", tmp_path / "index", "--model", SMALL.name, "--offline",
        MOBISEARCH_CACHE=str(cache),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (69, "")
    assert str(cache / "weights" / SMALL.weights.file_name) in done.stderr
    assert SMALL.weights.sha256 in done.stderr
