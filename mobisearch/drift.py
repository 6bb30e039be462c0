"""Whether a network still embeds as it did when embeddings were stored."""

from __future__ import annotations

from mobisearch.embedding import Embedder
from mobisearch.errors import ModelMismatchError
from mobisearch.store import ModelRow

_MIN_PROBE_COSINE = 0.9999
"""Between the stored probe and today's: other processors and builds stay above, changes of the
network, its weights or the resizing fall below."""


def check_probe(embedder: Embedder, model: ModelRow, *, location: str) -> None:
    """Compare a network with the one that embeddings of an index were made with.

    Args:
        location: of the index, for messages.

    Raises:
        ModelMismatchError: it embeds differently.
    """
    cosine: float | None = float(embedder.probe() @ model.probe)
    if cosine is not None and cosine >= _MIN_PROBE_COSINE:
        cosine = embedder.find_drift(model.probe)
    if cosine is not None:
        raise ModelMismatchError(
            location,
            expected=model.label,
            actual=f"{embedder.spec.label} on libraries that embed differently "
            f"(probe cosine {cosine:.5f})",
        )
