"""Matrix products that start no threads: there is a process or a thread for each core already."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import LibController, ThreadpoolController


def use_one_thread() -> None:
    """Keep OpenCV from starting threads of its own: there is one for each core already."""
    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
    _limit_opencv()


def multiply(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the products of the rows of two matrices, float32, shape (n, m).

    Of whole numbers it is exact, and so the same whoever computes it, as long as no product exceeds
    2^24.

    Args:
        first, second: shapes (n, d) and (m, d).
    """
    if _has_one_thread():
        return first @ second.T
    # With threads of its own numpy is ten times as slow beside others; with one, four times as
    # fast as OpenCV, whose library knows the instructions of old processors only.
    products: NDArray[np.float32] = cv2.gemm(first, second, 1.0, None, 0.0, flags=cv2.GEMM_2_T)
    return products


@functools.cache
def _limit_opencv() -> None:
    """Let the library that multiplies matrices for OpenCV, if it has one, use one thread too."""
    for library in _libraries():
        if _is_of_opencv(library):
            library.set_num_threads(1)


@functools.cache
def _has_one_thread() -> bool:
    """Say whether numpy's library, and any other but OpenCV's, was told to use one thread."""
    own = [library for library in _libraries() if not _is_of_opencv(library)]
    return bool(own) and all(library.num_threads == 1 for library in own)


def _libraries() -> list[LibController]:
    found = ThreadpoolController().lib_controllers
    return [library for library in found if library.user_api == "blas"]


def _is_of_opencv(library: LibController) -> bool:
    return "opencv" in library.filepath
