"""OpenVINO against the reference, and what it makes of bad input."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mobisearch import DecodeSettings, Embedder
from mobisearch.errors import (
    PrecisionUnavailableError,
    RuntimeUnavailableError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from mobisearch.models import DEFAULT_MODEL, ModelSpec, find_model
from mobisearch.runtimes import compiled_cache, openvino_runtime, quantised
from mobisearch.runtimes.openvino_library import import_openvino
from mobisearch.runtimes.openvino_runtime import OpenVinoRuntime, native_precisions
from mobisearch.runtimes.torch_runtime import TorchRuntime
from mobisearch.types import Pixels

pytest.importorskip("openvino", reason="OpenVINO has no wheel for this system")

SPEC = find_model(DEFAULT_MODEL)
UNIT_TOLERANCE = 1e-5
"""What f32 promises for unit rows; measured: 3e-7."""

LEAST_COSINE = {"bf16": 0.97, "int8": 0.9}
"""Of real photos to the reference. The lowest of 22 were 0.989 and 0.964."""


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


def test_every_architecture_gives_the_references_rows(
    random_spec: ModelSpec, noise: Pixels, empty_cache: Path
) -> None:
    rows = OpenVinoRuntime(random_spec, precision="f32").extract(noise)
    assert rows.shape == (5, random_spec.dim)
    assert rows.dtype == np.float32
    reference = TorchRuntime(random_spec, device="cpu").extract(noise)
    assert np.abs(unit(rows) - unit(reference)).max() < UNIT_TOLERANCE


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_other_precisions_stay_close_to_the_reference(precision: str, shipped_photos: Path) -> None:
    if precision == "bf16" and "bf16" not in native_precisions(import_openvino().Core()):
        pytest.skip("this processor does not compute in bf16")
    runtime = OpenVinoRuntime(SPEC, precision=precision)
    assert runtime.precision == precision
    embedder = Embedder(settings=DecodeSettings(exact=True))
    photos = np.stack([embedder.prepare(path).pixels for path in shipped_photos.glob("*.jpg")])
    rows, reference = unit(runtime.extract(photos)), unit(TorchRuntime(SPEC).extract(photos))
    cosines = (rows * reference).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE[precision]
    assert cosines.max() < 1 - 1e-6  # it was another precision indeed


def test_rows_depend_neither_on_the_batch_nor_on_the_number_of_streams(noise: Pixels) -> None:
    one, three = OpenVinoRuntime(SPEC, n_threads=1), OpenVinoRuntime(SPEC, n_threads=3)
    alone = np.concatenate([one.extract(picture[None]) for picture in noise])
    for rows in (one.extract(noise), three.extract(noise), three.extract(noise[::-1])[::-1]):
        assert np.array_equal(rows, alone)


def test_read_only_and_strided_pixels_are_taken_and_left_unchanged(noise: Pixels) -> None:
    runtime = OpenVinoRuntime(SPEC)
    strided = np.ascontiguousarray(noise[:, :, ::-1])[:, :, ::-1]
    strided.flags.writeable = False
    before = strided.copy()
    assert np.array_equal(runtime.extract(strided), runtime.extract(noise))
    assert np.array_equal(strided, before)


def test_several_threads_get_the_same_rows(noise: Pixels) -> None:
    runtime = OpenVinoRuntime(SPEC)
    expected = runtime.extract(noise)
    results: list[NDArray[np.float32]] = []
    threads = [
        threading.Thread(target=lambda: results.append(runtime.extract(noise))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4
    assert all(np.array_equal(rows, expected) for rows in results)


def test_the_second_start_takes_the_compiled_network(
    empty_cache: Path, noise: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = OpenVinoRuntime(SPEC, precision="f32").extract(noise)
    (blob,) = empty_cache.iterdir()
    assert blob.stat().st_mode & 0o077 == 0

    def never(*_: object) -> None:
        raise AssertionError("the network was built again")

    monkeypatch.setattr(openvino_runtime, "build_graph", never)
    assert np.array_equal(OpenVinoRuntime(SPEC, precision="f32").extract(noise), first)


DAMAGES = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "a flipped bit": lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    "another file": lambda data: b"\x89PNG" + data,
    "a foreign network": lambda data: (
        compiled_cache._MAGIC + __import__("hashlib").sha256(b"no network").digest() + b"no network"
    ),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_cache_is_noticed_and_made_again(
    kind: str, empty_cache: Path, noise: Pixels
) -> None:
    first = OpenVinoRuntime(SPEC, precision="f32").extract(noise)
    (blob,) = empty_cache.iterdir()
    whole = blob.read_bytes()
    blob.write_bytes(DAMAGES[kind](whole))
    assert np.array_equal(OpenVinoRuntime(SPEC, precision="f32").extract(noise), first)
    (mended,) = empty_cache.iterdir()
    assert compiled_cache.read_compiled(mended) is not None


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: Pixels
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "file"))
    assert OpenVinoRuntime(SPEC).extract(noise).shape == (5, 1280)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_cache_that_is_a_link_is_not_used(empty_cache: Path, tmp_path: Path) -> None:
    OpenVinoRuntime(SPEC, precision="f32")
    (blob,) = empty_cache.iterdir()
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    assert compiled_cache.read_compiled(blob) is None


def test_the_cache_keeps_a_limited_number_of_networks(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_cache, "_KEPT", 2)
    for number in range(5):
        compiled_cache.write_compiled(compiled_cache.cache_path({"n": str(number)}), b"network")
    assert len(list(empty_cache.iterdir())) == 2


def test_precisions_that_are_not_to_be_had_are_clear_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PrecisionUnavailableError, match="no quantised form") as caught:
        OpenVinoRuntime(dataclasses.replace(SPEC, quantised=None), precision="int8")
    assert "int8" not in caught.value.available
    monkeypatch.setattr(openvino_runtime, "native_precisions", lambda _: ("f32",))
    with pytest.raises(PrecisionUnavailableError, match="does not compute in it"):
        OpenVinoRuntime(SPEC, precision="bf16")
    assert OpenVinoRuntime(SPEC, precision="auto").precision == "f32"


def test_an_architecture_without_a_plan_is_a_clear_error(empty_cache: Path) -> None:
    with pytest.raises(RuntimeUnavailableError, match="no plan of resnet18; use the runtime torch"):
        OpenVinoRuntime(dataclasses.replace(SPEC, architecture="resnet18"))


def test_a_quantised_file_that_is_not_the_pinned_one_is_refused(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantised, "BUNDLED_DIR", tmp_path)
    with pytest.raises(WeightsNotFoundError):
        OpenVinoRuntime(SPEC, precision="int8")
    assert SPEC.quantised is not None
    (tmp_path / SPEC.quantised.file_name).write_bytes(b"PK something else")
    with pytest.raises(WeightsMismatchError):
        OpenVinoRuntime(SPEC, precision="int8")


def test_weights_of_another_network_are_refused(random_spec: ModelSpec, empty_cache: Path) -> None:
    wrong = "mobilenet_v3_large" if random_spec.architecture == "mobilenet_v2" else "mobilenet_v2"
    with pytest.raises(WeightsMismatchError, match="another network"):
        OpenVinoRuntime(dataclasses.replace(random_spec, architecture=wrong), precision="f32")


def test_importing_openvino_loads_no_converter_and_nothing_that_sends() -> None:
    program = (
        "import sys\n"
        "from mobisearch.runtimes.openvino_library import import_openvino\n"
        "import_openvino().Core()\n"
        "loaded = [name for name in sys.modules if sys.modules[name] is not None]\n"
        "assert not any(n.startswith(('openvino_telemetry', 'openvino.tools')) for n in loaded)\n"
        "assert 'http.client' not in loaded and 'torch' not in loaded\n"
        "import openvino.tools.ovc\n"  # for others it is there as before
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
