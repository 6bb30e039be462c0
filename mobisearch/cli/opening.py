"""Opening an index for questions, with its network being loaded at the same time.

Loading the network is mostly work outside of Python, opening the catalog mostly imports: side by
side they take the time of one.
"""

from __future__ import annotations

import contextlib
import threading

import mobisearch
from mobisearch.errors import MobisearchError, ModelMismatchError
from mobisearch.models import DEFAULT_MODEL
from mobisearch.types import RuntimeSettings


def open_warm(
    path: str, runtime: RuntimeSettings, *, model: str | None = None
) -> mobisearch.ImageIndex:
    """Open an index, and begin to load the network meanwhile.

    Args:
        model: one of those of the index; None: the one in use. Nearly always that is the default
            model, whose network is loaded; where it is not, it is loaded when it is needed.
    """
    embedder = mobisearch.Embedder(model or DEFAULT_MODEL, runtime=runtime)
    threading.Thread(target=_load, args=[embedder], name="mobisearch-load", daemon=True).start()
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
