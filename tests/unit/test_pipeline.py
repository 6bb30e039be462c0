"""Paths to embeddings, streamed: order, failures, look-ahead, and an early end."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mobisearch import Embedder
from mobisearch.errors import RuntimeMismatchError
from mobisearch.imaging import Halt, stamp_of
from mobisearch.pipeline import EmbeddedFile, FailedFile, KnownFile, embed_files
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import DecodeSettings, Pixels

N_WORKERS = 2
BATCH = 3


@pytest.fixture
def embedder() -> Embedder:
    return Embedder(FAKE_MODEL, runtime=FakeRuntime(), batch_size=BATCH)


@pytest.fixture
def photos(tmp_path: Path, make_photo: object) -> list[str]:
    """Ten different PNG files."""
    return [
        str(make_photo(tmp_path / f"{seed}.png", seed=seed))  # type: ignore[operator]
        for seed in range(10)
    ]


def decoding_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("mobisearch-decode")]


def test_there_is_one_outcome_for_each_path_in_order(photos: list[str], embedder: Embedder) -> None:
    paths = [*photos, photos[0], *photos[::-1]]
    outcomes = list(embed_files(paths, embedder, n_workers=N_WORKERS))
    assert [outcome.path for outcome in outcomes] == paths
    assert all(isinstance(outcome, EmbeddedFile) for outcome in outcomes)


def test_an_outcome_says_what_the_embedder_and_the_file_say(
    photos: list[str], embedder: Embedder
) -> None:
    for outcome in embed_files(photos, embedder):
        assert isinstance(outcome, EmbeddedFile)
        path = Path(outcome.path)
        assert np.array_equal(outcome.embedding, embedder.embed([path])[0])
        assert outcome.embedding.dtype == np.float32
        assert outcome.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert outcome.stamp == stamp_of(path.stat())
        assert (outcome.facts.format, outcome.facts.width, outcome.facts.height) == ("PNG", 60, 40)


def test_no_paths_have_no_outcomes(embedder: Embedder) -> None:
    assert list(embed_files([], embedder)) == []


def test_failures_are_data_in_their_place(
    photos: list[str], embedder: Embedder, tmp_path: Path
) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(Path(photos[0]).read_bytes()[:100])
    bad = [str(tmp_path / name) for name in ("empty.jpg", "text.jpg", "no.jpg", "cut.png", ".")]
    paths = [bad[0], *photos[:4], bad[1], bad[2], photos[4], bad[3], bad[4]]
    outcomes = list(embed_files(paths, embedder, n_workers=N_WORKERS))
    assert [outcome.path for outcome in outcomes] == paths
    failed = [outcome for outcome in outcomes if isinstance(outcome, FailedFile)]
    codes = [outcome.failure.code for outcome in failed]
    assert codes == ["corrupt", "unsupported", "not_found", "truncated", "unsupported"]
    assert [outcome.stamp is None for outcome in failed] == [False, False, True, False, True]
    assert all(outcome.failure.path == outcome.path for outcome in failed)
    assert not any(outcome.path in outcome.failure.reason for outcome in failed)


def test_nothing_but_failures_never_reaches_the_network(tmp_path: Path) -> None:
    class Refusing:
        def extract(self, pixels: Pixels) -> NDArray[np.float32]:
            raise AssertionError("called without pixels")

    embedder = Embedder(FAKE_MODEL, runtime=Refusing(), batch_size=2)
    outcomes = list(embed_files([str(tmp_path / f"{i}.jpg") for i in range(7)], embedder))
    assert len(outcomes) == 7


def test_known_content_is_hashed_and_not_decoded(
    photos: list[str], embedder: Embedder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = {hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in photos[::2]}
    decoded: list[str] = []
    original = embedder.prepare_file

    def noted(data: bytes, *, path: str, halt: Halt) -> object:
        decoded.append(path)
        return original(data, path=path, halt=halt)

    monkeypatch.setattr(embedder, "prepare_file", noted)
    outcomes = list(embed_files(photos, embedder, is_known=known.__contains__))
    assert [isinstance(outcome, KnownFile) for outcome in outcomes] == [True, False] * 5
    assert sorted(decoded) == sorted(photos[1::2])
    assert {outcome.sha256 for outcome in outcomes if isinstance(outcome, KnownFile)} == known


def test_an_error_in_the_question_whether_content_is_known_is_not_swallowed(
    photos: list[str], embedder: Embedder
) -> None:
    def broken(sha256: str) -> bool:
        raise KeyError(sha256)

    with pytest.raises(KeyError):
        list(embed_files(photos, embedder, is_known=broken))
    assert not decoding_threads()


class Counted:
    """Paths that count how many were taken."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.n_taken = 0

    def __iter__(self) -> Iterator[str]:
        for path in self.paths:
            self.n_taken += 1
            yield path


@pytest.mark.parametrize("n_workers", [1, 3])
def test_paths_are_taken_only_a_few_batches_ahead(
    n_workers: int, photos: list[str], embedder: Embedder
) -> None:
    counted = Counted(photos * 10)
    most_ahead = 3 * BATCH + n_workers
    for n_done, _ in enumerate(embed_files(counted, embedder, n_workers=n_workers), 1):
        assert n_done <= counted.n_taken <= n_done + most_ahead
    assert n_done == counted.n_taken == 100


def test_nothing_is_taken_before_the_first_outcome_is_asked_for(
    photos: list[str], embedder: Embedder
) -> None:
    counted = Counted(photos)
    outcomes = embed_files(counted, embedder)
    assert counted.n_taken == 0
    outcomes.close()
    assert counted.n_taken == 0


def test_an_early_end_stops_the_threads_and_takes_no_more_paths(
    photos: list[str], embedder: Embedder
) -> None:
    counted = Counted(photos * 10)
    outcomes = embed_files(counted, embedder, n_workers=N_WORKERS)
    next(outcomes)
    assert decoding_threads()
    n_taken = counted.n_taken
    outcomes.close()
    assert not decoding_threads()
    assert counted.n_taken == n_taken < 100


def test_an_error_in_the_paths_stops_the_threads(photos: list[str], embedder: Embedder) -> None:
    def paths() -> Iterator[str]:
        yield from photos
        raise OSError("the list broke off")

    with pytest.raises(OSError, match="broke off"):
        list(embed_files(paths(), embedder, n_workers=N_WORKERS))
    assert not decoding_threads()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_row_without_a_direction_marks_only_its_file(bad: float, photos: list[str]) -> None:
    marked = Embedder(FAKE_MODEL, runtime=FakeRuntime()).prepare(photos[4]).pixels

    class Damaging(FakeRuntime):
        def extract(self, pixels: Pixels) -> NDArray[np.float32]:
            rows = super().extract(pixels)
            rows[(pixels == marked).all(axis=(1, 2, 3))] = bad
            return rows

    embedder = Embedder(FAKE_MODEL, runtime=Damaging(), batch_size=BATCH)
    outcomes = list(embed_files(photos, embedder))
    assert [isinstance(outcome, FailedFile) for outcome in outcomes] == [i == 4 for i in range(10)]
    failed = outcomes[4]
    assert isinstance(failed, FailedFile)
    assert failed.failure.code == "no_embedding"
    assert failed.path == photos[4]
    assert failed.stamp == stamp_of(Path(photos[4]).stat())


def test_rows_of_a_wrong_shape_end_the_run(photos: list[str]) -> None:
    class Wrong:
        def extract(self, pixels: Pixels) -> NDArray[np.float32]:
            return np.ones((len(pixels), 7), np.float32)

    with pytest.raises(RuntimeMismatchError):
        list(embed_files(photos, Embedder(FAKE_MODEL, runtime=Wrong())))
    assert not decoding_threads()


def test_float64_rows_in_another_layout_are_taken(photos: list[str], embedder: Embedder) -> None:
    class Wide(FakeRuntime):
        def extract(self, pixels: Pixels) -> NDArray[np.float32]:
            return np.asfortranarray(super().extract(pixels).astype(np.float64))  # type: ignore[return-value]

    wide = embed_files(photos, Embedder(FAKE_MODEL, runtime=Wide(), batch_size=BATCH))
    for outcome, plain in zip(wide, embed_files(photos, embedder), strict=True):
        assert isinstance(outcome, EmbeddedFile)
        assert isinstance(plain, EmbeddedFile)
        assert outcome.embedding.dtype == np.float32
        assert np.array_equal(outcome.embedding, plain.embedding)


def test_the_limit_on_bytes_applies(photos: list[str]) -> None:
    settings = DecodeSettings(max_bytes=10)
    embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), settings=settings)
    outcomes = list(embed_files(photos[:2], embedder))
    assert [outcome.failure.code for outcome in outcomes if isinstance(outcome, FailedFile)] == [
        "too_large",
        "too_large",
    ]


@pytest.mark.parametrize("n_workers", [None, 1, 5])
def test_the_number_of_workers_changes_no_outcome(
    n_workers: int | None, photos: list[str], embedder: Embedder
) -> None:
    expected = embedder.embed(photos)
    outcomes = list(embed_files(photos, embedder, n_workers=n_workers))
    rows = [outcome.embedding for outcome in outcomes if isinstance(outcome, EmbeddedFile)]
    assert np.array_equal(np.stack(rows), expected)
