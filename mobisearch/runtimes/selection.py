"""Choosing a runtime for a model."""

from __future__ import annotations

import importlib.util
import os
import sys

from mobisearch.errors import PrecisionUnavailableError, UnknownRuntimeError
from mobisearch.models import ModelSpec
from mobisearch.models.backbones import BACKBONES
from mobisearch.models.weights import read_given
from mobisearch.runtimes.protocol import Runtime
from mobisearch.types import RuntimeSettings
from mobisearch.types.settings import PRECISIONS, RUNTIMES

LEAST_COSINES = {"f32": 0.9999, "bf16": 0.99, "int8": 0.95}
"""Between the probe as a runtime embeds it in a precision and as the reference does: sound ones
stay above, broken ones fall below. Measured: 1.0000, 0.998 and 0.991."""

_TORCH_PRECISIONS = ("f32", "int8")
_DEFAULTS = RuntimeSettings()
_GPU_DEVICES = ("/dev/nvidiactl", "/dev/dxg")


def load_runtime(spec: ModelSpec, settings: RuntimeSettings = _DEFAULTS) -> Runtime:
    """Load the model's network.

    OpenVINO takes about 0.1 seconds, and some more the first time on a machine; torch takes
    seconds, because it is imported here.

    Raises:
        UnknownRuntimeError: there is no runtime, or no precision, of that name.
        RuntimeUnavailableError, PrecisionUnavailableError: what was asked for is not to be had
            here. With ``"auto"`` another one is taken instead.
        WeightsNotFoundError, WeightsMismatchError: the weights are missing, or not the pinned ones.
        ModelError: another of what ``read_weights`` raises.
    """
    check_settings(settings)
    if settings.weights.path is not None:
        read_given(spec, settings.weights)  # also where a compiled network makes it unnecessary
    if _chooses_openvino(spec, settings):
        from mobisearch.runtimes.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(
            spec,
            precision=settings.precision,
            n_threads=settings.n_threads,
            weights=settings.weights,
        )
    if settings.precision not in ("auto", *_TORCH_PRECISIONS):
        reason = "the runtime torch does not compute in it"
        raise PrecisionUnavailableError(settings.precision, reason, _TORCH_PRECISIONS)
    device, n_threads, weights = settings.device, settings.n_threads, settings.weights
    if settings.precision == "int8":
        from mobisearch.runtimes.torch_int8 import TorchInt8Runtime

        return TorchInt8Runtime(spec, device=device, n_threads=n_threads, weights=weights)
    from mobisearch.runtimes.torch_runtime import TorchRuntime

    return TorchRuntime(spec, device=device, n_threads=n_threads, weights=weights)


def check_settings(settings: RuntimeSettings) -> None:
    """Raise UnknownRuntimeError unless both names are known. Loads nothing."""
    if settings.runtime not in RUNTIMES:
        raise UnknownRuntimeError("runtime", settings.runtime, RUNTIMES)
    if settings.precision not in PRECISIONS:
        raise UnknownRuntimeError("precision", settings.precision, PRECISIONS)


def _chooses_openvino(spec: ModelSpec, settings: RuntimeSettings) -> bool:
    if settings.runtime != "auto":
        return settings.runtime == "openvino"
    if settings.device is not None or spec.architecture not in BACKBONES:
        return False
    if settings.precision in ("auto", "f32") and _has_cuda():
        return False
    return importlib.util.find_spec("openvino") is not None


def _has_cuda() -> bool:
    """Say whether torch finds a CUDA device; it is imported only where there may be one."""
    if sys.platform != "win32" and not any(map(os.path.exists, _GPU_DEVICES)):
        return False
    if sys.platform == "win32" and not os.path.exists(
        os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvcuda.dll")
    ):
        return False
    import torch

    return bool(torch.cuda.is_available())
