"""What is computed once for each picture, however many others it is compared with."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.algebra import use_one_thread
from mobisearch.duplicates.verification.frames import make_frame
from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.duplicates.verification.points import KeyPoints, find_points


class Prepared:
    """A picture with what comparisons need of it. Threads may share it.

    Attributes:
        grey: uint8, shape (h, w).
        frame: see :func:`make_frame`.
    """

    __slots__ = ("_lock", "_points", "frame", "grey", "picture")

    def __init__(
        self, picture: Picture, grey: NDArray[np.uint8], frame: NDArray[np.float32]
    ) -> None:
        self.picture = picture
        self.grey = grey
        self.frame = frame
        self._lock = threading.Lock()
        self._points: KeyPoints | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pixels that are compared."""
        return self.grey.shape[1], self.grey.shape[0]

    @property
    def points(self) -> KeyPoints:
        """Key points, found when they are first asked for: plain copies never need them."""
        with self._lock:
            if self._points is None:
                self._points = find_points(self.grey)
            return self._points


def prepare(picture: Picture) -> Prepared:
    """Compute what comparisons need of a picture: once for each, to be kept by the caller.

    Deterministic; may be called from many threads, and lets others run while it computes. Less than
    1 ms on one core for a thumbnail, and some 10 ms more once key points are asked for; the result
    takes about 200 KB, some 1 MB at ``CLOSE_PX``.
    """
    use_one_thread()
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    return Prepared(picture, grey, make_frame(grey))
