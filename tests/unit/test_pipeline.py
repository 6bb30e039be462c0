"""Paths to embeddings, streamed: order, failures, look-ahead, overlap, and an early end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mobisearch import Embedder, embedding, pipeline
from mobisearch.errors import RuntimeMismatchError
from mobisearch.imaging import Halt, PreparedImage, stamp_of
from mobisearch.imaging.workers import DecodeWorkers, process
from mobisearch.imaging.workers.process import DecodeWorker
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


@pytest.fixture
def many_photos(tmp_path: Path, make_photo: object) -> list[str]:
    """Forty different PNG files."""
    return [
        str(make_photo(tmp_path / f"many {seed}.png", seed=100 + seed))  # type: ignore[operator]
        for seed in range(40)
    ]


def running_threads() -> list[str]:
    """Return the names of the threads of a run."""
    names = ("mobisearch-decode", "mobisearch-embed")
    return [t.name for t in threading.enumerate() if t.name.startswith(names)]


LONG_SECONDS = 60.0
"""For a thread to reach a step; only there so that a hang fails."""


class WatchedRuntime(FakeRuntime):
    """Notes the batch sizes, and may wait for something before each batch."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.has_begun = threading.Event()
        self._before = before

    def extract(self, pixels: Pixels) -> NDArray[np.float32]:
        self.sizes.append(len(pixels))
        self.has_begun.set()
        self._before()
        return super().extract(pixels)


def embedder_of(runtime: FakeRuntime, batch_size: int = BATCH) -> Embedder:
    return Embedder(FAKE_MODEL, runtime=runtime, batch_size=batch_size)


def test_there_is_one_outcome_for_each_path_in_order(photos: list[str], embedder: Embedder) -> None:
    paths = [*photos, photos[0], *photos[::-1]]
    outcomes = list(embed_files(paths, embedder, n_workers=N_WORKERS))
    assert [outcome.path for outcome in outcomes] == paths
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [EmbeddedFile] * len(photos) + [KnownFile] * (1 + len(photos))


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


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_of_copies_the_first_is_embedded_and_the_others_are_known_however_far_they_are_apart(
    batch_size: int, photos: list[str], tmp_path: Path
) -> None:
    runtime = WatchedRuntime()
    paths = [photos[0], photos[1]]
    for number in range(40):
        copy = tmp_path / f"copy {number}.png"
        copy.write_bytes(Path(photos[number % 2]).read_bytes())
        paths.append(str(copy))
    paths.insert(1, paths[2])
    outcomes = list(embed_files(paths, embedder_of(runtime, batch_size)))
    assert [outcome.path for outcome in outcomes] == paths
    new = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, EmbeddedFile)]
    assert new == [0, paths.index(photos[1])]
    assert sum(runtime.sizes) == 2
    for outcome in outcomes:
        assert not isinstance(outcome, FailedFile)
        assert outcome.sha256 == hashlib.sha256(Path(outcome.path).read_bytes()).hexdigest()
        assert outcome.stamp == stamp_of(os.stat(outcome.path))


def test_copies_of_a_picture_without_an_embedding_all_fail(photos: list[str]) -> None:
    class Empty(FakeRuntime):
        def extract(self, pixels: Pixels) -> NDArray[np.float32]:
            return np.zeros((len(pixels), FAKE_MODEL.dim), np.float32)

    paths = [photos[0]] * 8
    outcomes = list(embed_files(paths, embedder_of(Empty())))
    assert [outcome.path for outcome in outcomes] == paths
    assert all(isinstance(outcome, FailedFile) for outcome in outcomes)


def test_an_error_in_the_question_whether_content_is_known_is_not_swallowed(
    photos: list[str], embedder: Embedder
) -> None:
    def broken(sha256: str) -> bool:
        raise KeyError(sha256)

    with pytest.raises(KeyError):
        list(embed_files(photos, embedder, is_known=broken))
    assert not running_threads()


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
    assert running_threads()
    n_taken = counted.n_taken
    outcomes.close()
    assert not running_threads()
    assert counted.n_taken == n_taken < 100


def test_an_error_in_the_paths_stops_the_threads(photos: list[str], embedder: Embedder) -> None:
    def paths() -> Iterator[str]:
        yield from photos
        raise OSError("the list broke off")

    with pytest.raises(OSError, match="broke off"):
        list(embed_files(paths(), embedder, n_workers=N_WORKERS))
    assert not running_threads()


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
    assert not running_threads()


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


# ---------------------------------------------------------------- overlap


def watch_decoding(
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    *,
    before: Callable[[str], object] = lambda _: None,
    after: Callable[[str], object] = lambda _: None,
) -> None:
    """Call functions with the path of each file, before and after it is decoded."""
    original = embedder.prepare_file

    def watched(data: bytes, *, path: str, halt: Halt) -> object:
        before(path)
        prepared = original(data, path=path, halt=halt)
        after(path)
        return prepared

    monkeypatch.setattr(embedder, "prepare_file", watched)


def test_the_network_does_not_wait_for_a_full_batch(
    photos: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = WatchedRuntime()
    embedder = embedder_of(runtime)
    waited: list[bool] = []

    def wait_for_the_network(path: str) -> None:
        if path == photos[1]:
            waited.append(runtime.has_begun.wait(LONG_SECONDS))

    watch_decoding(embedder, monkeypatch, before=wait_for_the_network)
    outcomes = list(embed_files(photos, embedder, n_workers=1))
    assert waited == [True]
    assert runtime.sizes[0] == 1
    rows = [outcome.embedding for outcome in outcomes if isinstance(outcome, EmbeddedFile)]
    assert np.array_equal(np.stack(rows), embedder.embed(photos)), "whatever the batches were"


def test_a_slow_network_takes_all_that_is_decoded_and_never_more_than_a_batch(
    photos: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    are_decoded = threading.Event()
    runtime = WatchedRuntime(before=lambda: are_decoded.wait(LONG_SECONDS))
    embedder = embedder_of(runtime)
    done: list[str] = []

    def note(path: str) -> None:
        done.append(path)
        if len(done) == len(photos):
            are_decoded.set()

    watch_decoding(embedder, monkeypatch, after=note)
    outcomes = list(embed_files(photos, embedder, n_workers=N_WORKERS))
    assert [outcome.path for outcome in outcomes] == photos
    assert sum(runtime.sizes) == len(photos)
    assert max(runtime.sizes) == BATCH


def test_decoding_and_embedding_go_on_while_the_caller_does_something_else(
    many_photos: list[str],
) -> None:
    """As far as they may, and no further: paths are taken by the caller."""
    n_ahead = 3 * BATCH + N_WORKERS
    counted = Counted(many_photos)
    are_embedded = threading.Event()
    runtime = WatchedRuntime(
        before=lambda: are_embedded.set() if sum(runtime.sizes) == n_ahead else None
    )
    outcomes = embed_files(counted, embedder_of(runtime), n_workers=N_WORKERS)
    next(outcomes)
    assert are_embedded.wait(LONG_SECONDS)
    assert counted.n_taken == n_ahead
    assert [outcome.path for outcome in outcomes] == counted.paths[1:]


def test_the_pixels_of_a_few_batches_are_held_however_many_files_there_are(
    many_photos: list[str], embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    most_held = 4 * BATCH + N_WORKERS  # three ahead of the caller, and the batch that he takes from
    held: list[weakref.ref[Pixels]] = []
    original = embedder.prepare_file

    def noted(data: bytes, *, path: str, halt: Halt) -> PreparedImage:
        prepared = original(data, path=path, halt=halt)
        held.append(weakref.ref(prepared.pixels))
        return prepared

    monkeypatch.setattr(embedder, "prepare_file", noted)
    for _ in embed_files(many_photos, embedder, n_workers=N_WORKERS):
        assert sum(pixels() is not None for pixels in held) <= most_held
    assert len(held) == len(many_photos)


def test_what_came_before_an_error_is_given_first(photos: list[str], embedder: Embedder) -> None:
    sixth = hashlib.sha256(Path(photos[5]).read_bytes()).hexdigest()

    def broken(sha256: str) -> bool:
        if sha256 == sixth:
            raise KeyError(sha256)
        return False

    outcomes = embed_files(photos, embedder, is_known=broken)
    assert [next(outcomes).path for _ in range(5)] == photos[:5]
    with pytest.raises(KeyError):
        next(outcomes)
    assert running_threads() == []


@pytest.mark.parametrize("n_good", [0, 1, 4])
def test_an_error_in_the_network_reaches_the_caller_and_ends_all_threads(
    n_good: int, photos: list[str]
) -> None:
    class Breaking(FakeRuntime):
        n_rows = 0

        def extract(self, pixels: Pixels) -> NDArray[np.float32]:
            self.n_rows += len(pixels)
            if self.n_rows > n_good:
                raise ZeroDivisionError("in the network")
            return super().extract(pixels)

    outcomes = embed_files(photos, embedder_of(Breaking(), batch_size=1))
    assert [next(outcomes).path for _ in range(n_good)] == photos[:n_good]
    with pytest.raises(ZeroDivisionError, match="in the network"):
        next(outcomes)
    assert running_threads() == []


def test_an_error_of_the_caller_ends_all_threads(photos: list[str], embedder: Embedder) -> None:
    def use() -> None:
        with contextlib.closing(embed_files(photos, embedder)) as outcomes:
            for _ in outcomes:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert running_threads() == []


def test_what_is_in_the_network_at_an_early_end_is_waited_for_and_nothing_follows(
    photos: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_closing = threading.Event()
    runtime = WatchedRuntime(
        before=lambda: len(runtime.sizes) == 1 or is_closing.wait(LONG_SECONDS)
    )
    outcomes = embed_files(photos, embedder_of(runtime, batch_size=1), n_workers=N_WORKERS)
    next(outcomes)

    [network] = [t for t in threading.enumerate() if t.name == "mobisearch-embed"]
    join = network.join

    def let_it_go_on_and_join() -> None:
        is_closing.set()
        join()

    monkeypatch.setattr(network, "join", let_it_go_on_and_join)
    outcomes.close()
    assert running_threads() == []
    assert len(runtime.sizes) <= 2


def test_a_picture_that_hangs_does_not_hold_up_an_early_end(
    photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys, time\n"
        "sys.path[:] = sys.argv[1:]\n"
        "from mobisearch.imaging.workers import child\n"
        "plain = child.prepare\n"
        "def prepare(data, **options):\n"
        "    return time.sleep(3600) if data == b'hang' else plain(data, **options)\n"
        "child.prepare = prepare\n"
        "child.main()\n"
    )
    (tmp_path / "hang.jpg").write_bytes(b"hang")
    hangs = threading.Event()

    class NotedHalt(Halt):
        @contextlib.contextmanager
        def over(self, worker: DecodeWorker) -> Iterator[None]:
            with super().over(worker):
                begun.append(worker)
                if len(begun) == 2:
                    hangs.set()
                yield

    begun: list[DecodeWorker] = []
    monkeypatch.setattr(process, "_PROGRAM", program)
    monkeypatch.setattr(pipeline, "Halt", NotedHalt)
    own = DecodeWorkers(max_idle=1)
    monkeypatch.setattr(embedding, "shared_workers", lambda: own)
    settings = DecodeSettings(deadline_seconds=3600)
    embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime(), settings=settings, batch_size=1)
    paths = [photos[0], str(tmp_path / "hang.jpg")]
    with contextlib.closing(own):
        outcomes = embed_files(paths, embedder, n_workers=1)
        assert next(outcomes).path == photos[0]
        assert hangs.wait(LONG_SECONDS)
        outcomes.close()
        assert running_threads() == []
        assert own._busy == set()


def test_there_are_as_many_decoding_threads_as_the_machine_has_room_for(
    photos: list[str], embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "count_workers", lambda: 4)
    outcomes = embed_files(photos, embedder)
    next(outcomes)
    assert running_threads().count("mobisearch-embed") == 1
    assert 1 <= len(running_threads()) - 1 <= 4
    outcomes.close()
