"""What stands before every request: who may ask, from where, for how much, and with which headers.

A page on 127.0.0.1 is no secret from other pages in the same browser: they can send requests to it,
and a name of theirs can be made to point to it. So the name that was asked for, the origin, a token
and a second one for changes are checked before anything is looked at.
"""

from __future__ import annotations

import asyncio
import hmac
import http.cookies
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobisearch.web.failures import failure
from mobisearch.web.state import WebSettings

COOKIE = "mobisearch_token"
CSRF_HEADER = b"x-mobisearch-csrf"
UPLOAD_PATHS = frozenset({"/api/queries", "/api/search/upload"})
MAX_UPLOAD_BYTES = 64 * 1024 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024
BODY_SECONDS = 30.0

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _TooLargeError(HTTPException):
    """A body is over its limit. An HTTPException, which the framework lets pass while it reads."""

    def __init__(self) -> None:
        super().__init__(413, "the request is larger than is taken here", {"Connection": "close"})


class _TooSlowError(HTTPException):
    """A body takes too long to come."""

    def __init__(self) -> None:
        super().__init__(408, "the request took too long to arrive", {"Connection": "close"})


class Guard:
    """ASGI middleware that lets through only what may be asked."""

    def __init__(
        self, app: ASGIApp, settings: WebSettings, *, body_seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._settings = settings
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        has_begun = False

        async def guarded_send(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded_send)
            return
        try:
            await self._app(scope, self._limited(scope, receive), guarded_send)
        except (_TooLargeError, _TooSlowError) as error:
            if has_begun:
                raise
            answer = failure(error.status_code, f"http_{error.status_code}", error.detail)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, guarded_send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that may not be asked, or None."""
        headers = _Headers(scope["headers"])
        if not scope.get("raw_path", b"/").startswith(b"/"):
            return failure(400, "bad_request", "the address must begin with a slash")
        if headers.only(b"host") not in self._settings.hosts:
            return failure(421, "wrong_host", "this page has another address")
        if scope["method"] == "OPTIONS":
            return failure(405, "http_405", "this cannot be done here")
        if scope["path"] == "/" and scope["method"] == "GET":
            given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
            if given is not None:
                return self._welcome(given)
        bearer, cookie = headers.bearer(), headers.cookie(COOKIE)
        has_bearer = bearer is not None and self._is_token(bearer)
        if not has_bearer and not (cookie is not None and self._is_token(cookie)):
            reason = "open the address that 'mobisearch serve' printed: it carries the token"
            if scope["path"] == "/":
                return PlainTextResponse(reason.capitalize() + ".\n", status_code=403)
            return failure(403, "no_token", reason)
        if scope["method"] not in _SAFE_METHODS:
            refusal = self._origin_refusal(headers, has_bearer=has_bearer)
            if refusal is not None:
                return refusal
        length = headers.only(b"content-length")
        if length and (not length.isdigit() or int(length) > _limit_of(scope)):
            return failure(413, "too_large", "the request is larger than is taken here")
        return None

    def _origin_refusal(self, headers: _Headers, *, has_bearer: bool) -> Response | None:
        origins = {f"http://{host}" for host in self._settings.hosts}
        if headers.has(b"origin"):
            if headers.only(b"origin") not in origins:
                return failure(403, "wrong_origin", "another page may not ask for this")
        elif not has_bearer:
            return failure(403, "no_origin", "a change must come from the page itself")
        if headers.has(b"sec-fetch-site") and headers.only(b"sec-fetch-site") not in (
            "same-origin",
            "none",
        ):
            return failure(403, "wrong_origin", "another page may not ask for this")
        csrf = headers.only(CSRF_HEADER) or ""
        if not has_bearer and not hmac.compare_digest(csrf, self._settings.csrf):
            return failure(403, "no_csrf", "reload the page: it lacks what changes need")
        return None

    def _welcome(self, given: list[str]) -> Response:
        if len(given) != 1 or not self._is_token(given[0]):
            return PlainTextResponse(
                "This address is of an earlier start; open the one that was printed last.\n",
                status_code=403,
            )
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(COOKIE, self._settings.token, httponly=True, samesite="strict", path="/")
        return answer

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._settings.token.encode())

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Return what hands on a body that is neither too long nor too slow."""
        limit, received, is_whole = _limit_of(scope), 0, False
        deadline = asyncio.get_running_loop().time() + self._body_seconds

        async def limited() -> Message:
            nonlocal received, is_whole
            if is_whole:  # what comes now is only that the client has gone
                return await receive()
            left = deadline - asyncio.get_running_loop().time()
            try:
                message = await asyncio.wait_for(receive(), max(left, 0.001))
            except TimeoutError:
                raise _TooSlowError from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
                if received > limit:
                    raise _TooLargeError
            return message

        return limited


class _Headers:
    """The headers of a request, of which those that matter may be there only once."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = list(raw)

    def has(self, name: bytes) -> bool:
        return any(key == name for key, _ in self._raw)

    def only(self, name: bytes) -> str | None:
        """Return the value of a header that is there exactly once, or None."""
        found = [value for key, value in self._raw if key == name]
        return found[0].decode("latin-1") if len(found) == 1 else None

    def bearer(self) -> str | None:
        scheme, _, token = (self.only(b"authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def cookie(self, name: str) -> str | None:
        cookies = http.cookies.SimpleCookie()
        try:
            cookies.load(self.only(b"cookie") or "")
        except http.cookies.CookieError:
            return None
        return cookies[name].value if name in cookies else None


def _limit_of(scope: Scope) -> int:
    return MAX_UPLOAD_BYTES if scope["path"] in UPLOAD_PATHS else MAX_BODY_BYTES
