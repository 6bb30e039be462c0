"""What tests of pictures' files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch.imaging.holdings import Holdings, read_holdings
from mobisearch.types import DecodeSettings


@pytest.fixture
def held(tmp_path: Path) -> Callable[[bytes], Holdings]:
    """A function that gives what a file of these bytes holds."""

    def read(data: bytes) -> Holdings:
        path = tmp_path / "photo"
        path.write_bytes(data)
        return read_holdings(str(path), DecodeSettings())

    return read
