"""The client has the searches of an index, and the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobisearch import ImageIndex
from mobisearch.client import Client
from mobisearch.errors import ImageNotFoundError, RequestRefusedError
from mobisearch.results import Matches
from tests.web.conftest import N_PHOTOS, Server


def _told(found: Matches) -> list[tuple[int, float]]:
    return [(match.image.id, pytest.approx(match.score, abs=1e-6)) for match in found]  # type: ignore[misc]


def test_a_client_answers_as_the_index_does(
    server: Server, served: ImageIndex, library: Path
) -> None:
    client = Client(f"{server.url}/?token={server.token}")
    path = library / "photos" / "odd" / "07.jpg"
    assert [m.image.id for m in client.search(path, k=5)] == [
        m.image.id for m in served.search(path, k=5)
    ]
    assert _told(client.search_by_id(3, k=4)) == _told(served.search_by_id(3, k=4))
    vector = served.embedding(5)
    assert _told(client.search_by_vector(vector, k=4)) == _told(
        served.search_by_vector(vector, k=4)
    )
    (best,) = client.search(path.read_bytes(), k=1)
    assert best.image.sha256 == served.search(path, k=1)[0].image.sha256
    assert len(client) == N_PHOTOS + 2
    assert client.image(3).path == served.image(3).path


def test_failures_of_many_queries_are_data(server: Server, library: Path) -> None:
    client = Client(server.url, server.token)
    good = library / "photos" / "odd" / "07.jpg"
    first, second = client.search_many([library / "none.jpg", good], k=2)
    assert isinstance(first.error, ImageNotFoundError)
    assert len(second) == 2


def test_a_refusal_is_an_error_with_status_and_sentence(server: Server) -> None:
    client = Client(server.url, server.token)
    with pytest.raises(RequestRefusedError) as caught:
        client.search(b"no picture")
    assert caught.value.status == 422
    with pytest.raises(RequestRefusedError) as caught:
        Client(server.url, "wrong").status()
    assert caught.value.status == 403


def test_no_server_is_an_error_too() -> None:
    with pytest.raises(RequestRefusedError, match="no answer"):
        Client("http://127.0.0.1:9", "x").status()
