"""Which runtime is chosen, and what is said where it cannot be had."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from mobisearch import Embedder
from mobisearch.errors import (
    PrecisionUnavailableError,
    RuntimeUnavailableError,
    UnknownRuntimeError,
)
from mobisearch.models import DEFAULT_MODEL, find_model
from mobisearch.runtimes import load_runtime, selection
from mobisearch.runtimes.openvino_runtime import OpenVinoRuntime
from mobisearch.runtimes.torch_int8 import TorchInt8Runtime
from mobisearch.runtimes.torch_runtime import TorchRuntime
from mobisearch.types import DecodeSettings, RuntimeSettings

SPEC = find_model(DEFAULT_MODEL)


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system for which OpenVINO has no wheel."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "openvino"]:
        monkeypatch.delitem(sys.modules, name)
    find = selection.importlib.util.find_spec
    monkeypatch.setattr(
        selection.importlib.util,
        "find_spec",
        lambda name, *more: None if name == "openvino" else find(name, *more),
    )
    monkeypatch.setattr(sys, "path", [])


def test_openvino_is_the_default_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_has_cuda", lambda: False)
    assert isinstance(load_runtime(SPEC), OpenVinoRuntime)


def test_torch_is_the_default_where_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_has_cuda", lambda: True)
    assert isinstance(load_runtime(SPEC), TorchRuntime)
    int8 = RuntimeSettings(precision="int8")
    assert isinstance(load_runtime(SPEC, int8), OpenVinoRuntime)  # torch has it on the CPU only


def test_torch_is_the_fallback_where_openvino_is_not_installed(no_openvino: None) -> None:
    assert isinstance(load_runtime(SPEC), TorchRuntime)


def test_asking_for_openvino_where_it_is_not_installed_is_a_clear_error(no_openvino: None) -> None:
    with pytest.raises(RuntimeUnavailableError, match="pip install openvino") as caught:
        load_runtime(SPEC, RuntimeSettings("openvino"))
    assert isinstance(caught.value, ImportError)
    assert caught.value.runtime == "openvino"


def test_torch_is_taken_for_a_network_that_openvino_has_no_plan_of() -> None:
    unknown = dataclasses.replace(SPEC, architecture="resnet18")
    assert not selection._chooses_openvino(unknown, RuntimeSettings())


def test_torch_is_taken_where_a_device_of_its_own_is_named() -> None:
    assert isinstance(load_runtime(SPEC, RuntimeSettings(device="cpu")), TorchRuntime)


@pytest.mark.parametrize(
    ("settings", "what"),
    [(RuntimeSettings("onnx"), "runtime 'onnx'"), (RuntimeSettings(precision="f8"), "'f8'")],
)
def test_unknown_names_are_refused_before_anything_is_loaded(
    settings: RuntimeSettings, what: str
) -> None:
    with pytest.raises(UnknownRuntimeError, match=what) as caught:
        Embedder(runtime=settings)
    assert caught.value.known in (selection.RUNTIMES, selection.PRECISIONS)


def test_torch_does_not_compute_in_bf16_and_says_so() -> None:
    with pytest.raises(PrecisionUnavailableError, match="choose one of: f32, int8"):
        load_runtime(SPEC, RuntimeSettings("torch", "bf16"))


def test_torch_computes_in_int8_where_it_is_asked_to() -> None:
    assert isinstance(load_runtime(SPEC, RuntimeSettings("torch", "int8")), TorchInt8Runtime)


def test_exact_decoding_takes_the_reference_precision_unless_another_is_asked_for() -> None:
    exact = DecodeSettings(exact=True)
    assert Embedder(settings=exact).precision == "f32"
    int8 = RuntimeSettings("openvino", "int8")
    assert Embedder(settings=exact, runtime=int8).precision == "int8"


def test_a_gpu_is_looked_for_without_importing_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection.os.path, "exists", lambda _: False)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert not selection._has_cuda()


@pytest.mark.parametrize(
    ("runtime", "precision"),
    [("openvino", "f32"), ("openvino", "int8"), ("openvino", "auto"), ("torch", "int8")],
)
def test_a_sound_network_has_not_drifted_and_a_broken_one_has(runtime: str, precision: str) -> None:
    embedder = Embedder(runtime=RuntimeSettings(runtime, precision))
    probe = embedder.probe()
    assert embedder.find_drift(probe) is None
    drifted = embedder.find_drift(probe[::-1])
    assert drifted is not None
    assert drifted < selection.LEAST_COSINES[embedder.precision]


def test_the_probe_is_that_of_the_reference_whatever_the_precision() -> None:
    reference = Embedder(runtime=RuntimeSettings("torch", device="cpu")).probe()
    for precision in ("f32", "int8", "auto"):
        probe = Embedder(runtime=RuntimeSettings("openvino", precision)).probe()
        assert abs(probe - reference).max() < 1e-5
