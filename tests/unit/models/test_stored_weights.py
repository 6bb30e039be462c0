"""From a file as torch saves it to what the runtimes read, and what is kept of that."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torchvision

from mobisearch.errors import (
    WeightsAbsentError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from mobisearch.models import ModelSpec, find_model, find_weights, read_weights
from mobisearch.runtimes import load_runtime
from mobisearch.types import RuntimeSettings, WeightsSettings

OFFLINE = WeightsSettings(offline=True)


@pytest.fixture(scope="module")
def state_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MobileNetV3-Small at random, as torch saves it."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("state") / "mobilenet_v3_small-00000000.pth"
    torch.save(torchvision.models.mobilenet_v3_small(weights=None).state_dict(), path)
    return path


def pinned_to(path: Path, **changes: Any) -> ModelSpec:
    """Return a record whose weights are those in a file."""
    spec = find_model("mobilenet_v3_small")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    weights = dataclasses.replace(
        spec.weights, file_name=path.name, sha256=sha256, **{"url": path.as_uri(), **changes}
    )
    return dataclasses.replace(spec, weights=weights)


@pytest.fixture
def spec(state_file: Path) -> ModelSpec:
    return pinned_to(state_file)


def made_in(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.safetensors"))


def test_what_is_fetched_is_turned_into_safetensors_with_its_classifier_and_kept(
    cache: Path, spec: ModelSpec, state_file: Path
) -> None:
    data = read_weights(spec)
    expected = torch.load(state_file, weights_only=True)
    tensors = safetensors.torch.load(data)
    assert list(expected) == sorted(expected, key=list(expected).index)
    assert set(tensors) == set(expected)
    assert all(torch.equal(tensors[name], value) for name, value in expected.items())
    assert "classifier.3.weight" in tensors
    (made,) = made_in(cache)
    assert made.read_bytes() == data
    own = hashlib.sha256(data).hexdigest()
    assert made.name == f"{spec.weights.sha256}.{own}.safetensors"
    assert made.stat().st_mode & 0o077 == 0


def test_a_conversion_gives_the_same_bytes_each_time(cache: Path, spec: ModelSpec) -> None:
    first = read_weights(spec)
    for path in made_in(cache):
        path.unlink()
    assert read_weights(spec, settings=OFFLINE) == first  # from the file as it came


def test_later_starts_read_what_was_made_and_nothing_else(cache: Path, spec: ModelSpec) -> None:
    first = read_weights(spec)
    (cache / spec.weights.file_name).unlink()
    assert read_weights(spec, settings=OFFLINE) == first


def test_later_starts_need_no_torch(cache: Path, spec: ModelSpec, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO has no wheel for this system")
    read_weights(spec)
    code = (
        "import dataclasses, sys\n"
        "from mobisearch import Embedder, RuntimeSettings\n"
        "from mobisearch.models import find_model\n"
        "spec = find_model('mobilenet_v3_small')\n"
        f"weights = dataclasses.replace(spec.weights, sha256={spec.weights.sha256!r})\n"
        "spec = dataclasses.replace(spec, weights=weights)\n"
        "Embedder(spec, runtime=RuntimeSettings('openvino')).load()\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {**os.environ, "MOBISEARCH_OFFLINE": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "one bit flipped": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x01"),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
    "another of ours": lambda path: path.write_bytes(safetensors.torch.save({})),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_in_the_cache_is_made_again(
    cache: Path, spec: ModelSpec, damage: str
) -> None:
    whole = read_weights(spec)
    (made,) = made_in(cache)
    DAMAGE[damage](made)
    assert read_weights(spec, settings=OFFLINE) == whole
    assert made.read_bytes() == whole


@pytest.mark.parametrize("damage", DAMAGE)
def test_where_both_files_are_damaged_it_is_fetched_again(
    cache: Path, spec: ModelSpec, damage: str
) -> None:
    whole = read_weights(spec)
    for path in cache.iterdir():
        DAMAGE[damage](path)
    with pytest.raises(WeightsAbsentError, match="another SHA-256"):
        read_weights(spec, settings=OFFLINE)
    assert read_weights(spec) == whole


def test_a_link_in_the_cache_is_not_followed(cache: Path, spec: ModelSpec, tmp_path: Path) -> None:
    whole = read_weights(spec)
    (made,) = made_in(cache)
    elsewhere = tmp_path / "elsewhere"
    made.rename(elsewhere)
    made.symlink_to(elsewhere)
    assert read_weights(spec) == whole
    assert not made.is_symlink()
    assert elsewhere.exists()


def test_a_cache_that_cannot_be_written_does_no_harm_to_a_file_that_is_given(
    cache: Path, spec: ModelSpec, state_file: Path
) -> None:
    cache.parent.write_bytes(b"in the way")
    data = read_weights(spec, settings=WeightsSettings(path=str(state_file)))
    assert set(safetensors.torch.load(data))


def test_what_torch_has_fetched_before_is_taken_from_there_and_left_there(
    cache: Path,
    spec: ModelSpec,
    state_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert find_weights(spec) is None
    (folder / state_file.name).write_bytes(state_file.read_bytes())
    assert find_weights(spec) == folder / state_file.name
    read_weights(spec, settings=OFFLINE)
    assert find_weights(spec) == made_in(cache)[0]
    assert (folder / state_file.name).exists()


def test_a_wrong_file_of_that_name_in_torchs_cache_is_passed_over(
    cache: Path, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (folder / spec.weights.file_name).write_bytes(b"something else")
    with pytest.raises(WeightsAbsentError):
        read_weights(spec, settings=OFFLINE)


# ---------------------------------------------------------------- files that the user gives


def test_a_file_that_is_given_comes_first_and_is_kept_for_later(
    cache: Path, spec: ModelSpec, state_file: Path
) -> None:
    given = dataclasses.replace(OFFLINE, path=str(state_file))
    data = read_weights(spec, settings=given)
    assert read_weights(spec, settings=OFFLINE) == data


def test_a_file_that_is_not_the_pinned_one_is_refused_with_both_hashes(
    cache: Path, state_file: Path
) -> None:
    spec = find_model("mobilenet_v3_small")
    with pytest.raises(WeightsMismatchError) as caught:
        read_weights(spec, settings=WeightsSettings(path=str(state_file)))
    assert caught.value.expected == spec.weights.sha256
    assert caught.value.actual == hashlib.sha256(state_file.read_bytes()).hexdigest()
    assert "--trust-weights" in str(caught.value)
    assert not cache.exists()


def test_a_file_that_is_trusted_by_its_hash_makes_a_model_of_its_own(
    cache: Path, state_file: Path
) -> None:
    sha256 = hashlib.sha256(state_file.read_bytes()).hexdigest()
    base = find_model("mobilenet_v3_small")
    spec = find_model(f"{base.name}+{sha256}@128")
    assert spec.fingerprint != base.at_resolution(128).fingerprint
    with pytest.raises(WeightsAbsentError, match="of your own"):
        read_weights(spec)
    data = read_weights(spec, settings=WeightsSettings(path=str(state_file)))
    assert read_weights(find_model(spec.name)) == data  # by its name alone from now on


def test_safetensors_may_be_given_too(cache: Path, state_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    safetensors.torch.save_file(torch.load(state_file, weights_only=True), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = find_model(f"mobilenet_v3_small+{sha256}")
    data = read_weights(spec, settings=WeightsSettings(path=str(path)))
    assert data == path.read_bytes() == read_weights(spec)


@pytest.mark.parametrize("what", ["missing", "folder", "fifo"])
def test_what_is_given_must_be_a_file(
    cache: Path, tmp_path: Path, what: str, spec: ModelSpec
) -> None:
    path = tmp_path / "given"
    if what == "folder":
        path.mkdir()
    if what == "fifo":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no FIFOs")
        os.mkfifo(path)
    with pytest.raises((WeightsNotFoundError, WeightsMismatchError)) as caught:
        read_weights(spec, settings=WeightsSettings(path=str(path)))
    assert str(path) in str(caught.value)


def test_a_given_file_of_any_size_is_not_read_into_memory(
    cache: Path, tmp_path: Path, spec: ModelSpec
) -> None:
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(WeightsMismatchError, match="too large"):
        read_weights(spec, settings=WeightsSettings(path=str(path)))


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_a_given_file_is_checked_also_where_the_network_is_compiled_already(
    cache: Path, spec: ModelSpec, state_file: Path, tmp_path: Path, runtime: str
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO has no wheel for this system")
    load_runtime(spec, RuntimeSettings(runtime))
    other = tmp_path / "other.pth"
    other.write_bytes(state_file.read_bytes() + b"\0")
    with pytest.raises(WeightsMismatchError):
        load_runtime(spec, RuntimeSettings(runtime, weights=WeightsSettings(path=str(other))))


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return os.system, (f'echo executed > "{self.marker}"',)


def _save_deep(path: Path) -> None:
    torch.save({"a": [torch.zeros(1)]}, path)


CONTENTS: dict[str, Callable[[Path], object]] = {
    "a picture": lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" * 100),
    "empty": lambda path: path.write_bytes(b""),
    "malicious": lambda path: torch.save({"a": Malicious(path.parent / "marker")}, path),
    "no dict": lambda path: torch.save(torch.zeros(2), path),
    "an empty dict": lambda path: torch.save({}, path),
    "deeper": _save_deep,
    "numbers as names": lambda path: torch.save({1: torch.zeros(1)}, path),
    "half": lambda path: (
        torch.save({"a": torch.zeros(1000)}, path),
        path.write_bytes(path.read_bytes()[:2000]),
    ),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_trusted_file_that_holds_no_tensors_is_refused_and_nothing_of_it_executed(
    cache: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "weights.pth"
    CONTENTS[kind](path)
    spec = find_model(f"mobilenet_v2+{hashlib.sha256(path.read_bytes()).hexdigest()}")
    with pytest.raises(WeightsMismatchError, match="neither safetensors nor a state dict"):
        read_weights(spec, settings=WeightsSettings(path=str(path)))
    assert not (tmp_path / "marker").exists()
    assert not made_in(cache)


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_a_trusted_file_of_another_network_is_refused(
    cache: Path, state_file: Path, runtime: str
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO has no wheel for this system")
    sha256 = hashlib.sha256(state_file.read_bytes()).hexdigest()
    settings = RuntimeSettings(runtime, weights=WeightsSettings(path=str(state_file)))
    for name in (f"mobilenet_v2+{sha256}", f"mobilenet_v3_large+{sha256}"):
        with pytest.raises(WeightsMismatchError, match="of another network"):
            load_runtime(find_model(name), settings)


def test_nothing_is_fetched_for_what_is_bundled_or_by_importing(
    cache: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBISEARCH_WEIGHTS_URL", server.address)
    read_weights(find_model("mobilenet_v2"))
    read_weights(find_model("mobilenet_v2@160"))
    code = (
        "import sys, mobisearch\nfrom mobisearch import Embedder\nfrom mobisearch.models import "
        "find_model, read_weights\nread_weights(find_model('mobilenet_v2'))\n"
        "unwanted = {'urllib.request', 'filelock', 'mobisearch.models.downloads'}\n"
        "assert not unwanted & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert not server.requests
    assert not cache.exists()
