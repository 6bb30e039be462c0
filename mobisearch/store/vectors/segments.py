"""Vectors as FAISS files of one plain kind, written by FAISS and read by a parser of our own."""

from __future__ import annotations

import struct

import faiss
import numpy as np

from mobisearch.store.vectors.exact import VectorPart

_INDEX_HEADER = struct.Struct("<4siqqq?i")  # fourcc, d, ntotal, two reserved, is_trained, metric
_COUNT = struct.Struct("<Q")


def serialise(part: VectorPart) -> bytes:
    """Return the part as a FAISS file, an ``IndexIDMap`` over an ``IndexFlatIP``.

    It is written to memory: ``faiss.write_index`` neither syncs nor reports a full disk.
    """
    index = faiss.IndexIDMap(faiss.IndexFlatIP(part.rows.shape[1]))
    index.add_with_ids(np.ascontiguousarray(part.rows), part.ids)
    return bytes(faiss.serialize_index(index))


def serialised_bytes(n: int, dim: int) -> int:
    """Return the exact size of what :func:`serialise` gives for n vectors."""
    return 2 * _INDEX_HEADER.size + 2 * _COUNT.size + n * (4 * dim + 8)


def deserialise(data: bytes, *, n: int, dim: int) -> VectorPart | None:
    """Read what :func:`serialise` wrote, without copying and without FAISS's own parser.

    A FAISS file can name other files and promise any size; this accepts the one shape above, of the
    size that n and d demand, with finite rows and ascending ids, and nothing else.

    Returns:
        The part, or None if the data is not exactly that.

    Source: faiss ``impl/index_write.cpp``: ``IxMp``, ``IxFI`` and the vectors that follow them.
    """
    if len(data) != serialised_bytes(n, dim):
        return None
    head = _INDEX_HEADER.size
    outer, inner = _INDEX_HEADER.unpack_from(data, 0), _INDEX_HEADER.unpack_from(data, head)
    values_at = 2 * head + _COUNT.size
    ids_at = values_at + 4 * n * dim + _COUNT.size
    (n_values,) = _COUNT.unpack_from(data, 2 * head)
    (n_ids,) = _COUNT.unpack_from(data, ids_at - _COUNT.size)
    for fourcc, found in ((b"IxMp", outer), (b"IxFI", inner)):
        is_expected = found[:3] == (fourcc, dim, n) and found[5:] == (
            True,
            faiss.METRIC_INNER_PRODUCT,
        )
        if not is_expected:
            return None
    if (n_values, n_ids) != (n * dim, n):
        return None
    rows = np.frombuffer(data, "<f4", n * dim, values_at).reshape(n, dim)
    ids = np.frombuffer(data, "<i8", n, ids_at)
    if not np.isfinite(rows).all() or (n and ids[0] < 1) or not (np.diff(ids) > 0).all():
        return None
    return VectorPart(ids, rows)
