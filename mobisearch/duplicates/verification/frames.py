"""Whether two whole pictures are the same frame, in one of the eight orientations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.voting import Transform

_Value = TypeVar("_Value", bound=np.generic)

SIDE_PX = 32
_WIDE = 6.0
"""Blur, of 32 pixels, that is taken out: a bright sky over dark ground makes nothing alike."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of eight: exchange x and y, then mirror left to right, then top to bottom."""

    swaps: bool
    flips_x: bool
    flips_y: bool

    @property
    def is_mirrored(self) -> bool:
        """Whether no turn leads there."""
        return self.swaps ^ self.flips_x ^ self.flips_y

    @property
    def turn_degrees(self) -> float:
        """How far it is turned clockwise, after mirroring left to right: more than -180 to 180."""
        if self.swaps:
            return 90.0 if self.flips_x else -90.0
        return 180.0 if self.flips_y else 0.0

    def apply(self, grid: NDArray[_Value]) -> NDArray[_Value]:
        """Return a grid, (h, w) or (h, w, n), as it lies in this orientation."""
        turned = grid.swapaxes(0, 1) if self.swaps else grid
        return turned[:: -1 if self.flips_y else 1, :: -1 if self.flips_x else 1]

    def transform(self, first: tuple[int, int], second: tuple[int, int]) -> Transform:
        """Return what takes pixels of the first frame to those of the second.

        Args:
            first, second: width and height.
        """
        to_unit = np.array(
            [[1 / first[0], 0, 0.5 / first[0]], [0, 1 / first[1], 0.5 / first[1]], [0, 0, 1]]
        )
        turn = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]) if self.swaps else np.eye(3)
        if self.flips_x:
            turn = np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]]) @ turn
        if self.flips_y:
            turn = np.array([[1.0, 0, 0], [0, -1, 1], [0, 0, 1]]) @ turn
        to_pixels = np.array([[second[0], 0, -0.5], [0, second[1], -0.5], [0, 0, 1]])
        whole: Transform = to_pixels @ turn @ to_unit
        return whole


ORIENTATIONS = tuple(
    Orientation(swaps, flips_x, flips_y)
    for swaps in (False, True)
    for flips_x in (False, True)
    for flips_y in (False, True)
)

AS_IT_IS = ORIENTATIONS[0]


def make_frame(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture as 32 x 32 values of mean 0 and norm 1, all 0 if there is nothing in it."""
    small = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= cv2.GaussianBlur(small, (0, 0), _WIDE, borderType=cv2.BORDER_REFLECT)
    small -= small.mean()
    norm = float(np.linalg.norm(small))
    return small / norm if norm > SIDE_PX else np.zeros_like(small)


def match_frames(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> list[tuple[float, Orientation]]:
    """Return the correlation in each orientation, the strongest first; negatives have minus."""
    turned = np.stack([o.apply(first).ravel() for o in ORIENTATIONS])  # (8, n)
    found = turned @ second.ravel()
    order = np.argsort(-abs(found), kind="stable")
    return [(float(found[k]), ORIENTATIONS[k]) for k in order]
