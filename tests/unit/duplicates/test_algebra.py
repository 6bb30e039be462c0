"""Matrix products, the same whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest

from mobisearch.duplicates.verification import algebra


@pytest.mark.parametrize("has_one_thread", [True, False])
def test_products_of_whole_numbers_are_exact(
    has_one_thread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(algebra, "_has_one_thread", lambda: has_one_thread)
    generator = np.random.default_rng(1)
    first, second = (generator.integers(0, 256, (n, 128)) for n in (320, 75))
    found = algebra.multiply(first.astype(np.float32), second.astype(np.float32))
    assert found.dtype == np.float32
    assert np.array_equal(found, first @ second.T)
