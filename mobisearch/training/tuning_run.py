"""The epochs of fine-tuning: learning, checking, and a checkpoint after each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from mobisearch.embedding import Embedder
from mobisearch.training.checkpoints import (
    Checkpoint,
    put_moments,
    read_checkpoint,
    read_moments,
    write_checkpoint,
)
from mobisearch.training.classifier_training import split_checked
from mobisearch.training.embedded_examples import EmbeddedExamples
from mobisearch.training.head import fit_head
from mobisearch.training.network import LearningNetwork
from mobisearch.training.pictures import Pictures
from mobisearch.training.scores import Scores, score_answers
from mobisearch.training.splitting import weigh_classes
from mobisearch.types import OnProgress, Progress

_WEIGHT_DECAY = 1e-2
_MAX_GRADIENT = 5.0


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """How the whole network is trained.

    Attributes:
        epochs: how often every example is shown.
        batch_size: examples that are learnt from at once.
        rate: of learning at first; it falls to nothing along half a cosine.
        device: of torch; None takes CUDA where torch finds it. There most is computed in 16 bits.
    """

    epochs: int = 8
    batch_size: int = 16
    rate: float = 1e-4
    seed: int = 0
    device: str | None = None


class TuningRun:
    """One training: the split, the network, and the epochs."""

    def __init__(
        self,
        examples: EmbeddedExamples,
        embedder: Embedder,
        settings: FineTuneSettings,
        on_progress: OnProgress | None,
        stop: threading.Event | None,
    ) -> None:
        self.split = split_checked(examples, seed=settings.seed)
        self.best_epoch = 0
        self._examples, self._embedder, self._settings = examples, embedder, settings
        self._on_progress, self._stop = on_progress, stop
        numbers, n_classes = examples.numbers, len(examples.classes)
        head = fit_head(examples.rows, numbers, self.split, n_classes, seed=settings.seed).layer
        self._pictures = Pictures(examples, embedder, seed=settings.seed)
        norm = examples.norm
        if math.isnan(norm):  # all came from an index
            norm = float(embedder.pool_pixels(self._pictures.squares([0])).norms[0])
        self.network = LearningNetwork(
            embedder.spec, head, norm=norm, weights=embedder.weights, device=settings.device
        )
        weights = weigh_classes(numbers[self.split.training], n_classes)
        self._weights = torch.tensor(weights, dtype=torch.float32, device=self.network.device)

    def learn(self, path: Path) -> int:
        """Take all epochs that are left, and return how many had been done before."""
        settings, network = self._settings, self.network
        optimiser = torch.optim.AdamW(
            network.module.parameters(), lr=settings.rate, weight_decay=_WEIGHT_DECAY
        )
        identity = self._identity()
        state = read_checkpoint(path, identity)
        if state is None:
            loss = self._checked_loss()
            state = Checkpoint(identity, 0, network.tensors(), network.tensors(), {}, loss, 0)
        else:
            network.put_tensors(state.network)
            put_moments(optimiser, state.moments)
        before = state.epoch
        for epoch in range(before + 1, settings.epochs + 1):
            self._learn_epoch(epoch, optimiser)
            loss, tensors = self._checked_loss(), network.tensors()
            if loss <= state.best_loss:
                state.best, state.best_loss, state.best_epoch = tensors, loss, epoch
            state.epoch, state.network, state.moments = epoch, tensors, read_moments(optimiser)
            write_checkpoint(path, state)
        network.put_tensors(state.best)
        self.best_epoch = state.best_epoch
        return before

    def test(self) -> Scores:
        """Return how well the network does on what was held back."""
        answers = self._answers(self.split.testing).argmax(axis=1)
        wanted = self._examples.numbers[self.split.testing]
        return score_answers(self._examples.classes, wanted, answers.astype(np.int64))

    def _learn_epoch(self, epoch: int, optimiser: torch.optim.Optimizer) -> None:
        settings, network = self._settings, self.network
        order = np.random.default_rng((settings.seed, epoch)).permutation(self.split.training)
        torch.manual_seed(settings.seed * 100_003 + epoch)  # for dropout
        is_scaled = network.half_precision is torch.float16
        scaler = torch.amp.GradScaler(network.device.type, enabled=is_scaled)
        network.set_learning(is_learning=True)
        n_done, n_batches = 0, -(-len(order) // settings.batch_size)
        batches = self._pictures.altered(order, epoch, settings.batch_size)
        for number, (pixels, wanted) in enumerate(batches):
            self._check_stop()
            share = (epoch - 1 + number / n_batches) / settings.epochs
            for group in optimiser.param_groups:
                group["lr"] = settings.rate * (1 + math.cos(math.pi * share)) / 2
            optimiser.zero_grad(set_to_none=True)
            right = torch.from_numpy(wanted).to(network.device)
            loss = functional.cross_entropy(network.logits(pixels), right, self._weights)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.unscale_(optimiser)
            torch.nn.utils.clip_grad_norm_(network.module.parameters(), _MAX_GRADIENT)
            scaler.step(optimiser)
            scaler.update()
            n_done += len(wanted)
            if self._on_progress is not None:
                done = (epoch - 1) * len(order) + n_done
                total = settings.epochs * len(order)
                self._on_progress(Progress(done, total, 0, stage="learning"))

    def _answers(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of some examples as they are, shape (n, classes)."""
        size = self._settings.batch_size
        parts: list[NDArray[np.float32]] = []
        for start in range(0, len(places), size):
            self._check_stop()
            some = places[start : start + size].tolist()
            parts.append(self.network.answer(self._pictures.squares(some)))
        return np.concatenate(parts)

    def _checked_loss(self) -> float:
        """Return the loss on the examples that say when to stop; falling steadily without any."""
        places = self.split.stopping
        if not len(places):
            return math.inf
        logits = torch.from_numpy(self._answers(places))
        wanted = torch.from_numpy(self._examples.numbers[places])
        return float(functional.cross_entropy(logits, wanted, self._weights.cpu()))

    def _check_stop(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise KeyboardInterrupt

    def _identity(self) -> str:
        """Return what tells this training from any other."""
        known = {
            "settings": dataclasses.asdict(self._settings),
            "fingerprint": self._embedder.spec.fingerprint,
            "classes": self._examples.classes,
            "contents": self._examples.sha256s,
            "numbers": self._examples.numbers.tolist(),
        }
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
