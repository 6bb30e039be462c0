"""Errors about questions and about what is made of the answers."""

from __future__ import annotations

from mobisearch.errors.ancestor import MobisearchError


class QueryError(MobisearchError):
    """The question makes no sense."""


class InvalidResultCountError(QueryError, ValueError):
    """``k`` is not a whole number of at least 1."""

    def __init__(self, k: object) -> None:
        self.k = k
        super().__init__(f"k must be a whole number of at least 1, got {k!r}")


class InvalidRecallError(QueryError, ValueError):
    """A recall is not a number above 0, up to 1."""

    def __init__(self, recall: object) -> None:
        self.recall = recall
        super().__init__(
            f"a recall must be a number above 0, up to 1, got {recall!r}; 0.99 is usual, 1 "
            "compares with every image"
        )


class InvalidWrongGroupsError(QueryError, ValueError):
    """The number of wrong groups to expect is not one above 0, up to a million."""

    def __init__(self, wrong_groups: object) -> None:
        self.wrong_groups = wrong_groups
        super().__init__(
            "the number of wrong groups to expect must be above 0, up to a million, got "
            f"{wrong_groups!r}; 0.5 is usual: probably none in the whole library"
        )


class InvalidScopeError(QueryError, ValueError):
    """There is no such scope for a search for copies, or it lacks its folders.

    Attributes:
        scope: what was given.
        known: the scopes that exist.
    """

    def __init__(self, scope: object, known: tuple[str, ...], reason: str = "") -> None:
        self.scope = scope
        self.known = known
        self.reason = reason
        what = reason or f"there is no scope {scope!r}"
        super().__init__(f"{what}; choose among: {', '.join(known)}" if known else what)


class FolderNotIndexedError(QueryError, LookupError):
    """No image of a folder is in the index.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path}: the index holds nothing of this folder; add it with: mobisearch index FOLDER"
        )


class ImageNotIndexedError(QueryError, LookupError):
    """No image of the index has the bytes of a file: it is none, has changed, or is new.

    Attributes:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path}: no image in the index has the bytes of this file; if it is an image, add it "
            "with: mobisearch index FOLDER"
        )


class InvalidVectorError(QueryError, ValueError):
    """A query vector has the wrong shape, or no direction."""


class UnknownImageIdError(QueryError, LookupError):
    """No image in the index has this id."""

    def __init__(self, image_id: int) -> None:
        self.image_id = image_id
        super().__init__(f"there is no image with id {image_id} in the index")


class InvalidDecisionError(QueryError, ValueError):
    """A decision is of no known kind, or about too few images."""


class UnknownDecisionError(QueryError, LookupError):
    """The index remembers no decision with this id."""

    def __init__(self, decision_id: int) -> None:
        self.decision_id = decision_id
        super().__init__(
            f"there is no decision {decision_id}; list them with: mobisearch decisions"
        )


class TooFewImagesError(QueryError, ValueError):
    """There are not enough images for what was asked.

    Attributes:
        found: how many can be used.
        needed: how many it takes.
    """

    def __init__(self, found: int, *, needed: int) -> None:
        self.found = found
        self.needed = needed
        super().__init__(
            f"expected at least {needed} images that can be used, found {found}; name a folder "
            "with more"
        )


class ReportError(MobisearchError, OSError):
    """A report or contact sheet cannot be written; nothing was changed.

    Attributes:
        path: the file that was to be written.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")
