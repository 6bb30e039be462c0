"""The models that an index has embeddings by."""

from __future__ import annotations

from dataclasses import dataclass

from mobisearch.types.images import FileFailure


@dataclass(frozen=True, slots=True)
class IndexModel:
    """A model that an index has embeddings by.

    Attributes:
        name: what users call it.
        label: one line for messages.
        dim: d, values in an embedding.
        in_use: searches use it unless they name another one.
        embedded: different contents that have an embedding by it, those of missing images included.
        lacking: different contents of images that searches can return, and that have none.
    """

    name: str
    label: str
    fingerprint: str
    dim: int
    in_use: bool
    embedded: int
    lacking: int


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What adding a model to an index did.

    Attributes:
        model: its name.
        embedded: contents that got an embedding in this run; copies are one content.
        unchanged: contents that had theirs already.
        left: contents that have none, because none of their files can be read, or because the run
            was stopped.
        failures: why, where there is a reason for one.
        interrupted: the run was stopped on request. What it had done is stored.
    """

    model: str
    embedded: int
    unchanged: int
    left: int
    failures: tuple[FileFailure, ...]
    seconds: float
    interrupted: bool = False
