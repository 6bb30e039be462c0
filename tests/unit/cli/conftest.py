"""The command line in this process, with a network that takes microseconds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mobisearch.cli import app
from mobisearch.models import ModelSpec
from mobisearch.types import Pixels


@dataclass(frozen=True)
class Outcome:
    """What a command gave back."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The JSON document that is all of stdout."""
        return json.loads(self.stdout)


Command = Callable[..., Outcome]


class _CoarseRuntime:
    """Projects 14 x 14 pixels of a picture; has the shape of its model."""

    def __init__(self, spec: ModelSpec, settings: object = None) -> None:
        n_values = 14 * 14 * 3
        directions = np.random.default_rng(0).standard_normal((n_values, spec.dim))
        self._directions = directions.astype(np.float32)

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        rows, columns = (
            (np.arange(14) + 0.5) * side // 14 for side in pixels.shape[1:3]
        )  # 14 places in a picture of any size
        chosen = pixels[:, rows.astype(int)][:, :, columns.astype(int)]
        small = chosen.reshape(len(pixels), -1).astype(np.float32) / 255 - 0.5
        return np.stack([row @ self._directions for row in small])


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A function that runs ``mobisearch`` with arguments, in an empty working directory."""
    monkeypatch.setattr("mobisearch.embedding.load_runtime", _CoarseRuntime)
    monkeypatch.delenv("MOBISEARCH_INDEX", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*arguments: str | os.PathLike[str], is_debug: bool = False) -> Outcome:
        words = [os.fspath(argument) for argument in arguments]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["mobisearch", *words])
            capsys.readouterr()
            code = app._run(is_debug=is_debug)
            captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def photos(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    """Three photos and a broken one."""
    folder = Path(os.path.realpath(tmp_path)) / "photos"
    for seed, name in enumerate(["a.png", "b.png", "c.png"]):
        make_photo(folder / name, seed=seed)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return folder


@pytest.fixture
def indexed(command: Command, photos: Path) -> Path:
    """The photos, indexed."""
    assert command("index", photos).code == 1
    return photos
