"""Errors about the page, and about maps."""

from __future__ import annotations

from mobisearch.errors.ancestor import MobisearchError


class ServerError(MobisearchError):
    """The page could not be served."""


class PortTakenError(ServerError, OSError):
    """Nothing can be served at an address.

    Attributes:
        host, port: the address.
        reason: what the system says.
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        self.reason = reason
        super().__init__(
            f"cannot serve at {host}:{port}: {reason}; --port 0 takes a port that is free"
        )


class MappingError(MobisearchError, RuntimeError):
    """A map of an index could not be made.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the map could not be made: {reason}")


class RequestRefusedError(ServerError, ValueError):
    """A server answered a request with an error.

    Attributes:
        status: of the answer, such as 404; 0 if there was no answer.
        code: one word for programs.
        reason: a sentence.
    """

    def __init__(self, url: str, status: int, code: str, reason: str) -> None:
        self.url = url
        self.status = status
        self.code = code
        self.reason = reason
        super().__init__(f"{url}: {reason}")
