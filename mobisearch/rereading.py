"""Embedding again what an index holds: contents by id, from whichever of their files are there."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from mobisearch.embedding import Embedder
from mobisearch.pipeline import EmbeddedFile, FailedFile, embed_files
from mobisearch.store import Catalog
from mobisearch.types import FileFailure

_ATTEMPTS = 3
"""Files of one content that are tried, one after the other."""


def embed_contents(
    catalog: Catalog,
    embedder: Embedder,
    contents: Mapping[int, str],
    *,
    stop: threading.Event,
) -> tuple[dict[int, EmbeddedFile], dict[int, FileFailure]]:
    """Read and embed files of some contents.

    Args:
        contents: SHA-256, hexadecimal, by id. A file that holds something else by now is passed
            over.
        stop: once it is set, no more are begun.

    Returns:
        What was embedded, by content; and why others could not be, the last reason of each. In
        neither is what was not tried, and what has no file any more that holds it.

    Raises:
        ModelError: the network cannot be loaded.
    """
    found: dict[int, EmbeddedFile] = {}
    failures: dict[int, FileFailure] = {}
    for attempt in range(_ATTEMPTS):
        lacking = [content_id for content_id in contents if content_id not in found]
        paths = catalog.looks.paths(lacking, attempt)
        if not paths or stop.is_set():
            break
        outcomes = embed_files(paths.values(), embedder)
        try:
            for content_id, outcome in zip(paths, outcomes, strict=True):
                if isinstance(outcome, FailedFile):
                    failures[content_id] = outcome.failure
                elif isinstance(outcome, EmbeddedFile) and outcome.sha256 == contents[content_id]:
                    found[content_id] = outcome
                if stop.is_set():
                    break
        finally:
            outcomes.close()
    return found, {number: why for number, why in failures.items() if number not in found}
