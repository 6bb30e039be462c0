"""What callers may pass to an index."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mobisearch.arguments import as_list, checked_count, real_path, unit_row
from mobisearch.errors import InvalidResultCountError, InvalidVectorError

UNIT_NORM_TOLERANCE = 1e-6  # a few roundings of float32


@pytest.mark.parametrize("k", [1, 10, np.int64(3), 10**30])
def test_a_whole_number_of_at_least_one_is_a_count(k: int) -> None:
    assert checked_count(k) == k
    assert type(checked_count(k)) is int


@pytest.mark.parametrize("k", [0, -1, True, False, 1.5, 2.0, "3", None, [1], np.float64(2), 1j])
def test_anything_else_is_no_count(k: object) -> None:
    with pytest.raises(InvalidResultCountError, match="at least 1") as caught:
        checked_count(k)
    assert caught.value.k is k
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-3, 1.0, 7.0, 1e200, 1e308])
def test_a_vector_of_any_length_becomes_a_unit_row(scale: float) -> None:
    row = unit_row(np.array([0.6, -0.8, 0.0]) * scale, 3)
    assert row.shape == (1, 3)
    assert row.dtype == np.float32
    assert np.linalg.norm(row) == pytest.approx(1, abs=UNIT_NORM_TOLERANCE)
    if scale > 1e-300:  # smaller ones have lost digits before they come here
        assert row[0].tolist() == pytest.approx([0.6, -0.8, 0], abs=UNIT_NORM_TOLERANCE)


def test_a_list_is_a_vector_too() -> None:
    assert unit_row([0, 2], 2).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ([1.0], r"shape \(2,\), got \(1,\)"),
        ([[1.0, 2.0]], r"got \(1, 2\)"),
        (3.0, r"got \(\)"),
        ([0.0, 0.0], "not all zeros"),
        ([np.nan, 1.0], "finite"),
        ([np.inf, 1.0], "finite"),
        (["a", "b"], "must be numbers"),
        ([None, object()], "must be numbers"),
        ([[1.0], [1.0, 2.0]], "must be numbers"),
    ],
)
def test_a_vector_without_a_direction_or_of_another_shape_is_refused(
    vector: object, words: str
) -> None:
    with pytest.raises(InvalidVectorError, match=words) as caught:
        unit_row(vector, 2)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("single", ["a.jpg", b"bytes", Path("a.jpg")])
def test_a_single_path_is_not_taken_for_a_list(single: object) -> None:
    with pytest.raises(TypeError, match="put it in brackets"):
        as_list(single)  # type: ignore[arg-type]
    assert as_list(("a", "b")) == ["a", "b"]


def test_a_path_is_made_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    expected = os.path.join(os.path.realpath(tmp_path), "folder", "a.jpg")
    for path in ("~/folder/a.jpg", "link/a.jpg", Path("folder/../folder/./a.jpg")):
        assert real_path(path) == expected
