"""Making an index: complete or not at all, and again after any interruption."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mobisearch.errors import IndexExistsError, IndexReadOnlyError, StorageError
from mobisearch.store import IndexLayout, ModelRow, create_index, is_index, open_reader

MODEL = ModelRow("fake", "f" * 64, "the fake", 2, np.array([1, 0], np.float32))


def test_a_new_index_knows_its_model_and_its_uuid(tmp_path: Path) -> None:
    layout = IndexLayout.at(tmp_path / "deep" / "index")
    create_index(layout, MODEL, uuid="some-uuid")
    assert is_index(str(layout.directory))
    reader = open_reader(layout.catalog_path)
    assert reader.meta()["uuid"] == "some-uuid"
    assert reader.generation() == 0
    model = reader.model()
    assert (model.name, model.fingerprint, model.dim) == ("fake", "f" * 64, 2)
    assert model.probe.tolist() == [1, 0]
    reader.close()
    assert layout.catalog_path.stat().st_mode & 0o077 == 0


def test_an_index_is_never_made_over_another(layout: IndexLayout) -> None:
    before = layout.catalog_path.read_bytes()
    with pytest.raises(IndexExistsError, match="exists here already"):
        create_index(layout, MODEL, uuid="v")
    assert layout.catalog_path.read_bytes() == before


@pytest.mark.parametrize("call", ["rename", "chmod", "mkdir"])
def test_a_creation_that_fails_half_way_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    layout = IndexLayout.at(tmp_path / "index")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, call, die)
        with pytest.raises(KeyboardInterrupt):
            create_index(layout, MODEL, uuid="u")
    assert not is_index(str(layout.directory))
    create_index(layout, MODEL, uuid="v")
    assert is_index(str(layout.directory))


def test_a_full_disk_leaves_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = IndexLayout.at(tmp_path / "index")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(StorageError, match="disk is full"):
            create_index(layout, MODEL, uuid="u")
    assert not is_index(str(layout.directory))


def test_below_a_file_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IndexReadOnlyError, match="cannot be created"):
        create_index(IndexLayout.at(tmp_path / "file" / "index"), MODEL, uuid="u")
