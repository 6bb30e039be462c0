"""The reference: the network in torch, on the CPU or a CUDA device."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mobisearch.errors import RuntimeUnavailableError
from mobisearch.models import ModelSpec
from mobisearch.models.mobilenet import build_network
from mobisearch.types import Pixels, WeightsSettings

_DEFAULTS = WeightsSettings()


class TorchRuntime:
    """Runs a model's network in torch, float32.

    Batch norms are folded into their convolutions and the channels-last layout is used. Both only
    reorder sums: unit rows stay within 1e-5 of the plain network's, which a test holds.
    """

    precision = "f32"

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
            device: such as ``"cpu"`` or ``"cuda"``; None takes CUDA where torch finds it.
            n_threads: processors that torch may use, in the whole process; None leaves it alone.
            weights: where weights come from that are not part of the package.

        Raises:
            WeightsNotFoundError, WeightsMismatchError: the weights are missing, or not the pinned
                ones.
            ModelError: another of what ``read_weights`` raises.
            RuntimeUnavailableError: torch does not have this device.
        """
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        network = _fold_batch_norms(build_network(spec, weights)).requires_grad_(False)
        try:
            self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            network = network.to(self._device)
        except (RuntimeError, AssertionError) as error:  # AssertionError: built without CUDA
            reason = f"it has no device {device!r} ({str(error).splitlines()[0]})"
            raise RuntimeUnavailableError("torch", reason, "use the device 'cpu'") from error
        self._network = network.to(memory_format=torch.channels_last)
        shape = (1, 3, 1, 1)
        self._mean = torch.tensor(spec.preprocessing.mean, device=self._device).view(shape)
        self._std = torch.tensor(spec.preprocessing.std, device=self._device).view(shape)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        """See :meth:`mobisearch.runtimes.Runtime.extract`."""
        with torch.inference_mode(), self._full_precision():
            batch = torch.from_numpy(np.array(pixels)).to(self._device)  # (n, h, w, 3)
            batch = batch.permute(0, 3, 1, 2)  # (n, 3, h, w), channels last in memory
            normalised = batch.float().div_(255).sub_(self._mean).div_(self._std)
            pooled: NDArray[np.float32] = self._network(normalised).cpu().numpy()
        return pooled

    def _full_precision(self) -> contextlib.AbstractContextManager[None]:
        """Keep CUDA from TF32, its default for convolutions, which would leave the 1e-5."""
        if self._device.type != "cuda":
            return contextlib.nullcontext()
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def _fold_batch_norms(module: nn.Module) -> nn.Module:
    """Replace each convolution that a batch norm follows by one convolution, throughout."""
    children = list(module.named_children())
    for _, child in children:
        _fold_batch_norms(child)
    if isinstance(module, nn.Sequential):
        for (name, first), (next_name, second) in itertools.pairwise(children):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, next_name, nn.Identity())
    return module
