"""The pictures of examples for a network that learns, decoded again each time, and ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mobisearch.capacity import count_workers
from mobisearch.embedding import Embedder
from mobisearch.imaging import read_file
from mobisearch.training.augmentation import augment
from mobisearch.training.embedded_examples import EmbeddedExamples
from mobisearch.types import Framing, Pixels, WholePicture

_OVERSIZE = 1.5
"""The longer side of a whole picture, over the side of what the network looks at."""


class Pictures:
    """The pictures of some examples, by their place among them."""

    def __init__(self, examples: EmbeddedExamples, embedder: Embedder, *, seed: int) -> None:
        self._examples = examples
        self._embedder = embedder
        self._seed = seed
        self._side_px = embedder.spec.preprocessing.crop_px

    def squares(self, places: Sequence[int]) -> Pixels:
        """Return what a network looks at of some, uint8, shape (n, h, w, 3).

        Raises:
            ImageError: one cannot be read any more.
        """
        with ThreadPoolExecutor(count_workers()) as decoders:
            return np.stack(list(decoders.map(self._square, places)))

    def altered(
        self, order: NDArray[np.int64], epoch: int, batch_size: int
    ) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        """Give altered parts of examples in an order, with the numbers of their classes.

        Chance depends on the seed, the epoch and the example alone.

        Returns:
            uint8, shape (b, 3, h, w), and int64, shape (b,), batch by batch.

        Raises:
            ImageError: one cannot be read any more.
        """
        some = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        with ThreadPoolExecutor(count_workers()) as decoders:
            ahead = [decoders.submit(self._altered, place, epoch) for place in some[0].tolist()]
            for number, places in enumerate(some):
                following = some[number + 1].tolist() if number + 1 < len(some) else []
                now = ahead
                ahead = [decoders.submit(self._altered, place, epoch) for place in following]
                yield (
                    torch.stack([future.result() for future in now]),
                    self._examples.numbers[places],
                )

    def _altered(self, place: int, epoch: int) -> Tensor:
        generator = np.random.default_rng((self._seed, epoch, place))
        whole = self._decode(place, WholePicture(round(_OVERSIZE * self._side_px)))
        return augment(whole, self._side_px, generator)

    def _square(self, place: int) -> Pixels:
        return self._decode(place, self._embedder.spec.preprocessing)

    def _decode(self, place: int, framing: Framing) -> Pixels:
        path = self._examples.paths[place]
        data = read_file(path, max_bytes=self._embedder.settings.max_bytes).data
        return self._embedder.prepare_file(data, path=path, framing=framing).pixels
