"""Weights that are not the pinned ones, models that do not fit, and answers that must not drift."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision
from PIL import Image

from mobisearch import Embedder, ImageIndex, RuntimeSettings
from mobisearch.errors import ModelMismatchError, WeightsMismatchError, WeightsNotFoundError
from mobisearch.models import DEFAULT_MODEL, find_model, mobilenet, read_weights
from mobisearch.models.weights import BUNDLED_DIR
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime, openvino_graph

SAME_COSINE = 0.99999
"""Between the same picture in a batch of 1 and of 64, with one thread and with two."""

SPEC = find_model(DEFAULT_MODEL)


class _Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._canary = path.parent / "canary"

    def __reduce__(self) -> object:
        return os.system, (f'echo executed > "{self._canary}"',)


def _missing(path: Path, whole: bytes) -> None:
    """Leave no file there."""


def _other_architecture(path: Path, whole: bytes) -> None:
    network = torchvision.models.mobilenet_v3_small(weights=None)
    safetensors.torch.save_file(network.state_dict(), path)


def _flip_a_bit(path: Path, whole: bytes) -> None:
    at = len(whole) // 2
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


def _link_elsewhere(path: Path, whole: bytes) -> None:
    target = path.with_suffix(".target")
    target.write_bytes(whole[:-1] + b"\0" * 2)
    path.symlink_to(target)


def _huge_header(path: Path, whole: bytes) -> None:
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}" * 100)


def _many_tensors(path: Path, whole: bytes) -> None:
    entry = {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 2**62]}
    header = json.dumps({f"tensor{n}": entry for n in range(1_000)}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


WEIGHTS: dict[str, Callable[[Path, bytes], object]] = {
    "missing": _missing,
    "empty": lambda path, whole: path.write_bytes(b""),
    "truncated": lambda path, whole: path.write_bytes(whole[: len(whole) // 2]),
    "one bit flipped": _flip_a_bit,
    "other architecture": _other_architecture,
    "pickle": lambda path, whole: path.write_bytes(
        pickle.dumps(_Malicious(path.parent / "canary"))
    ),
    "torch file": lambda path, whole: torch.save({"a": _Malicious(path.parent / "canary")}, path),
    "link to something else": _link_elsewhere,
    "huge header": _huge_header,
    "tensors of exabytes": _many_tensors,
    "folder": lambda path, whole: path.mkdir(),
}


@pytest.fixture
def weights_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the weights of the default model are looked for in this test, by both runtimes."""
    from_here = functools.partial(read_weights, folder=tmp_path)
    monkeypatch.setattr(mobilenet, "read_weights", from_here)
    monkeypatch.setattr(openvino_graph, "read_weights", from_here)
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / SPEC.weights.file_name


@pytest.fixture(scope="module")
def whole_weights() -> bytes:
    """The bundled weights."""
    return (BUNDLED_DIR / SPEC.weights.file_name).read_bytes()


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_case_53_weights_that_are_not_the_pinned_ones_end_with_69_and_execute_nothing(
    photos: Path,
    tmp_path: Path,
    weights_path: Path,
    whole_weights: bytes,
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    runtime: str,
) -> None:
    where = ("--index", tmp_path / "index")
    assert command("index", photos / "deep", *where).code == 0
    before = command("status", *where, "--json").document
    WEIGHTS[kind](weights_path, whole_weights)
    from mobisearch.runtimes import load_runtime

    monkeypatch.setattr("mobisearch.embedding.load_runtime", load_runtime)
    for words in (("index", photos), ("search", photos / "a.png")):
        done = command(*words, *where, "--runtime", runtime)
        assert done.code == 69, done.stderr
        assert not done.stdout
    new = ("--index", tmp_path / "new", "--runtime", runtime)
    assert command("index", photos, *new).code == 69
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "canary").exists()
    after = command("status", *where, "--json").document
    for name in ("images", "contents", "missing", "errors", "cached", "fingerprint"):
        assert after[name] == before[name]
    assert command("verify", *where).code == 0


TRUSTED = ("empty", "truncated", "other architecture", "pickle", "torch file", "huge header")


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
@pytest.mark.parametrize("kind", [*TRUSTED, "tensors of exabytes"])
def test_case_53_weights_that_are_trusted_by_their_hash_are_still_only_read_as_tensors(
    tmp_path: Path, weights_path: Path, whole_weights: bytes, kind: str, runtime: str
) -> None:
    WEIGHTS[kind](weights_path, whole_weights)
    sha256 = hashlib.sha256(weights_path.read_bytes()).hexdigest()
    spec = dataclasses.replace(SPEC, weights=dataclasses.replace(SPEC.weights, sha256=sha256))
    with pytest.raises((WeightsMismatchError, WeightsNotFoundError)):
        Embedder(spec, isolated=False, runtime=RuntimeSettings(runtime)).probe()
    assert not (tmp_path / "canary").exists()


# ---------------------------------------------------------------- models that do not fit


@pytest.fixture
def filled(index: ImageIndex, photos: Path, tmp_path: Path) -> Path:
    """The directory of an index of ``photos``."""
    index.sync(photos)
    return tmp_path / "index"


def _without_log(files: dict[str, Any]) -> dict[str, Any]:
    """Leave out what SQLite keeps beside a database while somebody reads it."""
    return {name: data for name, data in files.items() if not name.startswith("mobisearch.db-")}


CHANGES: dict[str, dict[str, Any]] = {
    "architecture": {"architecture": "another_projection"},
    "weights": {"weights": dataclasses.replace(FAKE_MODEL.weights, tag="seed1", sha256="1" * 64)},
    "resize": {"preprocessing": dataclasses.replace(FAKE_MODEL.preprocessing, resize_px=40)},
    "mean": {"preprocessing": dataclasses.replace(FAKE_MODEL.preprocessing, mean=(0, 0, 0))},
    "pooling": {"pooling": "max"},
}


@pytest.mark.parametrize("kind", CHANGES)
def test_case_54_a_model_of_another_fingerprint_is_refused_with_both_names(
    filled: Path,
    make_embedder: Callable[..., Embedder],
    tree: Callable[[Path], dict[str, Any]],
    kind: str,
) -> None:
    before = _without_log(tree(filled))
    other = dataclasses.replace(FAKE_MODEL, **CHANGES[kind])
    with pytest.raises(ModelMismatchError) as caught:
        ImageIndex.open(filled, make_embedder(model=other, runtime=FakeRuntime()))
    assert FAKE_MODEL.label in str(caught.value)
    assert other.label in str(caught.value)
    assert FAKE_MODEL.label != other.label
    assert _without_log(tree(filled)) == before


@pytest.fixture
def other_resizing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A library that resizes differently than the one that the index was built with."""
    resize = Image.Image.resize

    def nearest(image: Image.Image, size: Any, resample: Any = None, **more: Any) -> Image.Image:
        return resize(image, size, Image.Resampling.NEAREST, **more)

    monkeypatch.setattr(Image.Image, "resize", nearest)
    return


def test_case_54_a_library_that_resizes_differently_is_refused_before_anything_is_stored(
    filled: Path,
    photos: Path,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
    request: pytest.FixtureRequest,
) -> None:
    new = make_photo(photos / "new.png", seed=90)
    request.getfixturevalue("other_resizing")
    with ImageIndex.open(filled, make_embedder()) as index:
        for write in (lambda: index.sync(photos), lambda: index.add([new])):
            with pytest.raises(ModelMismatchError, match="probe cosine") as caught:
                write()
            assert str(caught.value).count("random_projection.seed0") == 2
        assert (len(index), index.errors()) == (4, [])


def test_case_54_a_model_that_does_not_fit_ends_the_command_with_69(
    filled: Path, photos: Path, command: Callable[..., Any]
) -> None:
    for words in (("index", photos), ("search", photos / "a.png")):
        done = command(*words, "--index", filled)
        assert done.code == 69
        assert "fake" in done.stderr


# ---------------------------------------------------------------- answers that must not drift


@pytest.fixture(scope="module")
def real_photos(shipped_photos: Path) -> list[Path]:
    """Twelve real photos."""
    return sorted(shipped_photos.glob("*.jpg"))[:12]


WAYS = [
    RuntimeSettings("torch", "f32", device="cpu"),
    RuntimeSettings("openvino", "f32"),
    RuntimeSettings("openvino", "int8"),
    RuntimeSettings("torch", "int8"),
    RuntimeSettings(),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.runtime}-{way.precision}")
def test_case_55_batches_and_threads_change_no_answer(
    real_photos: list[Path], way: RuntimeSettings
) -> None:
    before = torch.get_num_threads()
    rows: dict[tuple[int, int], Any] = {}
    try:
        for n_threads in (1, 2):
            runtime = dataclasses.replace(way, n_threads=n_threads)
            for batch_size in (1, 5, 64):
                embedder = Embedder(isolated=False, batch_size=batch_size, runtime=runtime)
                rows[n_threads, batch_size] = embedder.embed(real_photos)
    finally:
        torch.set_num_threads(before)
    reference = rows.pop((1, 1))
    first = np.argsort(-reference @ reference.T, axis=1)[:, :4]
    for others in rows.values():
        assert (others * reference).sum(axis=1).min() >= SAME_COSINE
        assert (np.argsort(-others @ others.T, axis=1)[:, :4] == first).all()


@pytest.mark.parametrize("batch_size", [1, 64])
def test_case_55_the_size_of_batches_changes_no_order_and_ties_go_by_id(
    photos: Path,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
    batch_size: int,
) -> None:
    for number in range(6):
        make_photo(photos / f"tie {5 - number}.bmp", seed=70)
        make_photo(photos / f"tie {5 - number}.png", seed=70)
    embedder = make_embedder(batch_size=batch_size)
    with ImageIndex.create(tmp_path / "index", embedder) as index:
        index.sync(photos)
        for k in (1, 3, 12, 16):
            matches = index.search(photos / "tie 0.png", k=k)
            ties = [match.image.id for match in matches if match.score == 1]
            assert len(ties) == min(k, 12)
            assert ties == sorted(ties)
            assert ties[0] == min(m.image.id for m in index.search(photos / "tie 3.bmp", k=12))
