"""Errors about deciding which copy stays, and about acting on it."""

from __future__ import annotations

from mobisearch.errors.ancestor import MobisearchError
from mobisearch.errors.queries import QueryError

_MAKE_A_PLAN = "write a plan with: mobisearch duplicates --plan FILE"


class UnknownKeepRuleError(QueryError, ValueError):
    """No rule for which copy is kept has this name.

    Attributes:
        rule: what was given.
        known: the rules that exist; of ``format:NAME`` with an unknown name, the formats.
    """

    def __init__(self, rule: str, known: tuple[str, ...], reason: str = "") -> None:
        self.rule = rule
        self.known = known
        self.reason = reason
        what = reason or f"there is no rule {rule!r} for which copy is kept"
        super().__init__(f"{what}; choose among: {', '.join(known)}")


class CleanupError(MobisearchError):
    """Copies could not be cleared away; no photo was lost."""


class PlanError(CleanupError, ValueError):
    """A file is no plan of mobisearch, or one that contradicts itself. Nothing was done.

    Attributes:
        path: the plan file.
        where: the part of it that is wrong, such as ``groups[3].files[0].action``; or "".
    """

    def __init__(self, path: str, reason: str, where: str = "") -> None:
        self.path = path
        self.where = where
        self.reason = reason
        super().__init__(f"{path}: {where + ': ' if where else ''}{reason}")


class PlanNotFoundError(CleanupError, FileNotFoundError):
    """There is no plan at this path, or none that can be read.

    Attributes:
        path: where it was looked for.
        next_step: what to do about it.
    """

    def __init__(
        self, path: str, reason: str = "there is no such file", next_step: str = _MAKE_A_PLAN
    ) -> None:
        self.path = path
        self.reason = reason
        self.next_step = next_step
        super().__init__(f"{path}: {reason}; {next_step}")


class StepRefusedError(CleanupError, RuntimeError):
    """A step of a plan is not safe now, so it was not taken. The file is where it was.

    Attributes:
        path: the file that was to be moved or replaced.
        reason: what is not as the plan says, or not safe.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class TrashUnavailableError(CleanupError, OSError):
    """The system's trash cannot take a file. The file is where it was.

    Attributes:
        path: the file.
        reason: what keeps it from there.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}; it was left where it is")


class DecisionsFileError(CleanupError, ValueError):
    """A file with decisions is not one of mobisearch's. None of it was taken.

    Attributes:
        path: the file.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class DecisionsNotFoundError(CleanupError, FileNotFoundError):
    """There is no file with decisions at this path, or none that can be read.

    Attributes:
        path: where it was looked for.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}; write one with: mobisearch decisions --export FILE")
