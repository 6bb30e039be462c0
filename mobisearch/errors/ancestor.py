"""The ancestor of the whole tree, and how an error survives pickling."""

from __future__ import annotations

from typing import Any


def _rebuild(cls: type[MobisearchError], message: str, values: dict[str, Any]) -> MobisearchError:
    """Make an unpickled error without running its constructor again."""
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(values)
    return error


class MobisearchError(Exception):
    """Base of every exception raised by mobisearch."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, dict(self.__dict__))
