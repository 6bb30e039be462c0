"""What is computed once for each picture, however many others it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.frames import make_frame
from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.duplicates.verification.points import KeyPoints, find_points


@dataclass(frozen=True, eq=False, slots=True)
class Prepared:
    """A picture with what comparisons need of it. Never changed, so threads may share it.

    Attributes:
        grey: uint8, shape (h, w).
        frame: see :func:`make_frame`.
    """

    picture: Picture
    grey: NDArray[np.uint8]
    frame: NDArray[np.float32]
    points: KeyPoints

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pixels that are compared."""
        return self.grey.shape[1], self.grey.shape[0]


def prepare(picture: Picture) -> Prepared:
    """Compute what comparisons need of a picture: once for each, to be kept by the caller.

    Deterministic; may be called from many threads, and lets others run while it computes. About
    10 ms on one core for a thumbnail; the result takes about 200 KB.
    """
    use_one_thread()
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    return Prepared(picture, grey, make_frame(grey), find_points(grey))


def use_one_thread() -> None:
    """Keep OpenCV from starting threads of its own: there is one for each core already."""
    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
