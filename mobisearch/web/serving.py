"""Serving: sockets on this machine, a server on them, and an end when it is asked for."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable

import uvicorn

from mobisearch.errors import PortTakenError
from mobisearch.index import ImageIndex
from mobisearch.web.app import create_app
from mobisearch.web.state import WebSettings

LOCAL_HOST = "127.0.0.1"
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_BACKLOG = 128
_CLOSING_SECONDS = 3
_KEEP_ALIVE_SECONDS = 15
_MOST_REQUESTS = 256


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets: on an address, and for 127.0.0.1 on ::1 too where that is free.

    Args:
        port: 0 takes one that is free.

    Raises:
        PortTakenError: something else has the port, or the address is none of this machine.
    """
    sockets: list[socket.socket] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sockets.append(_open_socket(family, host, port))
    except OSError as error:
        reason = (
            "another program has it" if error.errno == errno.EADDRINUSE else str(error.strerror)
        )
        raise PortTakenError(host, port, reason) from error
    if host == LOCAL_HOST:
        with contextlib.suppress(OSError):  # a machine without IPv6
            sockets.append(_open_socket(socket.AF_INET6, "::1", sockets[0].getsockname()[1]))
    return sockets


def _open_socket(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # Only where the protocol is named does asyncio send the end of an answer without waiting until
    # the client confirms its beginning, which takes 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def allowed_hosts(host: str, port: int) -> frozenset[str]:
    """Return what the ``Host`` header may be."""
    own = f"[{host}]" if ":" in host else host
    names = {*_LOCAL_NAMES} if host == LOCAL_HOST else {own, *_LOCAL_NAMES}
    return frozenset(f"{name}:{port}" for name in names)


def serve(
    index: ImageIndex,
    sockets: list[socket.socket],
    settings: WebSettings,
    *,
    on_ready: Callable[[], None] = lambda: None,
    stop: threading.Event | None = None,
) -> None:
    """Serve an index until the process is asked to end.

    Args:
        sockets: from :func:`open_sockets`; they are closed at the end.
        on_ready: called when the first request can be answered.
        stop: once it is set, from another thread, serving ends.
    """
    app = create_app(index, settings)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_CLOSING_SECONDS,
        limit_concurrency=_MOST_REQUESTS,
    )
    server = _Server(config, on_ready, stop)
    try:
        server.run(sockets=sockets)
    finally:
        for opened in sockets:
            opened.close()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], stop: threading.Event | None
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Say whether to end; asked ten times a second."""
        is_over = await super().on_tick(counter)
        return is_over or (self._stop is not None and self._stop.is_set())
