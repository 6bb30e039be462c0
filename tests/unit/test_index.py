"""An index as its users see it: made, opened, searched, checked, locked."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch import Embedder, ImageIndex, Match
from mobisearch.errors import (
    CorruptImageError,
    ImageNotFoundError,
    IndexClosedError,
    IndexDamagedError,
    IndexExistsError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    IndexReadOnlyError,
    InvalidResultCountError,
    InvalidVectorError,
    ModelMismatchError,
    StorageError,
    TruncatedImageError,
    UnknownImageIdError,
    UnknownModelError,
)
from mobisearch.models import ModelSpec
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.store import CatalogReader, LiveVectors

PhotoMaker = Callable[..., Path]

N_PHOTOS = 8


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, make_photo: PhotoMaker) -> Path:
    """Eight photos, and a copy of the first. No test changes them."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(N_PHOTOS):
        make_photo(folder / f"{seed}.png", seed=seed)
    shutil.copy(folder / "0.png", folder / "copy of 0.png")
    return folder


def _embedder(spec: ModelSpec = FAKE_MODEL) -> Embedder:
    return Embedder(spec, runtime=FakeRuntime())


@pytest.fixture(scope="module")
def template(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an index of ``photos``, to be copied."""
    path = tmp_path_factory.mktemp("template") / "index"
    with ImageIndex.create(path, _embedder()) as made:
        assert made.sync(photos).added == N_PHOTOS + 1
    return path


@pytest.fixture
def filled(template: Path, tmp_path: Path, fake_embedder: Embedder) -> Iterator[ImageIndex]:
    """An index of ``photos`` in ``tmp_path / "index"``."""
    shutil.copytree(template, tmp_path / "index")
    with ImageIndex.open(tmp_path / "index", fake_embedder) as opened:
        yield opened


def _names(matches: list[Match]) -> list[str]:
    return [os.path.basename(match.image.path) for match in matches]


def _answers(index: ImageIndex) -> list[list[tuple[int, float, str]]]:
    """Return what an index says about 25 queries, scores to the last bit."""
    queries = np.random.default_rng(5).integers(0, 256, (25, 40, 60, 3), dtype=np.uint8)
    return [
        [(match.image.id, match.score, match.image.path) for match in matches]
        for matches in index.search_many(list(queries), k=7)
    ]


def _segments(index_dir: Path) -> list[Path]:
    return sorted((index_dir / "segments").glob("*.faiss"))


# ---------------------------------------------------------------- searching


def test_an_indexed_photo_finds_itself_first_and_its_copy_second(
    filled: ImageIndex, photos: Path
) -> None:
    matches = filled.search(photos / "0.png", k=3)
    assert _names(matches)[:2] == ["0.png", "copy of 0.png"]
    assert matches[0].score == matches[1].score == pytest.approx(1, abs=1e-6)  # float32 rows
    assert matches[0].image.id < matches[1].image.id
    assert matches.query == str(photos / "0.png")


@pytest.mark.parametrize("kind", ["path", "string", "bytes", "Pillow", "array"])
def test_a_query_may_come_as_anything_that_is_an_image(
    filled: ImageIndex, photos: Path, kind: str
) -> None:
    path = photos / "3.png"
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    query = {
        "path": path,
        "string": str(path),
        "bytes": path.read_bytes(),
        "Pillow": picture,
        "array": np.asarray(picture),
    }[kind]
    assert _names(filled.search(query, k=1)) == ["3.png"]


def test_the_search_is_exactly_what_numpy_computes(filled: ImageIndex, photos: Path) -> None:
    embedder = _embedder()
    paths = sorted(photos.iterdir())
    rows = embedder.embed(paths).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for query in range(len(paths)):
        expected = np.clip(np.round((rows * rows[query]).sum(axis=1), 9), -1, 1)
        matches = filled.search(paths[query], k=len(paths))
        by_id = sorted(
            matches,
            key=lambda match: (-expected[paths.index(Path(match.image.path))], match.image.id),
        )
        assert list(matches) == by_id
        for match in matches:
            assert match.score == expected[paths.index(Path(match.image.path))]


def test_an_index_with_fewer_images_than_asked_for_gives_them_all(filled: ImageIndex) -> None:
    for k in (N_PHOTOS + 1, 1_000, 10**9):
        matches = filled.search_by_vector(np.ones(64), k=k)
        assert len({match.image.id for match in matches}) == len(matches) == N_PHOTOS + 1


@pytest.mark.parametrize("k", [0, -1, True, 1.5, "3", None])
def test_a_count_that_is_none_is_refused_by_every_search(filled: ImageIndex, k: int) -> None:
    picture = np.zeros((9, 9, 3), np.uint8)
    for search in (
        lambda: filled.search(picture, k=k),
        lambda: filled.search_many([picture], k=k),
        lambda: filled.search_by_id(1, k=k),
        lambda: filled.search_by_vector(np.ones(64), k=k),
    ):
        with pytest.raises(InvalidResultCountError, match="at least 1"):
            search()


@pytest.mark.parametrize("n_queries", [0, 1, 20, 50])
def test_an_empty_index_answers_any_number_of_queries_with_nothing(
    index: ImageIndex, n_queries: int
) -> None:
    pictures = [np.full((9, 9, 3), n, np.uint8) for n in range(n_queries)]
    assert index.search_many(pictures) == [[]] * n_queries
    assert len(index) == 0


@pytest.mark.parametrize("n_queries", [1, 20, 50])
def test_many_queries_of_a_small_index_give_real_images_only(
    filled: ImageIndex, n_queries: int
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (n_queries, 9, 9, 3), dtype=np.uint8)
    for matches in filled.search_many(list(pictures), k=50):
        assert sorted(match.image.id for match in matches) == list(range(1, N_PHOTOS + 2))


def test_a_search_by_id_leaves_out_the_image_itself_and_shows_its_copies(
    filled: ImageIndex, photos: Path
) -> None:
    first, copy = (match.image.id for match in filled.search(photos / "0.png", k=2))
    for image_id, other in ((first, copy), (copy, first)):
        matches = filled.search_by_id(image_id, k=N_PHOTOS + 1)
        ids = [match.image.id for match in matches]
        assert image_id not in ids
        assert ids[0] == other
        assert len(ids) == N_PHOTOS
        assert matches.query == filled.image(image_id).path
        assert len(filled.search_by_id(image_id, k=2)) == 2


def test_an_id_that_no_image_has_is_unknown(filled: ImageIndex) -> None:
    for image_id in (0, -1, 10**9):
        with pytest.raises(UnknownImageIdError, match=str(image_id)):
            filled.search_by_id(image_id)
        with pytest.raises(UnknownImageIdError):
            filled.image(image_id)


@pytest.mark.parametrize("scale", [1e-200, 0.5, 1.0, 3e10, 1e200])
def test_the_length_of_a_query_vector_does_not_matter(filled: ImageIndex, scale: float) -> None:
    vector = np.random.default_rng(1).standard_normal(64)
    expected = filled.search_by_vector(vector, k=4)
    found = filled.search_by_vector(vector * scale, k=4)
    assert [match.image for match in found] == [match.image for match in expected]
    scores = [match.score for match in expected]
    # The scaling itself rounds, so that a value of the unit row may differ in its last float32 bit.
    assert [match.score for match in found] == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize(
    "vector",
    [np.ones(63), np.ones((1, 64)), np.zeros(64), np.full(64, np.nan), np.full(64, np.inf)],
)
def test_a_query_vector_without_sense_is_refused(filled: ImageIndex, vector: np.ndarray) -> None:
    with pytest.raises(InvalidVectorError):
        filled.search_by_vector(vector)


def test_a_bad_query_among_others_is_data(filled: ImageIndex, photos: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 no more than that")
    queries = [photos / "1.png", bad, photos / "2.png", "gone.jpg", photos / "3.png"]
    results = filled.search_many(queries, k=1)
    assert [_names(matches) for matches in results] == [["1.png"], [], ["2.png"], [], ["3.png"]]
    assert [type(matches.error) for matches in results] == [
        type(None),
        TruncatedImageError,
        type(None),
        ImageNotFoundError,
        type(None),
    ]
    assert results[1].query == str(bad)
    with pytest.raises(CorruptImageError, match=r"bad\.jpg"):
        filled.search(bad)


def test_only_bad_queries_are_data_too(filled: ImageIndex) -> None:
    results = filled.search_many(["gone.jpg", "gone too.jpg"])
    assert [list(matches) for matches in results] == [[], []]
    assert all(matches.error is not None for matches in results)


def test_a_single_query_is_not_taken_for_many(filled: ImageIndex) -> None:
    with pytest.raises(TypeError, match="put it in brackets"):
        filled.search_many("query.jpg")


def test_a_query_gets_the_same_scores_alone_and_among_many(
    filled: ImageIndex, photos: Path
) -> None:
    others = np.random.default_rng(2).integers(0, 256, (40, 30, 30, 3), dtype=np.uint8)
    alone = filled.search(photos / "5.png", k=9)
    among = filled.search_many([*others[:20], photos / "5.png", *others[20:]], k=9)[20]
    assert list(among) == list(alone), "bit for bit"


# ---------------------------------------------------------------- life of an index


def test_an_index_says_what_it_is(filled: ImageIndex, tmp_path: Path, photos: Path) -> None:
    status = filled.status()
    assert (status.images, status.contents, status.missing, status.errors) == (9, 8, 0, 0)
    assert status.path == str(tmp_path / "index")
    assert status.roots == (os.path.realpath(photos),)
    assert (status.model, status.dim) == ("fake", 64)
    assert status.fingerprint == FAKE_MODEL.fingerprint
    assert status.cached == 8
    assert status.catalog_bytes > 16384
    assert status.cache_bytes == sum(p.stat().st_size for p in _segments(tmp_path / "index"))
    assert status.last_sync_at is not None
    assert status.last_sync_at >= status.created_at
    assert len(filled) == 9
    assert str(tmp_path / "index") in repr(filled)


def test_what_was_stored_is_there_after_opening_again(
    filled: ImageIndex, tmp_path: Path, fake_embedder: Embedder
) -> None:
    before = _answers(filled)
    filled.close()
    with ImageIndex.open(tmp_path / "index", fake_embedder) as again:
        assert _answers(again) == before


def test_after_close_every_question_says_that_it_is_closed(
    filled: ImageIndex, photos: Path
) -> None:
    filled.close()
    filled.close()
    for ask in (
        lambda: filled.search(photos / "0.png"),
        lambda: filled.search_many([photos / "0.png"]),
        lambda: filled.search_by_id(1),
        lambda: filled.search_by_vector(np.ones(64)),
        lambda: filled.sync(photos),
        lambda: filled.add([photos / "0.png"]),
        lambda: filled.remove([photos]),
        lambda: filled.image(1),
        lambda: len(filled),
        filled.status,
        filled.errors,
        filled.verify,
    ):
        with pytest.raises(IndexClosedError, match="closed"):
            ask()


def test_where_there_is_no_index_none_is_opened_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="there is no index here"):
        ImageIndex.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_an_index_is_not_made_twice(index: ImageIndex, tmp_path: Path) -> None:
    with pytest.raises(IndexExistsError, match="already"):
        ImageIndex.create(tmp_path / "index", _embedder())


def test_an_unknown_model_makes_no_index(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="mobilenet_v2"):
        ImageIndex.create(tmp_path / "new", "resnet50")
    assert not (tmp_path / "new").exists()


def test_an_index_of_a_model_that_this_version_lacks_says_so(
    index: ImageIndex, tmp_path: Path
) -> None:
    with pytest.raises(UnknownModelError, match="'fake'"):
        ImageIndex.open(tmp_path / "index")


def test_a_model_of_another_fingerprint_is_refused_with_both_names(
    filled: ImageIndex, tmp_path: Path
) -> None:
    other = dataclasses.replace(FAKE_MODEL, architecture="another_projection")
    with pytest.raises(ModelMismatchError) as caught:
        ImageIndex.open(tmp_path / "index", _embedder(other))
    assert "random_projection.seed0" in str(caught.value)
    assert "another_projection.seed0" in str(caught.value)
    assert caught.value.expected == FAKE_MODEL.label
    with pytest.raises(ModelMismatchError):
        ImageIndex.open(tmp_path / "index", "mobilenet_v2")


class _Drifted(FakeRuntime):
    """The same network on libraries that resize differently."""

    def extract(self, pixels):
        return super().extract(np.roll(pixels, 3, axis=1))


def test_libraries_that_embed_differently_are_refused_before_anything_is_stored(
    filled: ImageIndex, tmp_path: Path, make_photo: PhotoMaker
) -> None:
    new = make_photo(tmp_path / "new" / "new.png", seed=99)
    drifted = Embedder(FAKE_MODEL, runtime=_Drifted())
    with ImageIndex.open(tmp_path / "index", drifted) as index:
        with pytest.raises(ModelMismatchError, match="probe cosine"):
            index.add([new])
        with pytest.raises(ModelMismatchError, match="embed differently"):
            index.sync(new.parent)
        assert (len(index), index.errors()) == (N_PHOTOS + 1, [])
    assert filled.status().contents == N_PHOTOS
    assert filled.add([new]).added == 1


def test_an_index_in_a_folder_of_any_name_works(
    tmp_path: Path, make_photo: PhotoMaker, fake_embedder: Embedder
) -> None:
    photo = make_photo(tmp_path / "photo.png", seed=1)
    for name in (
        b"a?b#c%20d",
        b"sp ace",
        "Fotos-日本-🐈".encode(),
        b"\xff\xfe",
        b"-dash",
        b"new\nline",
    ):
        path = os.path.join(tmp_path, os.fsdecode(name))
        with ImageIndex.create(path, fake_embedder) as index:
            index.add([photo])
        with ImageIndex.open(path, fake_embedder) as index:
            assert _names(index.search(photo)) == ["photo.png"]
            assert index.status().path == path


def test_a_relative_path_is_where_it_was_when_the_index_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_photo: PhotoMaker, fake_embedder: Embedder
) -> None:
    photo = make_photo(tmp_path / "photo.png", seed=1)
    monkeypatch.chdir(tmp_path)
    with ImageIndex.create("relative", fake_embedder) as index:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        index.add([photo])
        assert len(index) == 1
    assert (tmp_path / "relative" / "mobisearch.db").is_file()


def test_adding_ends_early_when_it_is_told_to(
    tmp_path: Path, make_photo: PhotoMaker, fake_embedder: Embedder
) -> None:
    photo = make_photo(tmp_path / "photo.png", seed=1)
    stop = threading.Event()
    stop.set()
    with ImageIndex.create(tmp_path / "index", fake_embedder) as index:
        report = index.add([photo], stop=stop)
        assert (report.interrupted, report.added, len(index)) == (True, 0, 0)
        assert index.add([photo]).added == 1


def test_a_creation_that_was_killed_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_embedder: Embedder
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", die)
        with pytest.raises(KeyboardInterrupt):
            ImageIndex.create(tmp_path / "new", fake_embedder)
    with pytest.raises(IndexNotFoundError):
        ImageIndex.open(tmp_path / "new", fake_embedder)
    ImageIndex.create(tmp_path / "new", fake_embedder).close()


def test_an_embedding_that_fails_makes_no_index(tmp_path: Path) -> None:
    class Broken(FakeRuntime):
        def extract(self, pixels):
            raise ModelMismatchError("x", expected="a", actual="b")

    with pytest.raises(ModelMismatchError):
        ImageIndex.create(tmp_path / "new", Embedder(FAKE_MODEL, runtime=Broken()))
    assert not (tmp_path / "new").exists()


# ---------------------------------------------------------------- the cache may be lost


def _delete_all(paths: list[Path], other: Path) -> None:
    for path in paths:
        path.unlink()


def _truncate(paths: list[Path], other: Path) -> None:
    paths[0].write_bytes(paths[0].read_bytes()[:-7])


def _flip_a_bit_in(part: str) -> Callable[[list[Path], Path], None]:
    def flip(paths: list[Path], other: Path) -> None:
        data = bytearray(paths[0].read_bytes())
        at = {"header": 9, "vectors": 82 + 100, "ids": len(data) - 8}[part]
        data[at] ^= 4
        paths[0].write_bytes(data)

    return flip


def _put_another_index(paths: list[Path], other: Path) -> None:
    shutil.copy(_segments(other)[0], paths[0])


def _link_to_passwords(paths: list[Path], other: Path) -> None:
    paths[0].unlink()
    paths[0].symlink_to("/etc/passwd")


def _make_fifo(paths: list[Path], other: Path) -> None:
    paths[0].unlink()
    os.mkfifo(paths[0])


def _make_folder(paths: list[Path], other: Path) -> None:
    paths[0].unlink()
    paths[0].mkdir()


def _promise_much(paths: list[Path], other: Path) -> None:
    data = bytearray(paths[0].read_bytes())
    for at in (8, 45):
        data[at : at + 8] = (1 << 62).to_bytes(8, "little")
    paths[0].write_bytes(data)


def _empty(paths: list[Path], other: Path) -> None:
    paths[0].write_bytes(b"")


DAMAGE: dict[str, Callable[[list[Path], Path], None]] = {
    "all deleted": _delete_all,
    "truncated": _truncate,
    "a bit of the header flipped": _flip_a_bit_in("header"),
    "a bit of the vectors flipped": _flip_a_bit_in("vectors"),
    "a bit of the ids flipped": _flip_a_bit_in("ids"),
    "another index's": _put_another_index,
    "a link to a system file": _link_to_passwords,
    "a FIFO": _make_fifo,
    "a folder": _make_folder,
    "a header that promises 2^62 vectors": _promise_much,
    "empty": _empty,
}


@pytest.fixture(scope="module")
def other_index(tmp_path_factory: pytest.TempPathFactory, make_photo: PhotoMaker) -> Path:
    """The directory of an index with as many other images."""
    folder = tmp_path_factory.mktemp("other")
    for seed in range(N_PHOTOS):
        make_photo(folder / "photos" / f"{seed}.png", seed=1_000 + seed)
    with ImageIndex.create(folder / "index", _embedder()) as other:
        other.sync(folder / "photos")
    return folder / "index"


@pytest.mark.parametrize("next_write", ["sync", "add"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_lost_or_damaged_cache_changes_no_answer_and_is_made_again(
    filled: ImageIndex,
    photos: Path,
    other_index: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    kind: str,
    next_write: str,
) -> None:
    before = _answers(filled)
    DAMAGE[kind](_segments(tmp_path / "index"), other_index)
    assert _answers(filled) == before, "in the object that has them in memory"

    with ImageIndex.open(tmp_path / "index", fake_embedder) as index:
        report = index.verify()
        assert report.ok
        assert report.damage == ()
        assert len(report.stale) == 1
        assert "missing or damaged" in report.stale[0]
        assert report.checked == N_PHOTOS
        assert _answers(index) == before

    with ImageIndex.open(tmp_path / "index", fake_embedder) as index:  # as another command would
        if next_write == "sync":
            index.sync(photos)
        else:
            index.add([photos / "0.png"])
        assert index.verify().stale == ()
        assert index.status().cached == N_PHOTOS
        assert _answers(index) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read what nobody may")
def test_a_cache_that_may_not_be_read_is_not_needed(
    filled: ImageIndex, tmp_path: Path, fake_embedder: Embedder
) -> None:
    before = _answers(filled)
    for path in _segments(tmp_path / "index"):
        path.chmod(0)
    with ImageIndex.open(tmp_path / "index", fake_embedder) as index:
        assert _answers(index) == before
        assert len(index.verify().stale) == 1


def test_a_cache_that_the_system_refuses_to_open_is_not_needed(
    filled: ImageIndex, tmp_path: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _answers(filled)
    system_open = os.open

    def refuse(path, *more, **named):
        if str(path).endswith(".faiss"):
            raise PermissionError(13, "Permission denied", str(path))
        return system_open(path, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    with ImageIndex.open(tmp_path / "index", fake_embedder) as index:
        assert _answers(index) == before
        assert len(index.verify().stale) == 1


def test_an_index_is_whole_without_everything_but_its_catalog(
    filled: ImageIndex, tmp_path: Path, photos: Path, fake_embedder: Embedder
) -> None:
    before = _answers(filled)
    filled.close()
    (tmp_path / "moved").mkdir()
    shutil.copy(tmp_path / "index" / "mobisearch.db", tmp_path / "moved" / "mobisearch.db")
    with ImageIndex.open(tmp_path / "moved", fake_embedder) as index:
        assert _answers(index) == before
        index.sync(photos)
        assert _answers(index) == before
        assert index.verify().stale == ()


def test_a_full_disk_keeps_what_was_committed(
    filled: ImageIndex,
    tmp_path: Path,
    make_photo: PhotoMaker,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seed in range(100, 170):
        make_photo(tmp_path / "more" / f"{seed}.png", seed=seed, size=(8, 8))

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(StorageError, match="disk is full"):
            filled.sync(tmp_path / "more")
    assert len(filled) == N_PHOTOS + 1 + 70
    assert os.listdir(tmp_path / "index" / "tmp") == []
    assert _names(filled.search(tmp_path / "more" / "123.png", k=1)) == ["123.png"]
    assert filled.sync(tmp_path / "more").unchanged == 70
    assert filled.status().cached == N_PHOTOS + 70


# ---------------------------------------------------------------- damage to the catalog itself


def _edit(index_dir: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(index_dir / "mobisearch.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE vector SET vec = zeroblob(length(vec)) WHERE vector_id = 3", "embedding 3 is not"),
        ("UPDATE vector SET vec = x'00' WHERE vector_id = 3", "1 embeddings have the wrong size"),
        ("DELETE FROM vector WHERE vector_id = 3", "1 images have no embedding"),
    ],
)
def test_a_damaged_embedding_is_damage(
    filled: ImageIndex, tmp_path: Path, statement: str, words: str
) -> None:
    assert filled.verify().ok
    _edit(tmp_path / "index", statement)
    report = filled.verify()
    assert not report.ok
    assert any(words in line for line in report.damage)


def _overwrite(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + new + data[at + len(new) :]


CATALOGS: dict[str, tuple[Callable[[bytes], bytes], type[Exception]]] = {
    "zero bytes": (lambda data: b"", IndexDamagedError),
    "half of it": (lambda data: data[: len(data) // 2], IndexDamagedError),
    "a flipped header": (_overwrite(3, b"\xff"), IndexFormatError),
    "a JPEG": (lambda data: b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 500, IndexFormatError),
    "another program's": (_overwrite(68, b"GPKG"), IndexFormatError),
    "a newer version's": (_overwrite(60, (99).to_bytes(4, "big")), IndexFormatError),
    "rubbish in the first tables": (_overwrite(100, b"\xff" * 4_000), IndexDamagedError),
}


@pytest.mark.parametrize("kind", CATALOGS)
def test_a_foreign_or_damaged_catalog_is_refused_and_left_byte_for_byte(
    filled: ImageIndex, tmp_path: Path, photos: Path, fake_embedder: Embedder, kind: str
) -> None:
    filled.close()
    damage, expected = CATALOGS[kind]
    catalog = tmp_path / "index" / "mobisearch.db"
    damaged = damage(catalog.read_bytes())
    catalog.write_bytes(damaged)

    def write() -> None:
        with ImageIndex.open(tmp_path / "index", fake_embedder) as index:
            index.sync(photos)

    with pytest.raises(expected, match=str(tmp_path / "index")):
        write()
    with pytest.raises(IndexExistsError):
        ImageIndex.create(tmp_path / "index", fake_embedder)
    assert catalog.read_bytes() == damaged


# ---------------------------------------------------------------- one writer, many readers

HOLD_THE_LOCK = """
import sys, time
from pathlib import Path
from mobisearch.store import IndexLayout
with IndexLayout(Path(sys.argv[1])).writer_lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def _other_writer(index_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the writer lock until its standard input is closed."""
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(index_dir)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


def test_a_second_writer_is_told_who_is_writing_and_may_read(
    filled: ImageIndex, tmp_path: Path, photos: Path
) -> None:
    with _other_writer(tmp_path / "index") as other:
        for write in (
            lambda: filled.sync(photos),
            lambda: filled.add([photos / "0.png"]),
            lambda: filled.remove([photos]),
        ):
            with pytest.raises(IndexLockedError, match=f"process {other.pid} on "):
                write()
        assert len(filled.search(photos / "0.png", k=3)) == 3


def test_the_lock_of_a_killed_writer_is_free_at_once(
    filled: ImageIndex, tmp_path: Path, photos: Path
) -> None:
    with _other_writer(tmp_path / "index") as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert filled.sync(photos).failed == 0


def test_two_objects_in_one_process_do_not_write_at_once(
    filled: ImageIndex, tmp_path: Path, photos: Path, fake_embedder: Embedder
) -> None:
    with ImageIndex.open(tmp_path / "index", fake_embedder) as second:

        def write_too(_: object) -> None:
            with pytest.raises(IndexLockedError, match=str(os.getpid())):
                second.add([photos / "0.png"])
            done.append(True)

        done: list[bool] = []
        filled.sync(photos, on_progress=write_too)
        assert done
        assert second.add([photos / "0.png"]).failed == 0


SEARCHES: dict[str, Callable[[ImageIndex, Path], list[Match]]] = {
    "search": lambda index, photo: index.search(photo, k=5),
    "search_many": lambda index, photo: index.search_many([photo.parent / "1.png", photo], k=5)[1],
    "search_by_id": lambda index, photo: index.search_by_id(3, k=5),
    "search_by_vector": lambda index, photo: index.search_by_vector(np.ones(64), k=5),
}


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_commit_in_the_middle_of_a_search_does_not_change_its_result(
    filled: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    expected = SEARCHES[kind](filled, photos / "2.png")
    assert len(expected) == 5
    search = LiveVectors.search
    n_removed: list[int] = []

    def search_then_commit(
        vectors: LiveVectors, embeddings: np.ndarray, k: int, *, exact: bool
    ) -> object:
        found = search(vectors, embeddings, k, exact=exact)
        with ImageIndex.open(tmp_path / "index", fake_embedder) as writer:
            n_removed.append(writer.remove([photos]))
        return found

    monkeypatch.setattr(LiveVectors, "search", search_then_commit)
    assert SEARCHES[kind](filled, photos / "2.png") == expected
    assert n_removed == [N_PHOTOS + 1]
    assert len(filled) == 0


def test_a_commit_while_vectors_are_loaded_does_not_change_what_is_loaded(
    filled: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = _answers(filled)
    vectors = CatalogReader.vectors
    n_removed: list[int] = []

    def commit_then_read(reader: CatalogReader, *bounds: int, dim: int) -> object:
        if not n_removed:
            with ImageIndex.open(tmp_path / "index", fake_embedder) as writer:
                n_removed.append(writer.remove([photos]))
        return vectors(reader, *bounds, dim=dim)

    with ImageIndex.open(tmp_path / "index", fake_embedder) as fresh:
        monkeypatch.setattr(CatalogReader, "vectors", commit_then_read)
        assert _answers(fresh) == expected
        assert n_removed == [N_PHOTOS + 1]
        assert _answers(fresh) == [[]] * 25


def test_readers_in_threads_see_whole_commits_while_another_writes(
    tmp_path: Path, make_photo: PhotoMaker, fake_embedder: Embedder
) -> None:
    n_batches, n_per_batch = 3, 6
    for batch in range(n_batches):
        for number in range(n_per_batch):
            make_photo(tmp_path / f"{batch}" / f"{number}.png", seed=100 * batch + number)
    path = tmp_path / "busy"
    ImageIndex.create(path, fake_embedder).close()
    is_done = threading.Event()
    seen: list[list[str]] = []
    problems: list[BaseException] = []

    with ImageIndex.open(path, _embedder()) as shared:

        def read() -> None:
            try:
                while not is_done.is_set():
                    matches = shared.search_by_vector(np.ones(64), k=1_000)
                    seen.append([os.path.basename(os.path.dirname(m.image.path)) for m in matches])
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                problems.append(error)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            with ImageIndex.open(path, fake_embedder) as index:
                for batch in range(n_batches):
                    index.sync(tmp_path / f"{batch}")
                    assert index.remove([tmp_path / f"{batch}"]) == n_per_batch
        finally:
            is_done.set()
            for reader in readers:
                reader.join()
    assert problems == []
    assert all(len(set(batches)) <= 1 and len(batches) in (0, n_per_batch) for batches in seen)
    assert seen


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says that nothing may be written, as on read-only media."""
    access, system_open = os.access, os.open

    def refuse(path, flags, *more, **named):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(30, "Read-only file system", str(path))
        return system_open(path, flags, *more, **named)

    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: mode != os.W_OK and access(path, mode, **more)
    )
    monkeypatch.setattr(os, "open", refuse)


@pytest.fixture
def closed_index(filled: ImageIndex, tmp_path: Path) -> Path:
    """The directory of an index of ``photos`` that nobody has open."""
    filled.close()
    return tmp_path / "index"


def test_an_index_on_read_only_media_can_be_searched_and_not_changed(
    closed_index: Path, photos: Path, fake_embedder: Embedder, request: pytest.FixtureRequest
) -> None:
    files = sorted(os.listdir(closed_index))
    request.getfixturevalue("read_only")
    with ImageIndex.open(closed_index, fake_embedder) as index:
        assert _names(index.search(photos / "0.png", k=1)) == ["0.png"]
        assert index.verify().ok
        with pytest.raises(IndexReadOnlyError, match="cannot be written"):
            index.add([photos / "0.png"])
    assert sorted(os.listdir(closed_index)) == files


def test_on_read_only_media_no_index_is_made(
    tmp_path: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(IndexReadOnlyError, match="choose a directory that can"):
        ImageIndex.create(tmp_path / "new", fake_embedder)


def test_photos_are_never_changed(filled: ImageIndex, photos: Path) -> None:
    def state() -> dict[str, tuple[str, int]]:
        return {
            name: (
                hashlib.sha256((photos / name).read_bytes()).hexdigest(),
                (photos / name).stat().st_mtime_ns,
            )
            for name in os.listdir(photos)
        }

    before = state()
    filled.search(photos / "0.png")
    filled.sync(photos, prune=True)
    filled.verify()
    filled.search_many([photos / "1.png"])[0]._repr_html_()
    filled.remove([photos])
    assert state() == before


def test_a_query_given_as_a_stream_is_a_mistake_of_the_caller(filled: ImageIndex) -> None:
    with pytest.raises(TypeError, match="expected a path, bytes"):
        filled.search(io.BytesIO(b""))  # type: ignore[arg-type]


def test_an_image_scores_exactly_one_against_itself(filled: ImageIndex, photos: Path) -> None:
    for path in photos.iterdir():
        assert filled.search(path, k=1)[0].score == 1
