"""What callers pass to an index, checked and brought into one form."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from mobisearch.errors import (
    InvalidProbabilityError,
    InvalidRecallError,
    InvalidResultCountError,
    InvalidVectorError,
    RootUnavailableError,
)
from mobisearch.store import is_index
from mobisearch.types import Embeddings

PathArgument: TypeAlias = str | os.PathLike[str]
_T = TypeVar("_T")


def real_path(path: PathArgument) -> str:
    """Return the real absolute path of a file, ``~`` expanded and links followed."""
    return os.path.realpath(os.path.expanduser(os.fspath(path)))


def resolve_root(folder: str | os.PathLike[str]) -> str:
    """Return the real absolute path of a folder.

    Raises:
        RootUnavailableError: there is no such folder, or it is a file.
    """
    path = os.path.realpath(os.path.expanduser(os.fspath(folder)))
    if os.path.isdir(path):
        folder = path
        while folder != os.path.dirname(folder):
            if is_index(folder):
                raise RootUnavailableError(path, f"is part of the index {folder}, not photos")
            folder = os.path.dirname(folder)
        return path
    reason = "is a file, not a folder" if os.path.exists(path) else "there is no such folder"
    raise RootUnavailableError(path, reason)


def resolve_roots(folders: Sequence[PathArgument]) -> tuple[list[str], list[str]]:
    """Return the real absolute paths of folders, and a line for each that is not available.

    Raises:
        RootUnavailableError: none is available.
        TypeError: there are none at all.
    """
    if not folders:
        raise TypeError("expected at least one folder: the index has none yet")
    roots: list[str] = []
    absent: list[RootUnavailableError] = []
    for folder in folders:
        try:
            roots.append(resolve_root(folder))
        except RootUnavailableError as error:
            absent.append(error)
    if not roots:
        raise RootUnavailableError(absent[0].path, f"{absent[0].reason}; nothing was changed")
    return roots, [f"{error.path}: {error.reason}" for error in absent]


def possible_paths(paths: Sequence[PathArgument]) -> list[str]:
    """Return what files may be known as: by their real paths, or by links that were followed."""
    absolute = [os.path.abspath(os.path.expanduser(os.fspath(path))) for path in paths]
    return list(dict.fromkeys([*map(real_path, paths), *absolute]))


def as_list(values: Sequence[_T]) -> list[_T]:
    """Return a list, and refuse a single path, which is a sequence of characters."""
    if isinstance(values, str | bytes | os.PathLike):
        raise TypeError(
            f"expected a list, got a single {type(values).__name__}; put it in brackets"
        )
    return list(values)


def checked_count(k: object) -> int:
    """Return ``k`` as an int.

    Raises:
        InvalidResultCountError: it is not a whole number of at least 1.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidResultCountError(k)
    return int(k)


def checked_recall(recall: object) -> float:
    """Return a recall as a float.

    Raises:
        InvalidRecallError: it is not a number above 0, up to 1.
    """
    is_number = isinstance(recall, int | float | np.integer | np.floating)
    if isinstance(recall, bool) or not is_number or not 0 < recall <= 1:  # type: ignore[operator]
        raise InvalidRecallError(recall)
    return float(recall)  # type: ignore[arg-type]


def checked_probability(probability: object) -> float:
    """Return a probability as a float.

    Raises:
        InvalidProbabilityError: it is not a number from 0 to 1.
    """
    is_number = isinstance(probability, int | float | np.integer | np.floating)
    if isinstance(probability, bool) or not is_number or not 0 <= probability <= 1:  # type: ignore[operator]
        raise InvalidProbabilityError(probability)
    return float(probability)  # type: ignore[arg-type]


def unit_row(vector: ArrayLike, dim: int) -> Embeddings:
    """Return a query vector as one unit row, float32, shape (1, d).

    Raises:
        InvalidVectorError: the shape is wrong, or it holds NaN, infinity or only zeros.
    """
    try:
        values = np.asarray(vector, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidVectorError(f"a query vector must be numbers: {error}") from error
    if values.shape != (dim,):
        raise InvalidVectorError(f"expected a vector of shape ({dim},), got {values.shape}")
    peak = float(np.abs(values).max(initial=0.0))
    if not np.isfinite(peak) or peak == 0:
        raise InvalidVectorError("a query vector must be finite and not all zeros")
    values = values / peak  # or the squares of very large and very small values are lost
    norm = float(np.sqrt((values * values).sum()))
    return (values / norm).astype(np.float32)[None]
