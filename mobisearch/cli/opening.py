"""Opening an index for questions, with its network being loaded at the same time.

Loading the network is mostly work outside of Python, opening the catalog mostly imports: side by
side they take the time of one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import mobisearch
from mobisearch.errors import MobisearchError, ModelMismatchError
from mobisearch.models import DEFAULT_MODEL
from mobisearch.runtimes.apart import RuntimeApart
from mobisearch.types import RuntimeSettings


def open_warm(path: str, runtime: RuntimeSettings) -> mobisearch.ImageIndex:
    """Open an index, and begin to load the network meanwhile.

    Nearly always the model in use is the default one, whose network is loaded; where it is not, it
    is loaded when it is needed.
    """
    embedder = mobisearch.Embedder(DEFAULT_MODEL, runtime=runtime)
    threading.Thread(target=_load, args=[embedder], name="mobisearch-load", daemon=True).start()
    return _open_with(embedder, path, runtime)


@contextlib.contextmanager
def open_for_search(
    path: str, runtime: RuntimeSettings, *, model: str | None = None
) -> Iterator[mobisearch.ImageIndex]:
    """Open an index for queries, its network in a process of its own where that is faster.

    Args:
        model: one of those of the index; None: the one in use, as for :func:`open_warm`.
    """
    apart = RuntimeApart.start(model or DEFAULT_MODEL, runtime)
    try:
        embedder = mobisearch.Embedder(model or DEFAULT_MODEL, runtime=apart or runtime)
        with _open_with(embedder, path, runtime, model=model) as index:
            yield index
    finally:
        if apart is not None:
            apart.close()


def _open_with(
    embedder: mobisearch.Embedder, path: str, runtime: RuntimeSettings, *, model: str | None = None
) -> mobisearch.ImageIndex:
    """Open an index with an embedder if it has its model, or was asked for by name."""
    try:
        index = mobisearch.ImageIndex.open(path, embedder)
    except ModelMismatchError:
        if model is not None:
            raise
        return mobisearch.ImageIndex.open(path, runtime=runtime)
    if index.is_in_use or model is not None:
        return index
    index.close()
    return mobisearch.ImageIndex.open(path, runtime=runtime)


def _load(embedder: mobisearch.Embedder) -> None:
    with contextlib.suppress(MobisearchError):  # the question itself meets it again, and tells
        embedder.load()
