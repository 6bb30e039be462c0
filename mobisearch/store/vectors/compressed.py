"""Approximate search among compressed vectors: one bit for each of some directions, in FAISS.

A structure names candidates; whoever asks scores them exactly. It holds no embeddings.

Embeddings are first projected onto the directions in which a sample of them is largest, then
rotated at random, so that each bit says about as much. Nothing is subtracted before: that would
change inner products (FAISS's own PCA does it). FAISS's RaBitQ subtracts a mean of its own, but
puts it back into the scores.

Source: Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound
for Approximate Nearest Neighbor Search", SIGMOD 2024, https://arxiv.org/abs/2405.12497.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from mobisearch.types import Embeddings

_FLAT = "RaBitQfs"
"""The kind without lists: every compressed vector is looked at."""

_HEADER = struct.Struct("<8sIIIIQQ")  # mark, d, m, bytes of the kind, nothing, n, bytes of FAISS
_MARK = b"mobiann1"
_BLOCK = 32  # vectors that FAISS stores together
_HEAD = struct.Struct("<4siqqq?i")  # of FAISS: fourcc, m, n, two reserved, is_trained, metric
_MEAN_AT = _HEAD.size + 36  # behind the settings of the kind without lists
_LISTS_AT = _HEAD.size + 16  # behind the numbers of lists and probes: the centroids, an index too
_CENTROIDS_AT = _LISTS_AT + _HEAD.size + 8
_IN_MEMORY = b"ilbl"  # lists inside the file; others name files of their own
_MAX_LOOPS = 1 << 20

_parsing = threading.Lock()
"""FAISS keeps its limits for the whole process."""


class Structure:
    """Compressed vectors by id. Safe to search from several threads, not while it grows."""

    def __init__(
        self, kind: str, projection: Embeddings, ids: NDArray[np.int64], index: faiss.Index
    ) -> None:
        """Use :func:`new_structure` or :func:`deserialise_structure` instead."""
        self.kind = kind
        self.ids = ids  # (n,), ascending
        self._projection = projection  # (d, m)
        self._index = index

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        """The number m of directions that are kept."""
        return int(self._projection.shape[1])

    @property
    def n_lists(self) -> int:
        """The number of lists that vectors are sorted into; 1 for the kind without lists."""
        return lists_of(self.kind)

    def add(self, ids: NDArray[np.int64], rows: Embeddings) -> None:
        """Add vectors; their ids are ascending and larger than those in it."""
        self._index.add(np.ascontiguousarray(rows @ self._projection))
        self.ids = np.concatenate([self.ids, ids])

    def candidates(
        self, queries: Embeddings, wanted: int, *, probes: int
    ) -> list[NDArray[np.int64]]:
        """Return the ids that are likely to be most like each query, the likeliest first.

        Cost: a few milliseconds for a million vectors; several queries share all processors.

        Args:
            queries: float32, shape (q, d), unit rows.
            wanted: how many for each query; fewer come where the lists looked at hold fewer.
            probes: how many lists are looked at.
        """
        projected = np.ascontiguousarray(queries @ self._projection)
        settings = None
        if self.n_lists > 1:
            settings = faiss.SearchParametersIVF(  # type: ignore[call-arg]
                nprobe=min(probes, self.n_lists)
            )
        _, places = self._index.search(projected, min(wanted, len(self.ids)), params=settings)
        return [self.ids[row[(row >= 0) & (row < len(self.ids))]] for row in places]

    def serialise(self) -> bytes:
        """Return it as the content of a file."""
        payload = faiss.serialize_index(self._index)
        kind = self.kind.encode()
        d, m = self._projection.shape
        head = _HEADER.pack(_MARK, d, m, len(kind), 0, len(self.ids), len(payload))
        parts = (head, kind, self._projection.astype("<f4"), self.ids.astype("<i8"), payload)
        return b"".join(bytes(part) if isinstance(part, bytes) else part.data for part in parts)


def kind_of(n_lists: int) -> str:
    """Return the kind with so many lists, as FAISS's factory names it."""
    return _FLAT if n_lists == 1 else f"IVF{n_lists},{_FLAT}"


def lists_of(kind: str) -> int:
    """Return the number of lists of a kind, such as 1024 of ``IVF1024,RaBitQfs``.

    Raises:
        ValueError: there is no such kind.
    """
    if kind == _FLAT:
        return 1
    number = kind.removeprefix("IVF").removesuffix(f",{_FLAT}")
    if (
        f"IVF{number},{_FLAT}" != kind
        or not number.isdecimal()
        or not 1 < int(number) <= _MAX_LOOPS
    ):
        raise ValueError(f"no such kind of structure: {kind!r}")
    return int(number)


def find_projection(blocks: Iterable[Embeddings], m: int, *, seed: int) -> Embeddings:
    """Return the m directions in which rows are largest, turned at random: float32, (d, m).

    Args:
        blocks: float32, shape (n, d) each; at least one.
    """
    moment: Any = 0.0
    for rows in blocks:
        moment = moment + (rows.T @ rows).astype(np.float64)
    _, directions = np.linalg.eigh(moment)  # smallest first
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((m, m)))
    return np.ascontiguousarray(directions[:, -m:] @ rotation, dtype=np.float32)


def new_structure(kind: str, projection: Embeddings, sample: Iterable[Embeddings]) -> Structure:
    """Return a structure without vectors, trained with a sample of those that will come.

    Args:
        kind: as FAISS's factory names it, ``RaBitQfs`` or ``IVF1024,RaBitQfs``.
        projection: from :func:`find_projection`.
        sample: rows in blocks, float32, shape (n, d) each.
    """
    n_lists = lists_of(kind)
    index: Any = faiss.index_factory(projection.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    if n_lists > 1:
        index.cp.min_points_per_centroid = 1  # few are no fault; FAISS would print a warning
    index.train(np.concatenate([rows @ projection for rows in sample]))
    return Structure(kind, projection, np.empty(0, np.int64), index)


def deserialise_structure(data: bytes, *, kind: str, n: int, dim: int) -> Structure | None:
    """Read what :meth:`Structure.serialise` wrote; only for data whose hash has been checked.

    FAISS's parser is given nothing whose beginning is not, byte for byte, that of an index of this
    kind, size and dimension: its fields decide what is read next, whether other files are opened
    among that. Within it, no array may promise more bytes than there are.

    Returns:
        The structure, or None if the data is anything else.
    """
    try:
        lists_of(kind)
        mark, d, m, kind_bytes, _, found_n, payload_bytes = _HEADER.unpack_from(data)
    except (ValueError, struct.error):
        return None
    kind_at = _HEADER.size
    projection_at = kind_at + kind_bytes
    ids_at = projection_at + 4 * d * m
    payload_at = ids_at + 8 * found_n
    if (mark, d, found_n, payload_at + payload_bytes) != (_MARK, dim, n, len(data)) or not m:
        return None
    if data[kind_at:projection_at] != kind.encode():
        return None
    projection = np.frombuffer(data, "<f4", d * m, projection_at).reshape(d, m)
    ids = np.frombuffer(data, "<i8", n, ids_at)
    if not np.isfinite(projection).all() or (n and ids[0] < 1) or not (np.diff(ids) > 0).all():
        return None
    payload = np.frombuffer(data, np.uint8, payload_bytes, payload_at)
    if not _is_as_expected(payload, kind, n, m):
        return None
    index = _parse(payload)
    if index is None or (index.ntotal, index.d) != (n, m):
        return None
    # Copies: numpy multiplies what lies askew in memory by a slower way.
    return Structure(kind, projection.copy(), ids.copy(), index)


def _is_as_expected(payload: NDArray[np.uint8], kind: str, n: int, m: int) -> bool:
    """Say whether bytes begin as FAISS writes an index of this kind, up to its vectors.

    What is the same for any number of vectors is compared with an empty index.

    Source: faiss ``impl/index_write.cpp``, ``IndexRaBitQFastScan`` and ``IndexIVFRaBitQFastScan``:
    header, (lists: their number, probes, centroids as ``IxFI``, map,) settings, then the codes.
    """
    empty_index: Any = faiss.index_factory(m, kind, faiss.METRIC_INNER_PRODUCT)
    empty = faiss.serialize_index(empty_index).tobytes()
    n_lists = lists_of(kind)
    if n_lists == 1:
        n_stored = -(-n // _BLOCK) * _BLOCK
        n_bytes = len(empty) + n_stored * int(empty_index.code_size)
        expected = _header(empty, m, n) + empty[_HEAD.size : _MEAN_AT]
        return len(payload) == n_bytes and payload[:_MEAN_AT].tobytes() == expected
    lists = struct.pack("<Q", n_lists)
    inner = _header(empty[_LISTS_AT:], m, n_lists) + struct.pack("<Q", n_lists * m)
    behind = empty[_CENTROIDS_AT : empty.index(_IN_MEMORY) + len(_IN_MEMORY)] + lists
    behind_at = _CENTROIDS_AT + 4 * n_lists * m
    return (
        payload[: _HEAD.size + 8].tobytes() == _header(empty, m, n) + lists
        and payload[_LISTS_AT:_CENTROIDS_AT].tobytes() == inner
        and payload[behind_at : behind_at + len(behind)].tobytes() == behind
    )


def _header(empty: bytes, m: int, n: int) -> bytes:
    """Return the header that the empty index would have, trained and with n vectors."""
    fourcc, _, _, *reserved, _, metric = _HEAD.unpack_from(empty)
    return _HEAD.pack(fourcc, m, n, *reserved, True, metric)


def _parse(payload: NDArray[np.uint8]) -> faiss.Index | None:
    with _parsing:
        faiss.set_deserialization_vector_byte_limit(len(payload) + 1)
        faiss.set_deserialization_loop_limit(_MAX_LOOPS)
        faiss.set_deserialization_lattice_r2_limit(1)
        try:
            return faiss.deserialize_index(payload, faiss.IO_FLAG_READ_ONLY)
        except (RuntimeError, MemoryError):
            return None
