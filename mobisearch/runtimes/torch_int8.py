"""MobileNetV2 in 8-bit integers, by torch itself, on the CPU."""

from __future__ import annotations

import json
import threading

import numpy as np
import torch
from numpy.typing import NDArray

from mobisearch.errors import PrecisionUnavailableError, RuntimeUnavailableError
from mobisearch.models import ModelSpec
from mobisearch.models.weights import BUNDLED_DIR, read_pinned
from mobisearch.types import Pixels, WeightsSettings

_DEFAULTS = WeightsSettings()
_ENGINE = "x86"


class TorchInt8Runtime:
    """Runs a model's network in torch's own 8-bit integers, with ranges that were measured before.

    Weights are rounded when it is loaded; the average over all places is in float32.
    """

    precision = "int8"

    def __init__(
        self,
        spec: ModelSpec,
        *,
        device: str | None = None,
        n_threads: int | None = None,
        weights: WeightsSettings = _DEFAULTS,
    ) -> None:
        """Load the network.

        Args:
            device: ``"cpu"`` or None.
            n_threads: processors that torch may use, in the whole process; None leaves it alone.
            weights: where weights come from that are not part of the package.

        Raises:
            PrecisionUnavailableError: no ranges of this model are known.
            RuntimeUnavailableError: this torch, or this device, does not compute in int8.
            WeightsNotFoundError, WeightsMismatchError: a file is missing, or not the pinned one.
        """
        if spec.ranges is None:
            reason = f"there is no quantised form of {spec.name}"
            raise PrecisionUnavailableError("int8", reason, ("f32",))
        if device not in (None, "cpu"):
            raise RuntimeUnavailableError(
                "torch", f"it computes in int8 on a CPU only, not on {device!r}", "use f32 there"
            )
        if _ENGINE not in torch.backends.quantized.supported_engines:
            raise RuntimeUnavailableError(
                "torch", "this build of it does not compute in int8", "use the precision f32"
            )
        try:
            from mobisearch.models.quantisable import build_quantisable, quantise
        except ImportError as error:  # torch has announced that it will let go of it
            reason = f"this version of it does not compute in int8 ({error})"
            raise RuntimeUnavailableError("torch", reason, "use the precision f32") from error
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        torch.backends.quantized.engine = _ENGINE
        ranges = json.loads(read_pinned(BUNDLED_DIR / spec.ranges.file_name, spec.ranges.sha256))
        self._network = quantise(build_quantisable(spec, weights), ranges)
        self._lock = threading.Lock()
        shape = (1, 3, 1, 1)
        self._mean = torch.tensor(spec.preprocessing.mean).view(shape)
        self._std = torch.tensor(spec.preprocessing.std).view(shape)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """See :meth:`mobisearch.runtimes.Runtime.extract`."""
        if len(pixels) == 1:  # which some processors compute in another way than several
            return self.extract(np.repeat(pixels, 2, axis=0))[:1]
        with torch.inference_mode(), self._lock:
            batch = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2)  # (n, 3, h, w)
            normalised = batch.float().div_(255).sub_(self._mean).div_(self._std)
            pooled: NDArray[np.float32] = self._network(normalised).numpy()
        return pooled
