"""Errors about networks and their weights."""

from __future__ import annotations

from mobisearch.errors.ancestor import MobisearchError


class ModelError(MobisearchError):
    """The network could not be used."""


class UnknownModelError(ModelError, LookupError):
    """No model has this name.

    Attributes:
        name: the name asked for.
        known: the names that exist.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"there is no model {name!r}; choose one of: {', '.join(known)}")


class WeightsNotFoundError(ModelError, FileNotFoundError):
    """The weights file is not where it should be.

    Attributes:
        path: where it was looked for.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path}: the model's weights are missing; reinstall mobisearch")


class WeightsMismatchError(ModelError, ValueError):
    """The weights file is not the one whose SHA-256 is pinned. Nothing of it was used.

    Attributes:
        path: the file.
        expected: the pinned SHA-256, hexadecimal.
        actual: the file's SHA-256, or what else is wrong with it.
    """

    def __init__(self, path: str, *, expected: str, actual: str) -> None:
        self.path = path
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{path}: expected weights with SHA-256 {expected}, got {actual}; "
            "the file is damaged or was replaced, reinstall mobisearch"
        )


class ModelMismatchError(ModelError, ValueError):
    """The index holds embeddings of another model, weights, preprocessing or pooling.

    Attributes:
        expected: what the index was built with.
        actual: what is being used now.
    """

    def __init__(self, index: str, *, expected: str, actual: str) -> None:
        self.index = index
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{index}: the index was built with {expected}, but {actual} is in use; their "
            "embeddings must not be mixed. Use the model of the index, or create a new index"
        )


class RuntimeMismatchError(ModelError, ValueError):
    """A runtime gave rows of another shape than its model promises."""

    def __init__(self, model: str, *, expected: tuple[int, ...], actual: tuple[int, ...]) -> None:
        self.model = model
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{model}: expected embeddings of shape {expected} from the runtime, got {actual}; "
            "the runtime does not fit the model"
        )


class RuntimeUnavailableError(ModelError, ImportError):
    """The runtime that was asked for cannot run here, or not this model.

    Attributes:
        runtime: its name.
        reason: what keeps it from running.
        next_step: what to do instead.
    """

    def __init__(self, runtime: str, reason: str, next_step: str) -> None:
        self.runtime = runtime
        self.reason = reason
        self.next_step = next_step
        super().__init__(f"the runtime {runtime} is not available: {reason}; {next_step}")


class PrecisionUnavailableError(ModelError, ValueError):
    """The precision that was asked for is not to be had from this runtime, model or processor.

    Attributes:
        precision: its name.
        available: the precisions that can be had instead.
    """

    def __init__(self, precision: str, reason: str, available: tuple[str, ...]) -> None:
        self.precision = precision
        self.reason = reason
        self.available = available
        super().__init__(
            f"the precision {precision} is not available: {reason}; "
            f"choose one of: {', '.join(available)}"
        )


class UnknownRuntimeError(ModelError, LookupError):
    """No runtime, or no precision, has this name.

    Attributes:
        what: ``"runtime"`` or ``"precision"``.
        name: the name asked for.
        known: the names that exist.
    """

    def __init__(self, what: str, name: object, known: tuple[str, ...]) -> None:
        self.what = what
        self.name = name
        self.known = known
        super().__init__(f"there is no {what} {name!r}; choose one of: {', '.join(known)}")
