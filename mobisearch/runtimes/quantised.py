"""Networks that were quantised beforehand: OpenVINO's own format, beside the weights."""

from __future__ import annotations

import io
import zipfile
from types import ModuleType
from typing import Any

import numpy as np

from mobisearch.models import ModelSpec
from mobisearch.models.weights import BUNDLED_DIR, read_pinned


def read_quantised(openvino: ModuleType, core: Any, spec: ModelSpec) -> Any:
    """Return the model's network in int8, as an ``openvino.Model``.

    Raises:
        WeightsNotFoundError, WeightsMismatchError: the file is missing, or not the pinned one.
    """
    assert spec.quantised is not None
    data = read_pinned(BUNDLED_DIR / spec.quantised.file_name, spec.quantised.sha256)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        graph, weights = archive.read("network.xml"), archive.read("network.bin")
    return core.read_model(graph, openvino.Tensor(np.frombuffer(weights, np.uint8)))
