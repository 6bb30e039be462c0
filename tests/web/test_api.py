"""What the API answers."""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import PortTakenError
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import ImageFilter
from mobisearch.web.serving import open_sockets
from mobisearch.web.thumbnails import ThumbnailCache
from tests.web.conftest import N_PHOTOS, Page, Server, make_page, open_index

N_IMAGES = N_PHOTOS + 2


def test_the_status_counts_what_there_is(page: Page) -> None:
    status = page.browser.get("/api/status").json()
    assert status["images"] == N_IMAGES
    assert status["failed"] == 1
    assert sum(status["formats"].values()) == N_IMAGES
    assert sum(status["folders"].values()) == N_IMAGES
    assert not status["may_trash"]


def test_files_that_could_not_be_indexed_are_told_with_the_reason(page: Page) -> None:
    (found,) = page.browser.get("/api/errors").json()["errors"]
    assert found["path"].endswith("broken.jpg")
    assert found["reason"]


def test_pages_of_a_listing_are_the_whole_of_it_without_repeats(page: Page) -> None:
    seen = []
    for offset in range(0, N_IMAGES, 10):
        answer = page.browser.get("/api/images", params={"offset": offset, "limit": 10}).json()
        assert answer["total"] == N_IMAGES
        seen += [image["id"] for image in answer["images"]]
    assert len(seen) == len(set(seen)) == N_IMAGES


@pytest.mark.parametrize(
    ("sort", "key"), [("largest", lambda e: -e["size_bytes"]), ("oldest", lambda e: e["mtime"])]
)
def test_listings_are_in_the_order_asked_for(page: Page, sort: str, key: object) -> None:
    images = page.browser.get("/api/images", params={"sort": sort}).json()["images"]
    assert [key(e) for e in images] == sorted(key(e) for e in images)  # type: ignore[operator]


@pytest.mark.parametrize(
    "filters",
    [
        ImageFilter(format="PNG"),
        ImageFilter(min_px=110),
        ImageFilter(min_bytes=3000),
        ImageFilter(max_bytes=3000),
        ImageFilter(taken_from="2000"),
        ImageFilter(camera="none such"),
        ImageFilter(format="JPEG", min_px=100),
    ],
)
def test_the_catalog_and_the_filter_agree_on_what_meets_conditions(
    served: ImageIndex, filters: ImageFilter
) -> None:
    everything = served.images(count=1000).images
    wanted = {image.id for image in everything if filters.accepts(image)}
    assert {image.id for image in served.images(filters, count=1000).images} == wanted


def test_a_filtered_search_is_the_whole_search_without_the_others(
    served: ImageIndex, library: Path
) -> None:
    row = served.embedding(1)
    whole = served.search_row(row, 1000)
    for filters in (
        ImageFilter(folder=str(library / "photos" / "odd")),
        ImageFilter(format="PNG"),
        ImageFilter(min_px=1),
    ):
        wanted = [(m.image.id, m.score) for m in whole if filters.accepts(m.image)]
        for k in (1, 3, 1000):
            found = served.search_row(row, k, filters)
            assert [(m.image.id, pytest.approx(m.score)) for m in found] == wanted[:k]


def test_a_broad_filter_takes_the_best_of_all_until_enough_are_left(
    served: ImageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = ImageFilter(format="PNG")
    exact = served.search_row(served.embedding(1), 5, filters)
    monkeypatch.setattr("mobisearch.browsing._LEAST_AMONG", 0)
    monkeypatch.setattr("mobisearch.browsing._MAX_AMONG_SHARE", 0.0)
    grown = served.search_row(served.embedding(1), 5, filters)
    assert [m.image.id for m in grown] == [m.image.id for m in exact]


def test_an_upload_finds_itself_first(page: Page, library: Path) -> None:
    path = library / "photos" / "odd" / "07.jpg"
    with path.open("rb") as file:
        found = page.program.post("/api/search/upload", files={"image": file}, params={"k": 3})
    best = found.json()["matches"][0]
    assert best["image"]["name"] == "07.jpg"
    assert best["score"] > 0.999


def test_an_uploaded_picture_is_searched_by_and_shown(page: Page, library: Path) -> None:
    data = (library / "photos" / "odd" / "07.jpg").read_bytes()
    held = page.browser.post("/api/queries", files={"image": ("x", data)}, headers=page.csrf)
    assert held.status_code == 201
    query = held.json()["query"]
    body = {"like": [{"query": query}], "k": 1}
    found = page.browser.post("/api/search", json=body, headers=page.csrf).json()
    assert found["matches"][0]["image"]["name"] == "07.jpg"
    shown = page.browser.get(f"/api/queries/{query}/preview")
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert picture.size == (97, 60)


def test_a_part_of_a_picture_is_embedded_as_that_part(page: Page, served: ImageIndex) -> None:
    pixels = served.picture(1, max_px=1600)
    half = np.ascontiguousarray(pixels[:, : round(pixels.shape[1] / 2)])
    wanted = served.search_row(served.embed_part(half, "x"), 5)
    body = {"like": [{"image": 1, "box": [0, 0, 0.5, 1]}], "k": 5}
    found = page.program.post("/api/search", json=body).json()["matches"]
    assert [m["image"]["id"] for m in found] == [m.image.id for m in wanted]


def test_what_is_not_wanted_moves_down(page: Page) -> None:
    def score(body: dict[str, object], wanted: int) -> float:
        found = page.program.post("/api/search", json={**body, "k": 100}).json()["matches"]
        return float(next(m["score"] for m in found if m["image"]["id"] == wanted))

    plain = score({"like": [{"image": 1}]}, 5)
    away = score({"like": [{"image": 1}], "unlike": [{"image": 5}]}, 5)
    assert away < plain


def test_images_that_are_asked_by_are_left_out(page: Page) -> None:
    body = {"like": [{"image": 1}, {"image": 2}], "k": 100}
    found = page.program.post("/api/search", json=body).json()["matches"]
    assert {m["image"]["id"] for m in found} == set(range(3, N_IMAGES + 1))
    alone = page.program.get("/api/images/3/similar", params={"k": 100}).json()["matches"]
    assert 3 not in {m["image"]["id"] for m in alone}


def test_a_vector_is_searched_by(page: Page, served: ImageIndex) -> None:
    vector = (7 * served.embedding(4)).tolist()
    found = page.program.post("/api/search/vector", json={"vector": vector, "k": 1}).json()
    assert found["matches"][0]["score"] == pytest.approx(1, abs=1e-5)
    short = page.program.post("/api/search/vector", json={"vector": [1.0, 2.0]})
    assert short.status_code == 422


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("GET", "/api/images/99999", None),
        ("GET", "/api/images/99999/similar", None),
        ("GET", "/api/images/0", None),
        ("GET", "/api/images/1/thumbnail?px=7", None),
        ("GET", "/api/images?limit=0", None),
        ("GET", "/api/images?sort=odd", None),
        ("GET", "/api/images?taken_from=yesterday", None),
        ("GET", "/api/queries/none/preview", None),
        ("POST", "/api/search", {"like": []}),
        ("POST", "/api/search", {"like": [{}]}),
        ("POST", "/api/search", {"like": [{"image": 1, "query": "x"}]}),
        ("POST", "/api/search", {"like": [{"image": 1, "box": [0, 0, 0, 0]}]}),
        ("POST", "/api/search", {"like": [{"image": 1}], "k": 0}),
        ("POST", "/api/search", {"like": [{"image": 1}], "unlike": [{"image": 1}] * 2, "k": 9999}),
        ("POST", "/api/search/vector", {"vector": [0.0] * 64}),
    ],
)
def test_a_question_without_sense_gets_a_sentence(
    page: Page, method: str, route: str, body: object
) -> None:
    answer = page.program.request(method, route, json=body)
    assert answer.status_code in (404, 422)
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["code"]
    assert answer.json()["error"]["reason"]


def test_a_photo_that_is_gone_has_facts_and_the_picture_made_before(
    own_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBISEARCH_CACHE", str(tmp_path / "cache"))
    with open_index(own_library) as index:
        page = make_page(index)
        seen, unseen = index.images(count=2).images
        assert page.browser.get(f"/api/images/{seen.id}/thumbnail").status_code == 200
        for image in (seen, unseen):
            Path(image.path).unlink()
            assert page.browser.get(f"/api/images/{image.id}").json()["is_there"] is False
        assert page.browser.get(f"/api/images/{seen.id}/thumbnail").status_code == 200
        assert page.browser.get(f"/api/images/{unseen.id}/thumbnail").status_code == 404


def test_an_index_that_is_taken_away_gives_a_sentence(own_library: Path) -> None:
    with open_index(own_library) as index:
        page = make_page(index)
        assert page.browser.get("/api/status").status_code == 200
        shutil.move(own_library / "index", own_library / "elsewhere")
        gone = page.browser.get("/api/images")
        shutil.copytree(own_library / "elsewhere", own_library / "index")
        replaced = page.browser.get("/api/images")
        for answer in (gone, replaced):
            assert answer.status_code == 503
            assert answer.json()["error"]["reason"]
            assert str(own_library) not in answer.text


def test_the_page_sees_what_another_process_adds(own_library: Path) -> None:
    with open_index(own_library) as index:
        page = make_page(index)
        before = page.browser.get("/api/status").json()
        shutil.copy(
            own_library / "photos" / "odd" / "07.jpg", own_library / "photos" / "odd" / "new.jpg"
        )
        embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime())
        with ImageIndex.open(own_library / "index", embedder) as other:
            other.sync(own_library / "photos")
        after = page.browser.get("/api/status").json()
        assert after["images"] == before["images"] + 1
        assert after["generation"] > before["generation"]
        assert after["updating"] == {"done": after["images"]}


def test_fifty_uploads_at_once_are_all_answered(server: Server, library: Path) -> None:
    data = (library / "photos" / "odd" / "07.jpg").read_bytes()
    statuses: list[int] = []

    def upload() -> None:
        while (status := server.upload(data)) == 429:
            pass  # who is sent away comes again, as the answer says
        statuses.append(status)

    threads = [threading.Thread(target=upload) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert statuses == [200] * 50


@pytest.mark.slow
def test_a_thousand_searches_in_a_row_are_all_answered(page: Page) -> None:
    ids = [image["id"] for image in page.browser.get("/api/images").json()["images"]]
    for number in range(1000):
        answer = page.browser.get(f"/api/images/{ids[number % len(ids)]}/similar", params={"k": 5})
        assert answer.status_code == 200
        assert len(answer.json()["matches"]) == 5


def test_a_port_that_is_taken_is_named() -> None:
    first = open_sockets("127.0.0.1", 0)
    port = first[0].getsockname()[1]
    try:
        with pytest.raises(PortTakenError, match="another program has it") as caught:
            open_sockets("127.0.0.1", port)
        assert caught.value.port == port
    finally:
        for opened in first:
            opened.close()


def test_a_damaged_thumbnail_is_not_used(tmp_path: Path) -> None:
    ThumbnailCache(tmp_path).put("ab" * 32, 256, b"jpeg")
    (path,) = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert ThumbnailCache(tmp_path).find("ab" * 32, 256) == b"jpeg"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert ThumbnailCache(tmp_path).find("ab" * 32, 256) is None


def test_thumbnails_take_no_more_room_than_they_may(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path, max_memory_bytes=1000, max_disk_bytes=1000)
    for number in range(20):
        cache.put(f"{number:064x}", 256, bytes(100))
    cache.tidy()
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) <= 1000


def test_an_answer_does_not_wait_for_the_client_to_confirm_its_beginning() -> None:
    """Without TCP_NODELAY each answer took 40 ms more."""

    async def connect() -> int:
        delays: list[int] = []

        def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own = writer.get_extra_info("socket")
            delays.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        opened, *others = open_sockets("127.0.0.1", 0)
        for other in others:
            other.close()
        async with await asyncio.start_server(greet, sock=opened):
            reader, writer = await asyncio.open_connection(*opened.getsockname())
            await reader.read()
            writer.close()
            await writer.wait_closed()
        return delays[0]

    assert asyncio.run(connect()) != 0
