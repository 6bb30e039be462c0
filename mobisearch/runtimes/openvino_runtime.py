"""The fast way on a CPU: the network compiled by OpenVINO for the processor at hand."""

from __future__ import annotations

import io
import threading
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobisearch.capacity import count_processors
from mobisearch.errors import PrecisionUnavailableError, RuntimeUnavailableError
from mobisearch.models import ModelSpec
from mobisearch.runtimes.compiled_cache import cache_path, read_compiled, write_compiled
from mobisearch.runtimes.openvino_graph import build_graph
from mobisearch.runtimes.openvino_library import import_openvino
from mobisearch.runtimes.quantised import read_quantised
from mobisearch.types import Pixels, WeightsSettings

_DEVICE = "CPU"
_DEFAULTS = WeightsSettings()
_MAX_STREAMS = 32
"""Beyond that decoding is the limit by far, and each stream takes memory."""

PRECISIONS = ("f32", "bf16", "int8")
_HINTS = {"f32": "f32", "bf16": "bf16", "int8": "f32"}
"""OpenVINO's ``INFERENCE_PRECISION_HINT``. What is not quantised in an int8 network stays f32."""


class OpenVinoRuntime:
    """Runs a model's network in OpenVINO, on the CPU.

    Each picture is a task of its own for one of several streams, one stream a processor. So its row
    does not depend on the pictures beside it nor on the number of processors, and it is as fast as
    any batch: measured with scripts/measure_runtimes.py.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        precision: str = "auto",
        n_threads: int | None = None,
        weights: WeightsSettings = _DEFAULTS,
    ) -> None:
        """Load the network, compiled already if this machine has run it before.

        Args:
            precision: ``f32``, ``bf16``, ``int8``, or ``auto``: bf16 where the processor has it.
            n_threads: processors to use; None takes all that this process may use.
            weights: where weights come from that are not part of the package.

        Raises:
            RuntimeUnavailableError: OpenVINO cannot be loaded, or cannot run this network.
            PrecisionUnavailableError: the processor or the model does not have this precision.
            WeightsNotFoundError, WeightsMismatchError: the weights are missing, or not the pinned
                ones.
            ModelError: another of what ``read_weights`` raises.
        """
        openvino = import_openvino()
        core = openvino.Core()
        self.precision = _choose_precision(core, spec, precision)
        self._dim = spec.dim
        self._lock = threading.Lock()
        n_streams = min(n_threads or count_processors(), _MAX_STREAMS)
        try:
            compiled = _load(
                openvino, core, spec, self.precision, n_streams=n_streams, weights=weights
            )
            self._queue = openvino.AsyncInferQueue(compiled, n_streams + 1)
        except RuntimeError as error:
            raise RuntimeUnavailableError(
                "openvino", f"it cannot run {spec.label} ({_first_line(error)})", "use torch"
            ) from error
        self._queue.set_callback(_keep_row)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """See :meth:`mobisearch.runtimes.Runtime.extract`."""
        rows = np.empty((len(pixels), self._dim), np.float32)
        pictures = np.ascontiguousarray(pixels)
        with self._lock:  # the streams are for one batch at a time
            for number in range(len(pictures)):
                picture = pictures[number : number + 1]
                self._queue.start_async({0: picture}, (rows, number), share_inputs=True)
            self._queue.wait_all()
        return rows


def _keep_row(request: Any, place: tuple[NDArray[np.float32], int]) -> None:
    rows, number = place
    rows[number] = request.get_output_tensor(0).data[0]


def native_precisions(core: Any) -> tuple[str, ...]:
    """Return the precisions in which this processor computes faster than by emulation."""
    abilities = core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    return tuple(name for name in ("f32", "bf16") if name == "f32" or name.upper() in abilities)


def _choose_precision(core: Any, spec: ModelSpec, wanted: str) -> str:
    available = native_precisions(core)
    if wanted == "auto":
        return available[-1]
    if spec.quantised is not None:
        available = (*available, "int8")
    if wanted not in available:
        reason = {
            "bf16": "this processor does not compute in it",
            "int8": f"there is no quantised form of {spec.name}",
        }.get(wanted, "OpenVINO does not have it")
        raise PrecisionUnavailableError(wanted, reason, available)
    return wanted


def _load(
    openvino: ModuleType,
    core: Any,
    spec: ModelSpec,
    precision: str,
    *,
    n_streams: int,
    weights: WeightsSettings,
) -> Any:
    """Return the compiled network: from the cache, or made and put there."""
    options = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "NUM_STREAMS": n_streams,
        "INFERENCE_NUM_THREADS": n_streams,
        "ENABLE_CPU_PINNING": False,  # decoding runs on the same processors
    }
    path = cache_path(
        {
            "fingerprint": spec.fingerprint,
            "quantised": spec.quantised.sha256 if spec.quantised and precision == "int8" else "",
            "openvino": openvino.get_version(),
            "processor": str(core.get_property(_DEVICE, "FULL_DEVICE_NAME")),
            "abilities": ",".join(core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")),
            "options": repr(sorted(options.items())),
        }
    )
    blob = read_compiled(path)
    if blob is not None:
        try:
            return core.import_model(blob, _DEVICE, options)
        except RuntimeError:  # of another build of OpenVINO, in spite of its name
            pass
    if precision == "int8":
        graph = read_quantised(openvino, core, spec)
    else:
        graph = build_graph(openvino, spec, weights)
    compiled = core.compile_model(graph, _DEVICE, options)
    buffer = io.BytesIO()
    compiled.export_model(buffer)
    write_compiled(path, buffer.getvalue())
    return compiled


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
