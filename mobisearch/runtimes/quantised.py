"""Networks that were quantised beforehand: OpenVINO's own format, beside the weights."""

from __future__ import annotations

import hashlib
import io
import zipfile
from types import ModuleType
from typing import Any

import numpy as np

from mobisearch.errors import WeightsMismatchError, WeightsNotFoundError
from mobisearch.models import ModelSpec
from mobisearch.models.weights import BUNDLED_DIR


def read_quantised(openvino: ModuleType, core: Any, spec: ModelSpec) -> Any:
    """Return the model's network in int8, as an ``openvino.Model``.

    Raises:
        WeightsNotFoundError, WeightsMismatchError: the file is missing, or not the pinned one.
    """
    assert spec.quantised is not None
    path = BUNDLED_DIR / spec.quantised.file_name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsNotFoundError(str(path)) from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != spec.quantised.sha256:
        raise WeightsMismatchError(str(path), expected=spec.quantised.sha256, actual=actual)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        graph, weights = archive.read("network.xml"), archive.read("network.bin")
    return core.read_model(graph, openvino.Tensor(np.frombuffer(weights, np.uint8)))
