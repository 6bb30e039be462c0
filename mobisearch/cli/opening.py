"""Opening an index for questions, with its network being loaded at the same time.

Loading the network is mostly work outside of Python, opening the catalog mostly imports: side by
side they take the time of one.
"""

from __future__ import annotations

import contextlib
import threading

import mobisearch
from mobisearch.errors import MobisearchError, ModelMismatchError
from mobisearch.types import RuntimeSettings


def open_warm(path: str, runtime: RuntimeSettings) -> mobisearch.ImageIndex:
    """Open an index, and begin to load the default network meanwhile.

    Nearly every index has it. Where one has another, that one is loaded when it is needed.
    """
    embedder = mobisearch.Embedder(runtime=runtime)
    threading.Thread(target=_load, args=[embedder], name="mobisearch-load", daemon=True).start()
    try:
        return mobisearch.ImageIndex.open(path, embedder)
    except ModelMismatchError:
        return mobisearch.ImageIndex.open(path, runtime=runtime)


def _load(embedder: mobisearch.Embedder) -> None:
    with contextlib.suppress(MobisearchError):  # the question itself meets it again, and tells
        embedder.load()
