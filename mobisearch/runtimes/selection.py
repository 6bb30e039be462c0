"""Choosing a runtime for a model."""

from __future__ import annotations

from mobisearch.models import ModelSpec
from mobisearch.runtimes.protocol import Runtime


def load_runtime(spec: ModelSpec) -> Runtime:
    """Load the model's network, on a CUDA device where torch finds one, else on the CPU.

    Takes seconds the first time in a process, because torch is imported here.

    Raises:
        ModelError: the weights are missing or not the pinned ones.
    """
    from mobisearch.runtimes.torch_runtime import TorchRuntime

    return TorchRuntime(spec)
