"""Weights as torch saves them, made into safetensors: read as tensors only, nothing is executed."""

from __future__ import annotations

import io
import pickle
import zipfile

import safetensors.torch
import torch

_ERRORS = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    OverflowError,
    MemoryError,
)
"""What ``torch.load`` and ``safetensors`` raise for bytes that are no state dict."""


def convert_state_dict(data: bytes) -> bytes:
    """Return the tensors of a state dict, under their names, as safetensors.

    The same bytes give the same bytes.

    Args:
        data: what ``torch.save`` wrote, of a known SHA-256.

    Raises:
        ValueError: it is not a dict of tensors; the message says why.
    """
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or not state:
            raise ValueError("no dict of tensors is in it")
        for name, tensor in state.items():
            if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
                raise ValueError(f"{name!r} in it is no tensor")
        # Copies, since tensors that share memory cannot be written.
        copies = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
        return safetensors.torch.save(copies)
    except _ERRORS as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(lines[0]) from error
