"""Errors about classifiers, labels and training."""

from __future__ import annotations

from mobisearch.errors.models import ModelError
from mobisearch.errors.queries import QueryError

_MAX_LISTED = 12
CLASSIFYING_MODEL = "mobilenet_v2.imagenet1k_v1"
"""The one with a classifier that needs no download."""


class NoClassifierError(ModelError, ValueError):
    """The weights of the model have no classifier in them.

    Attributes:
        name: the model.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"the weights of {name} have no classifier in them. Use the model {CLASSIFYING_MODEL} "
            f"(mobisearch index FOLDER --model {CLASSIFYING_MODEL} --index DIR), or train a "
            "classifier with folders of your own and give it with --classifier: "
            "mobisearch train FOLDER --output FILE"
        )


class ClassifierFileError(ModelError, ValueError):
    """A classifier file is not there, damaged, or something else. Nothing of it was used.

    Attributes:
        path: the file.
        reason: what is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path}: {reason}; make a classifier with: mobisearch train FOLDER --output FILE"
        )


class ClassifierMismatchError(ModelError, ValueError):
    """A classifier was trained on the embeddings of another model.

    Attributes:
        classifier: which one.
        expected: the model that it takes.
        actual: the model whose embeddings it was given.
    """

    def __init__(self, classifier: str, *, expected: str, actual: str) -> None:
        self.classifier = classifier
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{classifier}: was trained on embeddings of {expected}, but these are of {actual}; "
            "use the model that it was trained with, or train it again with this one"
        )


class NotLabelledError(QueryError, LookupError):
    """No image of the index has labels yet.

    Attributes:
        path: the index directory.
        model: the one in use, where it has no classifier that could make them; else "".
    """

    def __init__(self, path: str, model: str = "") -> None:
        self.path = path
        self.model = model
        how = "make them with: mobisearch label"
        if model:
            how = (
                f"{model} has no classifier to make them: let the index use one that has "
                f"(mobisearch model add {CLASSIFYING_MODEL}, mobisearch model use "
                f"{CLASSIFYING_MODEL}), then: mobisearch label; or give one of your own: "
                "mobisearch label --classifier FILE"
            )
        super().__init__(f"{path}: no image has labels yet; {how}")


class UnknownLabelError(QueryError, LookupError):
    """No category, or more than one, is called like that.

    Attributes:
        label: what was asked for.
        candidates: the categories that it may mean.
    """

    def __init__(self, label: str, candidates: tuple[str, ...]) -> None:
        self.label = label
        self.candidates = candidates
        if not candidates:
            message = (
                f"no category is called {label!r}; list those of the index with: "
                "mobisearch label --list"
            )
        else:
            shown = ", ".join(repr(name) for name in candidates[:_MAX_LISTED])
            more = len(candidates) - _MAX_LISTED
            shown += f" and {more} more" if more > 0 else ""
            message = f"{label!r} may mean several categories: {shown}; name one of them in full"
        super().__init__(message)


class InvalidProbabilityError(QueryError, ValueError):
    """A probability is not a number from 0 to 1."""

    def __init__(self, probability: object) -> None:
        self.probability = probability
        super().__init__(f"a probability must be a number from 0 to 1, got {probability!r}")


class TrainingDataError(QueryError, ValueError):
    """Nothing can be learnt from a folder.

    Attributes:
        path: the folder.
        reason: what is missing or wrong, and what to do about it.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")
