"""The network while it learns: a backbone with a new last layer, on a CPU or a GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mobisearch.models import LinearLayer, ModelSpec
from mobisearch.models.mobilenet import build_network
from mobisearch.types import Pixels, WeightsSettings

_DROPPED = 0.2
"""Source: torchvision's MobileNets, before their last layer."""


class LearningNetwork:
    """Pixels in, one value for each class out; names are those of torchvision.

    Batch norms keep the statistics that they came with: a few examples would spoil them.
    """

    def __init__(
        self,
        spec: ModelSpec,
        head: LinearLayer,
        *,
        norm: float,
        weights: WeightsSettings,
        device: str | None = None,
    ) -> None:
        """Load the backbone, and begin with a head that was learnt on its embeddings.

        Args:
            head: for unit rows.
            norm: how long embeddings are before they are made unit vectors.
            device: of torch; None takes CUDA where torch finds it.
        """
        layers = cast("nn.Sequential", build_network(spec, weights))[0]
        last = nn.Linear(spec.dim, len(head.bias))
        with torch.no_grad():
            last.weight.copy_(torch.from_numpy(head.weight / np.float32(norm)))
            last.bias.copy_(torch.from_numpy(head.bias))
        classifier = nn.Sequential(nn.Dropout(_DROPPED), last)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.module = nn.ModuleDict({"features": layers, "classifier": classifier})
        self.module.to(self.device)
        self.module.to(memory_format=torch.channels_last)
        shape = (1, 3, 1, 1)
        self._mean = torch.tensor(spec.preprocessing.mean, device=self.device).view(shape)
        self._std = torch.tensor(spec.preprocessing.std, device=self.device).view(shape)

    @property
    def half_precision(self) -> torch.dtype | None:
        """What most of it is computed in on a GPU; None on a CPU: all in float32."""
        if self.device.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16

    def set_learning(self, *, is_learning: bool) -> None:
        """Let dropout be active or not; batch norms stay as they are."""
        self.module.train(is_learning)
        for layer in self.module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()

    def logits(self, pixels: Tensor) -> Tensor:
        """Return float32, shape (n, classes), for uint8 of shape (n, 3, h, w)."""
        values = pixels.to(self.device, memory_format=torch.channels_last).float()
        values = values.div_(255).sub_(self._mean).div_(self._std)
        with self._mixed():
            maps = self.module["features"](values)
            pooled = functional.adaptive_avg_pool2d(maps, 1).flatten(1)
            logits: Tensor = self.module["classifier"](pooled)
        return logits.float()

    def answer(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return the logits of prepared pixels, uint8, shape (n, h, w, 3), without learning."""
        self.set_learning(is_learning=False)
        with torch.inference_mode():
            batch = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2)
            found: NDArray[np.float32] = self.logits(batch).cpu().numpy()
        return found

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of all tensors by torchvision's names."""
        return {name: t.detach().cpu().clone() for name, t in self.module.state_dict().items()}

    def put_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Take tensors that ``tensors`` gave."""
        self.module.load_state_dict(dict(tensors), strict=True)

    @contextlib.contextmanager
    def _mixed(self) -> Iterator[None]:
        if self.half_precision is None:
            yield
            return
        with torch.autocast(self.device.type, self.half_precision):
            yield
