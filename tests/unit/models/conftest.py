"""A server of weights on this machine, which does what a test wants it to do wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from mobisearch.models import ModelSpec, find_model
from mobisearch.types import WeightsSettings

PATIENCE_SECONDS = 60.0
"""How long a test waits for what is certain to come."""


@dataclass
class WeightsServer:
    """Serves one file. ``plan`` says what to do with each request in turn, ``good`` after that."""

    content: bytes
    plan: list[str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    etag: str | None = '"one"'
    stalled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    @property
    def url(self) -> str:
        return f"{self.address}/models/weights.pth"

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for _, headers in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: WeightsServer

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        state = self.state
        state.requests.append((self.path, dict(self.headers)))
        what = state.plan.pop(0) if state.plan else "good"
        self.close_connection = True
        if what.isdigit():
            self._answer(int(what), b"no")
        elif what == "redirect":
            self._answer(302, b"", Location=f"{state.address}/elsewhere/weights.pth")
        elif what == "redirect to ftp":
            self._answer(302, b"", Location="ftp://127.0.0.1/weights.pth")
        elif what == "hang up":
            self.connection.close()
        elif what == "not http":
            self.wfile.write(b"this is not HTTP\r\n")
        else:
            self._serve(what)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _serve(self, what: str) -> None:
        state = self.state
        content = state.content if what != "wrong" else b"x" * len(state.content)
        start = 0
        asked = self.headers.get("Range")
        is_same = self.headers.get("If-Range") in (None, state.etag)
        if asked and is_same and what not in ("range ignored", "wrong"):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._answer(416, b"")
                return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if state.etag is not None:
            self.send_header("ETag", state.etag)
        if what != "no length":
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        half = len(rest) // 2
        if what == "truncated":
            self.wfile.write(rest[:half])
        elif what == "stall":
            self.wfile.write(rest[:half])
            self.wfile.flush()
            state.stalled.set()
            state.released.wait(PATIENCE_SECONDS)
        else:
            self.wfile.write(rest)


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Let clients go away as they like."""


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    """A server of 300,000 bytes of noise."""
    state = WeightsServer(np.random.default_rng(0).bytes(300_000))
    handler = type("Handler", (_Handler,), {"state": state})
    with _Server(("127.0.0.1", 0), handler) as listening:
        state.address = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, args=[0.01])
        thread.start()
        try:
            yield state
        finally:
            state.released.set()
            listening.shutdown()
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of weights in an empty cache, with nothing set that tells where to fetch from."""
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "cache"))
    for name in ("MOBISEARCH_OFFLINE", "MOBISEARCH_WEIGHTS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path / "cache" / "weights"


@pytest.fixture
def served_spec(server: WeightsServer) -> ModelSpec:
    """A model whose weights are what the server has."""
    spec = find_model("mobilenet_v3_small")
    weights = dataclasses.replace(
        spec.weights,
        file_name="weights.pth",
        url=server.url,
        sha256=hashlib.sha256(server.content).hexdigest(),
    )
    return dataclasses.replace(spec, name="served", weights=weights)


@pytest.fixture
def quick() -> WeightsSettings:
    """Settings with which nothing waits: a server that stalls is given up soon."""
    return WeightsSettings(timeout_seconds=PATIENCE_SECONDS, pause_seconds=0.0)
