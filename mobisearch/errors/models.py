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


class ModelVariantError(ModelError, ValueError):
    """A width, a resolution or a hash in the name of a model is not one that can be had.

    Attributes:
        name: the name asked for.
        reason: what is wrong with it, and what is right.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"there is no model {name!r}: {reason}")


class UntrainedModelError(ModelError, ValueError):
    """The model is one of another width, for which there are no weights.

    Attributes:
        name: its name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name}: there are no weights of this width, it is for training only; to embed with "
            "weights of your own, give their file and its SHA-256"
        )


_REINSTALL = "reinstall mobisearch"


class WeightsNotFoundError(ModelError, FileNotFoundError):
    """The weights file is not where it should be.

    Attributes:
        path: where it was looked for.
        next_step: what to do about it.
    """

    def __init__(self, path: str, next_step: str = _REINSTALL) -> None:
        self.path = path
        self.next_step = next_step
        super().__init__(f"{path}: the model's weights are missing; {next_step}")


class WeightsMismatchError(ModelError, ValueError):
    """The weights file is not the one whose SHA-256 is pinned. Nothing of it was used.

    Attributes:
        path: the file.
        expected: the pinned SHA-256, hexadecimal.
        actual: the file's SHA-256, or what else is wrong with it.
        next_step: what to do about it.
    """

    def __init__(
        self, path: str, *, expected: str, actual: str, next_step: str = _REINSTALL
    ) -> None:
        self.path = path
        self.expected = expected
        self.actual = actual
        self.next_step = next_step
        super().__init__(
            f"{path}: expected weights with SHA-256 {expected}, got {actual}; "
            f"the file is damaged or was replaced, {next_step}"
        )


class WeightsAbsentError(ModelError, FileNotFoundError):
    """The weights are not on this machine, and were not to be fetched.

    Attributes:
        name: the model.
        reason: why they were not fetched.
        path: where the file is looked for.
        expected: the SHA-256 that it must have.
    """

    def __init__(self, name: str, reason: str, *, path: str, expected: str) -> None:
        self.name = name
        self.reason = reason
        self.path = path
        self.expected = expected
        super().__init__(
            f"{name}: its weights are not on this machine, and {reason}; put the file with the "
            f"SHA-256 {expected} at {path}, or name it with --weights"
        )


class WeightsDownloadError(ModelError, OSError):
    """The weights could not be fetched. What has come so far is kept, and the next try goes on.

    Attributes:
        address: where they were fetched from.
        reason: what went wrong.
        path: where the file can be put by hand.
        expected: the SHA-256 that it must have.
    """

    def __init__(self, address: str, reason: str, *, path: str, expected: str) -> None:
        self.address = address
        self.reason = reason
        self.path = path
        self.expected = expected
        super().__init__(
            f"{address}: the weights could not be fetched: {reason}; try again later, or fetch the "
            f"file with the SHA-256 {expected} by other means and put it at {path}, or name it "
            "with --weights"
        )


class WeightsAddressError(ModelError, ValueError):
    """The address to fetch weights from is not one that is used.

    Attributes:
        address: as given.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(
            f"{address!r} is no address to fetch weights from; it must begin with https://, "
            "http:// or file:///"
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
            "embeddings must not be mixed. Use the model of the index, or add this one beside it "
            "with: mobisearch model add"
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
