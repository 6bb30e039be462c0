"""The sixteen rules that keep a page on this machine from being anybody else's."""

from __future__ import annotations

import io
import json
import socket
import threading
from pathlib import Path

import anyio
import pytest
from PIL import Image
from starlette.types import Message, Scope
from starlette.websockets import WebSocketDisconnect

from mobisearch import ImageIndex
from mobisearch.web import WebSettings, create_app
from mobisearch.web.guard import Guard
from mobisearch.web.serving import allowed_hosts, open_sockets
from tests.web.conftest import HOST, Page, Server, make_page, open_index

ROUTES = ("/", "/api/status", "/api/images", "/api/images/1/thumbnail", "/static/index.html")


def _picture(kind: str = "PNG", **save: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(buffer, kind, **save)
    return buffer.getvalue()


def test_rule_1_only_this_machine_is_bound() -> None:
    sockets = open_sockets("127.0.0.1", 0)
    try:
        assert {opened.getsockname()[0] for opened in sockets} <= {"127.0.0.1", "::1"}
    finally:
        for opened in sockets:
            opened.close()


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.com",
        "localhost.evil.com:8017",
        "127.0.0.1.nip.io:8017",
        "127.0.0.1.:8017",
        "127.0.0.1",
        "127.0.0.1:80",
        "0.0.0.0:8017",
    ],
)
def test_rule_2_another_name_gets_nothing(page: Page, host: str) -> None:
    assert page.browser.get("/api/status", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/status HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nHost: evil.com\r\n"
        b"Connection: close\r\n\r\n",
        b"GET http://evil.com/api/status HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n",
        b"GET http://evil.com/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
    ],
    ids=["none", "two", "another", "absolute"],
)
def test_rule_2_odd_requests_get_nothing(server: Server, head: bytes) -> None:
    request = head.replace(b"%d", str(server.port).encode())
    status = server.ask(request).split(b" ", 2)[1]
    assert status in (b"400", b"421", b"403")


@pytest.mark.parametrize("route", ROUTES)
def test_rule_3_without_the_token_there_is_nothing(page: Page, route: str) -> None:
    page.browser.cookies.clear()
    assert page.browser.get(route).status_code == 403


def test_rule_3_the_printed_address_gives_a_cookie_that_scripts_cannot_read(page: Page) -> None:
    answer = page.browser.get("/", params={"token": page.settings.token}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_rule_3_a_wrong_token_gives_no_cookie(page: Page) -> None:
    page.browser.cookies.clear()
    answer = page.browser.get("/", params={"token": "x" * 43}, follow_redirects=False)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.com"},
        {"Origin": f"https://{HOST}"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_rule_4_a_change_from_elsewhere_is_refused(page: Page, headers: dict[str, str]) -> None:
    wanted = {"X-Mobisearch-CSRF": page.settings.csrf, **headers}
    answer = page.browser.post("/api/search", json={"like": [{"image": 1}]}, headers=wanted)
    assert answer.status_code == 403


def test_rule_4_a_change_from_the_page_needs_the_second_token(page: Page) -> None:
    body = {"like": [{"image": 1}]}
    without = page.browser.post("/api/search", json=body, headers={"Origin": f"http://{HOST}"})
    assert without.status_code == 403
    assert page.browser.post("/api/search", json=body, headers=page.csrf).status_code == 200


def test_rule_4_a_program_with_the_token_needs_no_origin(page: Page) -> None:
    assert page.program.post("/api/search", json={"like": [{"image": 1}]}).status_code == 200


def test_rule_5_no_other_page_is_let_in(page: Page) -> None:
    answer = page.browser.options(
        "/api/search",
        headers={"Origin": "http://evil.com", "Access-Control-Request-Method": "POST"},
    )
    assert answer.status_code == 405
    allowed = page.browser.get("/api/status", headers={"Origin": "http://evil.com"})
    for each in (answer, allowed):
        assert not [name for name in each.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "route",
    [
        "/api/images/../../etc/passwd/thumbnail",
        "/api/images/%2e%2e%2f%2e%2e%2fetc%2fpasswd/thumbnail",
        "/api/images//etc/passwd/thumbnail",
        "/api/images/C:%5Cwindows/thumbnail",
        "/api/images/1%00.png/thumbnail",
        "/api/images/file:%2f%2f%2fetc%2fpasswd/thumbnail",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
    ],
)
def test_rule_6_no_path_leads_to_a_file(page: Page, route: str) -> None:
    answer = page.browser.get(route)
    assert answer.status_code in (404, 422, 403)
    assert b"root:" not in answer.content
    assert b"create_app" not in answer.content


def test_rule_6_a_file_that_became_another_one_is_not_shown(own_library: Path) -> None:
    secret = own_library / "secret.png"
    secret.write_bytes(_picture())
    with open_index(own_library) as index:
        page = make_page(index)
        image = index.images(count=1).images[0]
        Path(image.path).unlink()
        Path(image.path).symlink_to(secret)
        assert page.browser.get(f"/api/images/{image.id}/preview").status_code == 404


def test_rule_7_pictures_are_made_anew_without_what_they_carried(own_library: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    data = _picture("JPEG", exif=exif, comment=b"GIF89a<script>")
    (own_library / "photos" / "polyglot.jpg").write_bytes(data + b"<script>alert(2)</script>")
    with open_index(own_library) as index:
        index.sync(own_library / "photos")
        page = make_page(index)
        (image,) = [e for e in index.images(count=100).images if e.path.endswith("polyglot.jpg")]
        for route in ("thumbnail", "preview"):
            answer = page.browser.get(f"/api/images/{image.id}/{route}")
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-disposition"] == 'inline; filename="picture.jpg"'
            assert answer.content[:2] == b"\xff\xd8"
            assert b"script" not in answer.content


def test_rule_8_nothing_is_fetched_from_an_address(page: Page) -> None:
    body = {"like": [{"url": "http://127.0.0.1/"}]}
    assert page.program.post("/api/search", json=body).status_code == 422
    assert "url" not in json.dumps(page.browser.get("/api/openapi.json").json()["paths"]).lower()


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({}, 415),
        ({"other": ("a.png", _picture())}, 422),
        ({"image": (None, "no file")}, 422),
        ({"image": ("a.png", b"")}, 422),
        ({"image": ("a.txt", b"no picture at all")}, 422),
        ({"image": ("a.png", _picture()[:60])}, 422),
    ],
)
def test_rule_9_an_upload_is_one_picture(
    page: Page, files: dict[str, tuple[str, bytes]], status: int
) -> None:
    answer = page.program.post("/api/queries", files=files)
    assert answer.status_code == status
    assert answer.json()["error"]["reason"]


def test_rule_9_two_pictures_or_many_fields_are_too_many(page: Page) -> None:
    two = [("image", ("a.png", _picture())), ("image", ("b.png", _picture()))]
    assert page.program.post("/api/queries", files=two).status_code == 400
    fields = {f"field{number}": "x" for number in range(1000)}
    many = page.program.post("/api/queries", files={"image": ("a.png", _picture())}, data=fields)
    assert many.status_code == 400
    large = page.program.post(
        "/api/queries", files={"image": ("a.png", _picture())}, data={"note": "x" * 200_000}
    )
    assert large.status_code == 400


def test_rule_9_a_body_that_says_it_is_too_large_is_not_read(server: Server) -> None:
    head = (
        f"POST /api/queries HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 104857600\r\nConnection: close\r\n\r\n"
    )
    assert b" 413 " in server.ask(head.encode())[:20]


def test_rule_9_a_body_that_grows_too_large_is_cut_off(server: Server) -> None:
    head = (
        f"POST /api/search HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = b""
        try:
            for _ in range(8):
                connection.sendall(chunk)
            answer = connection.recv(4096)
        except ConnectionError:
            pass
        assert answer == b"" or b" 413 " in answer[:20]
    health = f"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    health += f"Authorization: Bearer {server.token}\r\nConnection: close\r\n\r\n"
    assert b" 200 " in server.ask(health.encode())[:20]


def test_rule_9_a_body_that_does_not_come_is_given_up() -> None:
    async def app(scope: Scope, receive: object, send: object) -> None:
        while (await receive()).get("more_body"):  # type: ignore[operator]
            pass

    async def never() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    settings = WebSettings(frozenset({HOST}))
    guard = Guard(app, settings, body_seconds=0.05)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/queries",
        "raw_path": b"/api/queries",
        "query_string": b"",
        "headers": [
            (b"host", HOST.encode()),
            (b"authorization", b"Bearer " + settings.token.encode()),
        ],
    }

    async def ask() -> None:
        await guard(scope, never, send)

    anyio.run(ask)
    assert sent[0]["status"] == 408


def test_rule_9_too_many_uploads_at_once_are_sent_away(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    decode = ImageIndex.embed_bytes

    def slow(index: ImageIndex, data: bytes, name: str) -> object:
        assert release.wait(30)
        return decode(index, data, name)

    monkeypatch.setattr(ImageIndex, "embed_bytes", slow)
    statuses: list[int] = []
    lock = threading.Lock()

    def upload() -> None:
        status = server.upload(_picture())
        with lock:
            statuses.append(status)
            if status == 429:
                release.set()

    threads = [threading.Thread(target=upload) for _ in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 10


def test_rule_10_an_upload_is_decoded_in_a_worker(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded in the server's own process")

    monkeypatch.setattr("mobisearch.imaging.decoding.decode", refuse)
    monkeypatch.setattr("mobisearch.embedding.prepare", refuse)
    files = {"image": ("a.png", _picture())}
    assert page.program.post("/api/queries", files=files).status_code == 201
    assert page.program.get("/api/images/1/preview").status_code == 200


def test_rule_10_a_bomb_is_refused_and_the_server_lives_on(page: Page) -> None:
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    answer = page.program.post("/api/queries", files={"image": ("a.png", bomb.getvalue())})
    assert answer.status_code in (413, 422)
    assert page.program.get("/api/status").status_code == 200


@pytest.mark.parametrize("route", [*ROUTES, "/nothing", "/api/images/99999"])
def test_rule_11_every_answer_forbids_what_is_not_ours(page: Page, route: str) -> None:
    headers = page.browser.get(route).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_rule_11_odd_names_are_shown_harmless_and_as_json(page: Page) -> None:
    answer = page.browser.get("/api/images", params={"limit": 100})
    assert answer.headers["content-type"] == "application/json"
    (name,) = [e["name"] for e in answer.json()["images"] if "script" in e["name"]]
    assert "\u202e" not in name
    assert "\\u202e" in name


def test_rule_12_nothing_is_trashed_without_leave(page: Page) -> None:
    for action in ("apply", "undo"):
        answer = page.program.post(f"/api/copies/plan/{'0' * 32}/{action}")
        assert answer.status_code == 403


def test_rule_13_what_goes_wrong_inside_stays_inside(
    page: Page, served: ImageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"secret at {served.directory}")

    monkeypatch.setattr(ImageIndex, "facts", fail)
    answer = page.browser.get("/api/status")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert served.directory not in answer.text
    assert "Traceback" not in answer.text


def test_rule_13_there_is_no_debug_mode(served: ImageIndex) -> None:
    assert not create_app(served, WebSettings(frozenset({HOST}))).debug


def test_rule_14_events_need_the_token_too(page: Page) -> None:
    page.browser.cookies.clear()
    assert page.browser.get("/api/events").status_code == 403


def test_rule_14_there_are_no_web_sockets(page: Page) -> None:
    with pytest.raises(WebSocketDisconnect), page.browser.websocket_connect("/api/events"):
        pass


def test_rule_15_no_route_opens_a_file_with_a_program(page: Page) -> None:
    paths = page.browser.get("/api/openapi.json").json()["paths"]
    assert not [path for path in paths if "open" in path or "reveal" in path]


def test_rule_16_versions_are_above_known_faults() -> None:
    import starlette

    numbers = tuple(int(part) for part in starlette.__version__.split(".")[:3])
    assert numbers >= (0, 47, 2)


def test_the_hosts_of_an_address_are_those_that_lead_to_it() -> None:
    assert allowed_hosts("127.0.0.1", 80) == {"127.0.0.1:80", "localhost:80", "[::1]:80"}
