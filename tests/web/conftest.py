"""An index of small pictures, and the application that serves it."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.web import WebSettings, create_app, serve
from mobisearch.web.serving import allowed_hosts, open_sockets

PhotoMaker = Callable[..., Path]
HOST = "127.0.0.1:8017"
N_PHOTOS = 30


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, make_photo: PhotoMaker) -> Path:
    """A folder with an index beside it: pictures, one of them twice, and one with an odd name."""
    folder = tmp_path_factory.mktemp("library")
    for number in range(N_PHOTOS):
        place = folder / "photos" / ("even" if number % 2 == 0 else "odd")
        place.mkdir(parents=True, exist_ok=True)
        kind = "png" if number % 3 == 0 else "jpg"
        make_photo(place / f"{number:02}.{kind}", seed=number, size=(90 + number, 60))
    shutil.copy(folder / "photos" / "even" / "00.png", folder / "photos" / "odd" / "twin.png")
    make_photo(folder / "photos" / "odd" / "<script>\u202egnp.jpg", seed=99)
    (folder / "photos" / "zz").mkdir()
    (folder / "photos" / "zz" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime())
    with ImageIndex.create(folder / "index", embedder) as index:
        index.sync(folder / "photos")
    return folder


@pytest.fixture
def own_library(library: Path, tmp_path: Path) -> Path:
    """Photos and an index of them that a test may change."""
    shutil.copytree(library / "photos", tmp_path / "photos")
    embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime())
    with ImageIndex.create(tmp_path / "index", embedder) as index:
        index.sync(tmp_path / "photos")
    return tmp_path


@pytest.fixture
def served(library: Path) -> Iterator[ImageIndex]:
    """The index, open."""
    with open_index(library) as index:
        yield index


@dataclass(frozen=True)
class Page:
    """The application as a page, and as a program, sees it."""

    settings: WebSettings
    browser: TestClient
    program: TestClient

    @property
    def csrf(self) -> dict[str, str]:
        """The headers of a change from the page."""
        return {"X-Mobisearch-CSRF": self.settings.csrf, "Origin": f"http://{HOST}"}


def open_index(folder: Path) -> ImageIndex:
    return ImageIndex.open(folder / "index", Embedder(FAKE_MODEL, runtime=FakeRuntime()))


def make_page(index: ImageIndex, **settings: bool) -> Page:
    chosen = WebSettings(frozenset({HOST}), **settings)
    app = create_app(index, chosen)
    browser = TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False)
    browser.get("/", params={"token": chosen.token})
    program = TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False)
    program.headers["Authorization"] = f"Bearer {chosen.token}"
    return Page(chosen, browser, program)


@pytest.fixture
def page(served: ImageIndex) -> Page:
    """The page of the index; nothing may be trashed."""
    return make_page(served)


@dataclass(frozen=True)
class Server:
    """A server on a port of this machine."""

    port: int
    token: str
    sockets: list[socket.socket]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, request: bytes, *, seconds: float = 20) -> bytes:
        """Send bytes, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer

    def upload(self, data: bytes) -> int:
        """Search by an uploaded picture, and return the status of the answer."""
        body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        body += data + b"\r\n--b--\r\n"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "multipart/form-data; boundary=b",
        }
        with contextlib.closing(connection):
            connection.request("POST", "/api/search/upload?k=1", body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status


@pytest.fixture
def server(served: ImageIndex) -> Iterator[Server]:
    """The page on a socket."""
    sockets = open_sockets("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    settings = WebSettings(allowed_hosts("127.0.0.1", port))
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=serve,
        args=(served, sockets, settings),
        kwargs={"on_ready": ready.set, "stop": stop},
    )
    thread.start()
    assert ready.wait(30)
    yield Server(port, settings.token, sockets)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
