"""Requests that mean harm: each is refused as a problem, and upstream is asked for nothing else."""

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec
import pytest
from litestar import Litestar

from proxy.app import create_app
from proxy.parts import running
from tests.proxy.builders import a_token, open_log, settings
from tests.proxy.upstream import Upstream, data

JSON = [(b"content-type", b"application/json")]
GOOD_PATH = re.compile(r"/v1/(rooms|players|games)(/[A-Za-z0-9_.:~-]{1,128}(/[a-z]+)?)?")


@dataclass
class Answer:
    """What came back, as it was sent."""

    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def field(self, name: bytes) -> bytes | None:
        return next((value for each, value in self.headers if each == name), None)


async def ask(
    app: Litestar,
    target: str,
    method: str = "GET",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"",
) -> Answer:
    """Send a request as uvicorn hands it over: the target as it is, the path decoded once."""
    path, _, query = target.partition("?")
    answer, chunks = Answer(), [body[at : at + 8192] for at in range(0, len(body), 8192)] or [b""]
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote(path, encoding="utf-8", errors="replace"),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host", b"proxy"), *(headers or [])],
        "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], tuple(message["headers"])
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


@asynccontextmanager
async def an_app(redis_url: str, upstream: Upstream, **options: Any) -> AsyncIterator[Litestar]:
    await open_log(redis_url)
    app = create_app(settings(redis_url, **options), redis_url=redis_url, transport=upstream)
    async with running(app.state.parts):
        yield app


@pytest.fixture
async def app(redis_url: str, upstream: Upstream) -> AsyncIterator[Litestar]:
    async with an_app(redis_url, upstream) as running_app:
        yield running_app


def check_problem(answer: Answer) -> dict[str, Any]:
    """The body of a refusal, which is a problem with all that every answer has."""
    assert answer.field(b"content-type") == b"application/problem+json", answer
    problem: dict[str, Any] = msgspec.json.decode(answer.body)
    assert re.fullmatch(r"[a-z0-9-]+", problem["type"])
    assert (problem["status"], problem["success"]) == (answer.status, False)
    assert problem["detail"] == problem["error"]
    for name in (b"x-request-id", b"x-content-type-options", b"content-security-policy"):
        assert answer.field(name)
    assert answer.field(b"cache-control") == b"no-store"
    return problem


TARGETS = [
    "/v1/../metrics",
    "/v1/rooms/..",
    "/v1/rooms/../../etc/passwd",
    "/v1/rooms/%2e%2e",
    "/v1/rooms/%2E%2e/players",
    "/v1/rooms/.%2e/x",
    "/v1/rooms/%252e%252e%252fx",
    "/v1/rooms/%25%32%65",
    "/v1/rooms/..%2fx",
    "/v1/rooms/..%5cx",
    "/v1/rooms/..\\x",
    "/v1/rooms/%c0%ae%c0%ae/x",
    "/v1/rooms/%ef%bc%8e%ef%bc%8e",
    "/v1//rooms",
    "//evil.example/v1/rooms",
    "/v1/rooms//evil.example",
    "http://evil.example/v1/rooms",
    "/v1/rooms/http:%2f%2fevil.example",
    "/v1/rooms/http://evil.example",
    "/v1/rooms/@evil.example",
    "/v1/rooms/x@evil.example",
    "/v1/rooms/AB%00CD",
    "/v1/rooms/AB%0d%0aX-Evil:1",
    "/v1/rooms/AB%20CD",
    "/v1/rooms/AB;x=1",
    "/v1/rooms/AB%3fstatus=x",
    "/v1/rooms/AB%23x",
    "/v1/rooms/AB%25",
    "/v1/rooms/" + "A" * 129,
    "/v1/rooms/" + "A" * 9_000,
    "/v1/rooms/ABCD12/join/../start",
    "/v1/games/gm_1/state/../../../v2",
    "/v1/games/%2e/state",
    "/v1/players/%2e%2e%2f",
    "/v1/players/me%2f..%2fplr_1",
    "/v2/rooms",
    "/v1/admin",
    "/v1",
    "/v1/rooms?status=../../x",
    "/v1/rooms?status=a%26key%3db",
    "/v1/rooms?status=" + "a" * 5_000,
]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_a_path_that_goes_elsewhere_reaches_nobody(
    app: Litestar, upstream: Upstream, method: str
) -> None:
    """400, 404 or 405, and not one call to upstream."""
    for target in TARGETS:
        if method == "POST" and target.startswith("/v1/rooms?"):
            continue  # a write takes no query, so there is nothing to refuse
        answer = await ask(app, target, method, JSON, b"{}" if method == "POST" else b"")
        assert answer.status in (400, 404, 405), target
        assert upstream.arrived == [], target
        if method != "HEAD":
            check_problem(answer)


@pytest.mark.parametrize(
    ("path", "status", "allowed"),
    [
        ("/v1/rooms", 405, b"GET, POST, OPTIONS"),
        ("/v1/games/gm_1/move", 405, b"POST, OPTIONS"),
        ("/health", 405, b"GET, OPTIONS"),
        ("/nothing", 404, None),
    ],
)
async def test_an_odd_method_is_refused(
    app: Litestar, path: str, status: int, allowed: bytes | None
) -> None:
    """405 names those that are taken (RFC 9110 §15.5.6); where nothing is, 404."""
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "FOO", "get"):
        answer = await ask(app, path, method)
        assert (answer.status, answer.field(b"allow")) == (status, allowed)
        check_problem(answer)


@pytest.mark.parametrize(
    "query", ["x=1", "status=waiting&x=1", "X-Original-URL=/metrics", "url=http://evil.example"]
)
async def test_only_listed_query_names_go_to_upstream(
    app: Litestar, upstream: Upstream, query: str
) -> None:
    """What is not listed is nobody's, and makes no entry of its own."""
    upstream.says("GET", "/rooms", data([]))
    await ask(app, f"/v1/rooms?{query}")
    for request in upstream.arrived:
        assert set(request.url.params) <= {"status"}


CALLERS = [
    (b"authorization", b"Bearer " + a_token().encode()),
    (b"cookie", b"session=1"),
    (b"x-forwarded-for", b"203.0.113.9"),
    (b"x-forwarded-host", b"evil.example"),
    (b"x-original-url", b"/admin"),
    (b"x-rewrite-url", b"/admin"),
    (b"forwarded", b"host=evil.example"),
    (b"connection", b"keep-alive, x-hop"),
    (b"x-hop", b"1"),
    (b"te", b"trailers"),
    (b"upgrade", b"h2c"),
    (b"proxy-authorization", b"Basic YTpi"),
    (b"x-http-method-override", b"DELETE"),
    (b"range", b"bytes=0-1"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_of_the_caller_s_goes_to_upstream(
    app: Litestar, upstream: Upstream, method: str
) -> None:
    """Upstream gets our key and what the route says, whatever was sent along."""
    upstream.says(method, "/rooms", data([]))
    await ask(app, "/v1/rooms", method, [*CALLERS, *JSON], b"{}")
    (request,) = upstream.arrived
    assert request.method == method
    assert request.url.host == "upstream"
    assert request.headers["authorization"] == "Bearer lk_test_key"
    expected = {
        *("host", "accept", "accept-encoding", "user-agent", "authorization", "connection"),
        *("content-type", "content-length", "idempotency-key", "traceparent"),
    }
    assert set(request.headers) <= expected
    assert "x-hop" not in request.headers.get("connection", "")


@pytest.mark.parametrize("status", [200, 404, 409, 500, 503])
async def test_nothing_of_upstream_s_connection_comes_down(
    app: Litestar, upstream: Upstream, status: int
) -> None:
    """Neither a cookie, nor a key, nor what is between upstream and us."""
    secret = {
        "Set-Cookie": "a=1",
        "Authorization": "Bearer lk_test_key",
        "Connection": "X-Hop",
        "X-Hop": "1",
        "Keep-Alive": "5",
        "Server": "upstream/1",
        "X-Api-Key": "lk_test_key",
        "X-RateLimit-Remaining": "7",
        "Transfer-Encoding": "chunked",
        "Access-Control-Allow-Origin": "*",
    }
    body = {"success": status < 400, "data": {"a": 1}, "error": "no"}
    upstream.says("GET", "/rooms/ABCD12", httpx.Response(status, json=body, headers=secret))
    upstream.says("POST", "/rooms", httpx.Response(status, json=body, headers=secret))
    for answer in (
        await ask(app, "/v1/rooms/ABCD12"),
        await ask(app, "/v1/rooms", "POST", JSON, b"{}"),
    ):
        told = {name.decode().lower() for name, _ in answer.headers}
        assert told.isdisjoint(name.lower() for name in secret)
        assert b"lk_test_key" not in answer.body
        assert b"lk_test_key" not in b"".join(value for _, value in answer.headers)


BODIES: list[tuple[str, list[tuple[bytes, bytes]], bytes, set[int]]] = [
    ("too large", JSON, b'{"a":"' + b"a" * 70_000 + b'"}', {413}),
    ("announced too large", [*JSON, (b"content-length", b"999999999")], b"{}", {413}),
    ("nested", JSON, b'{"a":' * 20_000 + b"1" + b"}" * 20_000, {400, 413}),
    ("not utf-8", JSON, b'{"a":"\xff\xfe"}', {400}),
    ("not json", JSON, b"a=1", {400}),
    ("not an object", JSON, b"[1]", {400}),
    ("compressed", [*JSON, (b"content-encoding", b"gzip")], gzip.compress(b"{}"), {400, 415}),
    ("lone surrogate", JSON, b'{"playerName":"\\ud800"}', {400, 404}),
    ("great number", JSON, b'{"maxPlayers":1' + b"0" * 5_000 + b"}", {400, 404}),
    ("nan", JSON, b'{"maxPlayers":NaN}', {400}),
    ("nothing", JSON, b"", {400}),
]


@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/games/gm_1/move"])
async def test_a_body_that_means_harm_is_a_problem(app: Litestar, path: str) -> None:
    """Never a 500, whatever it is made of."""
    for name, headers, body, statuses in BODIES:
        answer = await ask(app, path, "POST", headers, body)
        assert answer.status in statuses, name
        check_problem(answer)


FORGED = [
    (b"authorization", b"Bearer " + b"a" * 100_000),
    (b"authorization", b"Bearer \xff\xfe"),
    (b"authorization", b"Bearer a.b.c"),
    (b"authorization", b"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."),
]


async def test_a_forged_token_is_a_problem(app: Litestar, upstream: Upstream) -> None:
    """401, and nobody is asked."""
    for header in FORGED:
        answer = await ask(app, "/v1/rooms", headers=[header])
        assert (answer.status, upstream.arrived) == (401, []), header[1][:40]
        check_problem(answer)


ODD = [
    (b"x-request-id", b"a\r\nSet-Cookie: a=1"),
    (b"x-request-id", b"\xff" * 50),
    (b"traceparent", b"00-" + b"g" * 32 + b"-" + b"1" * 16 + b"-01"),
    (b"if-none-match", b'"' + b"a" * 60_000),
    (b"if-modified-since", b"Sat, 99 Nov 99999 99:99:99 GMT"),
    (b"range", b"bytes=99999999999999999999-"),
    (b"accept", b"*/" * 10_000),
    (b"origin", b"\xff\xfe"),
    (b"content-type", b"\xff"),
    (b"x-forwarded-for", b", ," * 5_000),
]


async def test_an_odd_header_harms_nobody(app: Litestar, upstream: Upstream) -> None:
    """It is taken for what it means, or for nothing; it never comes back."""
    upstream.says("GET", "/rooms", data([]))
    for header in ODD * 3:
        answer = await ask(app, "/v1/rooms", headers=[header])
        assert answer.status < 500
        said = b"".join(name + value for name, value in answer.headers)
        assert b"\r" not in said
        assert b"\xff" not in said


async def test_a_crash_is_a_problem_that_tells_nothing(app: Litestar, upstream: Upstream) -> None:
    """500 with the same members, and not a word of what happened."""
    upstream.says("GET", "/rooms/ABCD12", RuntimeError("lk_test_key leaked"))
    answer = await ask(app, "/v1/rooms/ABCD12")
    assert answer.status == 500
    assert "leaked" not in str(check_problem(answer))
