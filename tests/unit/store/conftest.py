"""What the tests of the store share: a small index on disk, and rows to put into it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mobisearch.store import (
    CatalogReader,
    CatalogWriter,
    FileRow,
    IndexLayout,
    ModelRow,
    create_index,
    open_reader,
    open_writer,
)
from mobisearch.types import Embeddings, FileFailure, FileStamp, ImageFacts

DIM = 8

RowMaker = Callable[..., FileRow]
RowsMaker = Callable[..., Embeddings]


@pytest.fixture(scope="session")
def unit_rows() -> RowsMaker:
    """A function that gives random unit rows: ``unit_rows(n, seed=0)``, shape (n, DIM)."""

    def make(n: int, *, seed: int = 0, dim: int = DIM) -> Embeddings:
        rows = np.random.default_rng(seed).standard_normal((n, dim))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return make


@pytest.fixture
def layout(tmp_path: Path) -> IndexLayout:
    """An empty index of DIM values in ``tmp_path / "index"``."""
    probe = np.zeros(DIM, np.float32)
    probe[0] = 1
    made = IndexLayout.at(tmp_path / "index")
    create_index(made, ModelRow("fake", "f" * 64, "the fake", DIM, probe), uuid="u")
    return made


@pytest.fixture
def writer(layout: IndexLayout) -> Iterator[CatalogWriter]:
    """The catalog of ``layout``, open for writing."""
    opened = open_writer(layout.catalog_path)
    yield opened
    opened.close()


@pytest.fixture
def reader(layout: IndexLayout) -> Iterator[CatalogReader]:
    """The catalog of ``layout``, open for reading."""
    opened = open_reader(layout.catalog_path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def file_row(unit_rows: RowsMaker) -> RowMaker:
    """A function that makes what is stored of an image: ``file_row(path, seed=1)``.

    Equal seeds are equal contents. ``failure`` makes it a file that failed.
    """

    def make(path: str, *, seed: int = 0, failure: str | None = None, **more: object) -> FileRow:
        stamp = FileStamp(100 + seed, 1_000_000_000 + seed, 1_000_000_000, "7")
        if failure is not None:
            reason = FileFailure(path, failure, f"because of {failure}")
            return FileRow(path, stamp, failure=reason, **more)  # type: ignore[arg-type]
        return FileRow(
            path,
            stamp,
            sha256=hashlib.sha256(str(seed).encode()).hexdigest(),
            facts=ImageFacts("JPEG", 60, 40),
            embedding=unit_rows(1, seed=seed)[0],
            **more,  # type: ignore[arg-type]
        )

    return make
