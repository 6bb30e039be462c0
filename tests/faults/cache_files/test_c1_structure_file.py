"""The file for approximate search, damaged or made to harm: never believed, never needed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from faultkit.cache_files import DIM, N_PHOTOS

from mobisearch import Embedder, ImageIndex
from mobisearch.store import narrowing, structures, tuning

KINDS = {"flat": "RaBitQfs", "lists": "IVF8,RaBitQfs"}
PROJECTION_AT = 48  # behind our own header, and the name of the kind
Answers = list[list[tuple[int, float]]]


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 80 photos be many, and candidates be all of them."""
    monkeypatch.setattr(structures, "_MIN_VECTORS", 40)
    monkeypatch.setattr(tuning, "_CANDIDATES", (N_PHOTOS,))
    monkeypatch.setattr(tuning, "_PROBES", (1 << 20,))
    monkeypatch.setattr(narrowing, "_MAX_SHARE", 1.0)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two kinds of structures."""
    if request.param == "lists":
        monkeypatch.setattr(structures, "_MIN_FOR_LISTS", 40)
    return KINDS[request.param]


@pytest.fixture
def structured(
    index_dir: Path, template: Path, tmp_path: Path, fake_embedder: Embedder, kind: str
) -> Path:
    """An index with a structure; and another, ``other``, beside it."""
    shutil.copytree(template / "other", tmp_path / "other")
    for path, photos in ((index_dir, "index"), (tmp_path / "other", "other")):
        with ImageIndex.open(path, fake_embedder) as index:
            index.sync(template / f"photos of {photos}")
            status = index.status().structure
            assert status is not None
            assert (status.kind, status.vectors) == (kind, N_PHOTOS)
    return index_dir


def _file(index_dir: Path) -> Path:
    [path] = (index_dir / "segments").glob("ann-*.faiss")
    return path


def _forbidden(*_: object, **__: object) -> None:
    pytest.fail("a file with another hash was looked into")


def _answers(index: ImageIndex, *, exact: bool = False) -> Answers:
    queries = np.random.default_rng(5).standard_normal((6, DIM))
    return [
        [(m.image.id, m.score) for m in index.search_by_vector(query, k=5, exact=exact)]
        for query in queries
    ]


@pytest.fixture
def check_survives(
    structured: Path, template: Path, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """A function that checks what an index with a damaged file answers, and that it heals.

    ``may_parse`` says whether the file may be looked into: only if its hash is that in the catalog.
    """
    with ImageIndex.open(structured, fake_embedder) as index:
        expected = _answers(index, exact=True)
        assert _answers(index) == expected

    def check(*, may_parse: bool = True) -> None:
        with monkeypatch.context() as patch, ImageIndex.open(structured, fake_embedder) as index:
            if not may_parse:
                patch.setattr(structures, "deserialise_structure", _forbidden)
            assert _answers(index) == expected
            report = index.verify()
            assert report.ok, report.damage
            assert len(report.stale) == 1
            assert report.stale[0].startswith("segments/ann-")
        with ImageIndex.open(structured, fake_embedder) as index:
            index.sync(template / "photos of index")
            assert index.verify().stale == ()
            assert index.status().structure is not None
            assert _answers(index) == expected

    return check


def _change(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def _flip(at: int) -> Callable[[Path], object]:
    return _change(lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at:][1:])


def _replace(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _copy(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.unlink()
    path.symlink_to(path.with_suffix(".copy"))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "0 bytes": _change(lambda data: b""),
    "half of it": _change(lambda data: data[: len(data) // 2]),
    "1 byte less": _change(lambda data: data[:-1]),
    "1 byte more": _change(lambda data: data + b"\0"),
    "a bit of our header": _flip(9),
    "a bit of the projection": _flip(PROJECTION_AT + 100),
    "a bit of the ids": _flip(PROJECTION_AT + 4 * DIM * DIM + 20),
    "a bit near the end": _flip(-9),
    "of another index": lambda path: shutil.copy(_file(path.parents[2] / "other"), path),
    "link to a system file": _replace(lambda path: path.symlink_to("/etc/passwd")),
    "link to a copy of itself": _copy,
    "FIFO": _replace(lambda path: os.mkfifo(path)),
    "directory": _replace(lambda path: path.mkdir()),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_case_25_a_damaged_structure_changes_no_answer_and_is_made_again(
    structured: Path, check_survives: Callable[..., None], what: str
) -> None:
    DAMAGE[what](_file(structured))
    check_survives(may_parse=False)


# ---------------------------------------------------------------- made to harm, listed as ours


def _list_as_ours(index_dir: Path, data: bytes) -> None:
    """Put bytes in the place of the file, with the size and hash that the catalog lists."""
    _file(index_dir).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    with contextlib.closing(sqlite3.connect(index_dir / "mobisearch.db")) as connection, connection:
        connection.execute("UPDATE structure SET size_bytes = ?, sha256 = ?", (len(data), digest))


def _with_payload(data: bytes, payload: bytes) -> bytes:
    """Return our file with other bytes for FAISS."""
    mark, d, m, n_kind, _, n, _ = struct.unpack_from("<8sIIIIQQ", data)
    at = struct.calcsize("<8sIIIIQQ") + n_kind + 4 * d * m + 8 * n
    head = struct.pack("<8sIIIIQQ", mark, d, m, n_kind, 0, n, len(payload))
    return head + data[len(head) : at] + payload


def _payload(data: bytes) -> bytes:
    (n_bytes,) = struct.unpack_from("<Q", data, 32)
    return data[-n_bytes:]


@pytest.mark.parametrize(
    "other", ["Flat", "SQ8", "IVF8,Flat", "HNSW8", "RaBitQfs", "IVF8,RaBitQfs"]
)
def test_case_25_an_index_of_another_kind_is_not_read_even_if_its_hash_is_listed(
    structured: Path, check_survives: Callable[..., None], kind: str, other: str
) -> None:
    rows = np.random.default_rng(0).standard_normal((N_PHOTOS, DIM)).astype(np.float32)
    metric = faiss.METRIC_L2 if other == kind else faiss.METRIC_INNER_PRODUCT
    made: Any = faiss.index_factory(DIM, other, metric)
    if other.startswith("IVF"):
        made.cp.min_points_per_centroid = 1
    made.train(rows)
    made.add(rows)
    data = _file(structured).read_bytes()
    _list_as_ours(structured, _with_payload(data, bytes(faiss.serialize_index(made))))
    check_survives()


HEADER: dict[str, Callable[[bytes], bytes]] = {
    "another mark": lambda data: b"x" + data[1:],
    "another d": lambda data: data[:8] + struct.pack("<I", 2 * DIM) + data[12:],
    "no directions": lambda data: data[:12] + struct.pack("<I", 0) + data[16:],
    "2^31 directions": lambda data: data[:12] + struct.pack("<I", 1 << 31) + data[16:],
    "n of 2^62": lambda data: data[:24] + struct.pack("<Q", 1 << 62) + data[32:],
    "a payload of 2^62": lambda data: data[:32] + struct.pack("<Q", 1 << 62) + data[40:],
    "nothing but a header": lambda data: data[:40],
    "nothing": lambda data: b"",
    "n of 2^62 inside": lambda data: _with_payload(
        data, _payload(data)[:8] + struct.pack("<q", 1 << 62) + _payload(data)[16:]
    ),
    "other directions inside": lambda data: _with_payload(
        data, _payload(data)[:4] + struct.pack("<i", 1 << 30) + _payload(data)[8:]
    ),
    "codes cut short": lambda data: _with_payload(data, _payload(data)[:-100]),
}


@pytest.mark.parametrize("what", HEADER)
def test_case_25_sizes_that_are_not_true_are_not_believed_even_if_the_hash_is_listed(
    structured: Path, check_survives: Callable[..., None], what: str
) -> None:
    _list_as_ours(structured, HEADER[what](_file(structured).read_bytes()) or b"-")
    check_survives()


@pytest.mark.parametrize("kind", ["lists"], indirect=True)
@pytest.mark.parametrize("target", ["/etc/passwd", "canary"])
def test_case_25_a_structure_that_names_another_file_does_not_get_it_opened(
    structured: Path,
    tmp_path: Path,
    check_survives: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    target: str,
) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(b"c" * 100_000)
    name = os.fsencode(str(canary) if target == "canary" else target)
    data = _file(structured).read_bytes()
    payload = _payload(data)
    at = payload.index(b"ilbl")
    # As FAISS writes lists that are in a file of their own: sizes, then its name.
    rows = np.random.default_rng(0).standard_normal((N_PHOTOS, DIM)).astype(np.float32)
    on_disk = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIM), DIM, 1)
    on_disk.train(rows)
    lists = faiss.OnDiskInvertedLists(1, on_disk.code_size, str(tmp_path / "lists"))
    on_disk.replace_invlists(lists)
    on_disk.add(rows)
    named = bytes(faiss.serialize_index(on_disk))
    named = named[named.index(b"ilod") :]
    old = os.fsencode(tmp_path / "lists")
    place = named.index(old)
    named = named[: place - 8] + struct.pack("<Q", len(name)) + name + named[place + len(old) :]
    _list_as_ours(structured, _with_payload(data, payload[:at] + named))
    parsed: list[int] = []
    parse = faiss.deserialize_index

    def watched(data: Any, *more: Any) -> Any:
        parsed.append(bytes(data).count(b"ilod"))
        return parse(data, *more)

    monkeypatch.setattr(faiss, "deserialize_index", watched)
    before = os.stat(name)
    check_survives()
    assert parsed, "the one that was made again is read by FAISS"
    assert not any(parsed), "this one is not"
    assert os.stat(name).st_mtime_ns == before.st_mtime_ns
    assert canary.read_bytes() == b"c" * 100_000
