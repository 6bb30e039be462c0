"""Errors about the models of an index: the one in use, and those beside it."""

from __future__ import annotations

from mobisearch.errors.models import ModelError


class ModelChangedError(ModelError, RuntimeError):
    """Another model came into use while the index was open.

    Attributes:
        index: its directory.
        model: the one that it was opened with.
    """

    def __init__(self, index: str, model: str) -> None:
        self.index = index
        self.model = model
        super().__init__(
            f"{index}: another model than {model} is in use in this index by now; open it again"
        )


class ModelNotInUseError(ModelError, ValueError):
    """The index was opened with a model beside the one in use, which only searches may be made by.

    Attributes:
        index: its directory.
        model: the one that it was opened with.
    """

    def __init__(self, index: str, model: str) -> None:
        self.index = index
        self.model = model
        super().__init__(
            f"{index}: {model} is not the model in use in this index, so that only searches can be "
            "made by it; use it with: mobisearch model use"
        )


class ModelNotInIndexError(ModelError, LookupError):
    """The index has no embeddings by a model of this name, or by several.

    Attributes:
        index: its directory.
        name: the name, or the beginning of a fingerprint, asked for.
        known: what the index has, name and fingerprint.
    """

    def __init__(self, index: str, name: str, known: tuple[str, ...]) -> None:
        self.index = index
        self.name = name
        self.known = known
        super().__init__(
            f"{index}: the index has no single model {name!r}; it has: {', '.join(known)}"
        )


class ModelIncompleteError(ModelError, ValueError):
    """Images of the index have no embedding yet by a model that is to be used.

    Attributes:
        index: its directory.
        model: its name.
        lacking: how many different contents.
    """

    def __init__(self, index: str, model: str, lacking: int) -> None:
        self.index = index
        self.model = model
        self.lacking = lacking
        super().__init__(
            f"{index}: {lacking:,} images have no embedding by {model} yet; go on with: mobisearch "
            f"model add {model}"
        )


class ModelInUseError(ModelError, ValueError):
    """The model in use cannot be dropped.

    Attributes:
        index: its directory.
        model: its name.
    """

    def __init__(self, index: str, model: str) -> None:
        self.index = index
        self.model = model
        super().__init__(f"{index}: {model} is in use and cannot be dropped; use another one first")
