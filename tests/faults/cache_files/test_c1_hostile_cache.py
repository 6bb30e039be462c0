"""Vector files made to harm, with the size and hash that the catalog lists."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from faultkit.cache_files import DIM, HEADER_BYTES, N_PHOTOS, VALUES_AT, segment
from faultkit.questions import answers

from mobisearch import Embedder, ImageIndex


def _wrong_dim(data: bytes) -> bytes:
    for at in (4, HEADER_BYTES + 4):
        data = data[:at] + struct.pack("<i", 2 * DIM) + data[at + 4 :]
    return data


def _huge_count(data: bytes) -> bytes:
    for at in (8, HEADER_BYTES + 8, 2 * HEADER_BYTES):
        data = data[:at] + struct.pack("<q", 1 << 62) + data[at + 8 :]
    return data


# ---------------------------------------------------------------- hostile files, listed as ours


def _list_as_ours(index_dir: Path, data: bytes) -> None:
    """Put bytes in the place of the vector file, with the size and hash that the catalog lists."""
    path = segment(index_dir)
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    with contextlib.closing(sqlite3.connect(index_dir / "mobisearch.db")) as connection, connection:
        connection.execute("UPDATE segment SET size_bytes = ?, sha256 = ?", (len(data), digest))


FOURCCS = (
    *("IxFl", "IxF2", "IxFI", "IxHE", "IxHe", "IxPT", "IxRF", "IxRR", "IxM2", "IxMp", "IxRS"),
    *("IxPQ", "IxPo", "IxPq", "IxSQ", "IxLS", "IxLa", "IxIS", "IxI2", "IxI3", "IxFD", "IxAQ"),
    *("IvFl", "IwFl", "IwFd", "IvFL", "IvSQ", "IwSQ", "IwSq", "IvPQ", "IwPQ", "IwQR", "IwPf"),
    *("IwSh", "ImRQ", "ImLS", "IHNf", "IHNp", "IHNs", "IHN2", "IHfP", "INSf", "INSp", "INDf"),
    *("IBxF", "IBwF", "IBFf", "IBHf", "IBMp", "IBM2", "IBHh", "IBHm", "ilar", "ilod", "il00"),
)
"""The kinds of index that FAISS reads. Source: faiss ``impl/index_read.cpp``."""


@pytest.mark.parametrize("place", [0, HEADER_BYTES], ids=["outside", "inside"])
def test_case_25_no_other_kind_of_index_is_read_even_if_its_hash_is_listed(
    index_dir: Path, template: Path, fake_embedder: Embedder, expected: object, place: int
) -> None:
    whole = segment(index_dir).read_bytes()
    kinds = [kind.encode() for kind in FOURCCS]
    kinds.remove(whole[place : place + 4])
    for kind in kinds:
        _list_as_ours(index_dir, whole[:place] + kind + whole[place + 4 :])
        with ImageIndex.open(index_dir, fake_embedder) as index:
            assert len(index.verify().stale) == 1, kind
    with ImageIndex.open(index_dir, fake_embedder) as index:
        assert answers(index) == expected


@pytest.mark.parametrize(
    "kind",
    [
        *("Flat", "SQ8", "LSH", "HNSW8", "IVF4,Flat", "IVF4,SQ8", "PQ4x4", "PCA8,Flat"),
        *("IDMap,Flat", "IDMap2,Flat"),
    ],
)
def test_case_25_a_whole_index_of_another_kind_is_not_read_even_if_its_hash_is_listed(
    index_dir: Path, check_survives: Callable[..., None], kind: str
) -> None:
    rows = np.random.default_rng(0).standard_normal((2 * N_PHOTOS, DIM)).astype(np.float32)
    made = faiss.index_factory(DIM, kind, faiss.METRIC_L2)
    made.train(rows)
    if kind.startswith("IDMap"):
        made.add_with_ids(rows[:N_PHOTOS], np.arange(1, N_PHOTOS + 1))
    else:
        made.add(rows[:N_PHOTOS])
    _list_as_ours(index_dir, bytes(faiss.serialize_index(made)))
    check_survives()


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "wrong dim": _wrong_dim,
    "ntotal of 2^62": _huge_count,
    "not a number": lambda data: (
        data[:VALUES_AT] + struct.pack("<f", np.nan) + data[VALUES_AT + 4 :]
    ),
    "infinity": lambda data: data[:VALUES_AT] + struct.pack("<f", np.inf) + data[VALUES_AT + 4 :],
    "ids twice": lambda data: data[:-8] + data[-16:-8],
    "an id of -1": lambda data: data[: -8 * N_PHOTOS] + b"\xff" * 8 + data[8 - 8 * N_PHOTOS :],
    "an id of 2^63 - 1": lambda data: data[:-8] + struct.pack("<q", 2**63 - 1),
    "untrained": lambda data: data[:32] + b"\0" + data[33:],
    "another metric": lambda data: data[:33] + struct.pack("<i", 1) + data[37:],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_case_25_a_hostile_file_is_not_read_even_if_its_hash_is_listed(
    index_dir: Path, check_survives: Callable[..., None], kind: str
) -> None:
    _list_as_ours(index_dir, HOSTILE[kind](segment(index_dir).read_bytes()))
    check_survives()


@pytest.mark.parametrize("target", ["/etc/passwd", "canary"])
def test_case_25_a_file_that_names_another_file_does_not_get_it_opened(
    index_dir: Path,
    tmp_path: Path,
    check_survives: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    target: str,
) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(b"c" * 100_000)
    name = str(canary) if target == "canary" else target
    rows = np.random.default_rng(0).standard_normal((N_PHOTOS, DIM)).astype(np.float32)
    made = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIM), DIM, 4)
    made.train(rows)
    lists = faiss.OnDiskInvertedLists(4, made.code_size, str(tmp_path / "lists"))
    made.replace_invlists(lists)
    made.add(rows)
    data = bytes(faiss.serialize_index(made))
    old = os.fsencode(tmp_path / "lists")
    at = data.index(old)
    new = os.fsencode(name)
    data = data[: at - 8] + struct.pack("<Q", len(new)) + new + data[at + len(old) :]
    _list_as_ours(index_dir, data)
    opened: list[str] = []
    system_open = os.open

    def watched(path: Any, *more: Any, **named: Any) -> int:
        opened.append(os.fsdecode(path))
        return system_open(path, *more, **named)

    monkeypatch.setattr(os, "open", watched)
    before = os.stat(name)
    check_survives()
    assert any(path.endswith(".faiss") for path in opened), "or this test sees nothing"
    assert name not in opened
    assert os.stat(name).st_mtime_ns == before.st_mtime_ns
    assert canary.read_bytes() == b"c" * 100_000
