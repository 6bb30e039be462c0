"""How far fine-tuning has come, in a file beside its output: tensors and JSON, no pickle."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from mobisearch.outputs import OutputKind, begins_with, check_output_path, save_output

_MARK = "mobisearch_checkpoint"
_NETWORK, _BEST, _MOMENTS = "network.", "best.", "moments."
CHECKPOINT_KIND = OutputKind("training checkpoint", begins_with(f'"{_MARK}"'))


@dataclass(slots=True)
class Checkpoint:
    """A state from which training goes on.

    Attributes:
        identity: of the examples, the settings and the network: only the same training goes on.
        epoch: how many are done.
        network: its tensors, and ``best`` those of the best epoch so far.
        moments: what the optimiser remembers, ``NUMBER.NAME``.
        best_loss, best_epoch: of the best epoch so far.
    """

    identity: str
    epoch: int
    network: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    moments: Mapping[str, Tensor] = field(default_factory=dict)
    best_loss: float = float("inf")
    best_epoch: int = 0


def checkpoint_path(output: Path) -> Path:
    """Return where the checkpoint for an output is."""
    return output.with_name(f"{output.name}.checkpoint")


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint in place of the one before, whole or not at all.

    Raises:
        ReportError: something else is there, or it cannot be written.
    """
    check_output_path(path, CHECKPOINT_KIND)
    parts = ((_NETWORK, state.network), (_BEST, state.best), (_MOMENTS, state.moments))
    tensors = {
        prefix + name: tensor.detach().cpu().clone().contiguous()
        for prefix, named in parts
        for name, tensor in named.items()
    }
    facts = {
        "identity": state.identity,
        "epoch": state.epoch,
        "best_loss": state.best_loss,
        "best_epoch": state.best_epoch,
    }
    data = safetensors.torch.save(tensors, {_MARK: json.dumps(facts)})
    save_output(lambda file: file.write(data), path, CHECKPOINT_KIND)


def read_checkpoint(path: Path, identity: str) -> Checkpoint | None:
    """Return the checkpoint of this very training, or None: of another or a torn one too."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})[_MARK])
            if facts["identity"] != identity:
                return None
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError):
        return None
    named = {
        prefix: {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        for prefix in (_NETWORK, _BEST, _MOMENTS)
    }
    return Checkpoint(
        identity,
        int(facts["epoch"]),
        named[_NETWORK],
        named[_BEST],
        named[_MOMENTS],
        float(facts["best_loss"]),
        int(facts["best_epoch"]),
    )


def drop_checkpoint(path: Path) -> None:
    """Remove a checkpoint that is done with."""
    with contextlib.suppress(OSError):
        path.unlink()


def read_moments(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return what an optimiser remembers, by the number of the parameter and the name."""
    state: Mapping[int, Mapping[str, Any]] = optimiser.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in state.items()
        for name, value in values.items()
    }


def put_moments(optimiser: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    """Let an optimiser remember what ``read_moments`` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
