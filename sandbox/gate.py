"""What every request under /v1 passes: key, limit, faults, and the first answer to a keyed POST."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPRequestEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from sandbox.answers import Answer, Refusal
from sandbox.faults import Fault, Faults
from sandbox.idempotency import FirstAnswers, Reused
from sandbox.ratelimit import RateLimit, Standing

MOST: Final = 64 * 1024
"""Bytes that a request's body may have."""
_ROUTES_COUNTED: Final = 10_000
_UNAUTHORIZED: Final = Refusal(
    401, "UNAUTHORIZED", "expected a valid API key as Authorization: Bearer …"
)
_LIMITED: Final = Refusal(
    429, "RATE_LIMITED", "expected fewer requests; X-RateLimit-Reset says when"
)
_TOO_BIG: Final = Refusal(413, "TOO_BIG", f"expected a body of at most {MOST} bytes")
_BUSY: Final = Refusal(503, "BUSY", "expected webhooks to be accepted; too many are pending")
_REUSED: Final = Refusal(
    422, "IDEMPOTENCY_KEY_REUSED", "expected the body that this Idempotency-Key first came with"
)
_DOWN: Final = Refusal(503, "UNAVAILABLE", "the sandbox is down for a moment, as it was told to be")


@dataclass(frozen=True, slots=True)
class _Call:
    """A request with its whole body."""

    route: str
    headers: Mapping[str, str]
    body: bytes


class Gate:
    """The application behind upstream's manners; paths outside /v1, and /v1/health, pass freely.

    `faults` tells the faults in force, `busy` whether no further event should be made now, and
    `now` Unix seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        key: str,
        limit: RateLimit | None,
        faults: Callable[[], Faults],
        busy: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        self._app = app
        self._key = key.encode()
        self._limit = limit
        self._faults = faults
        self._busy = busy
        self._now = now
        self._first = FirstAnswers()
        self._counted: OrderedDict[str, int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != ScopeType.HTTP or not _guarded(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        key = self._presented(headers)
        standing = self._limit.take(key, self._now()) if self._limit else None
        if not key:
            await _send(send, _with(_UNAUTHORIZED.answer({"WWW-Authenticate": "Bearer"}), standing))
        elif standing is not None and not standing.allowed:
            await _send(send, _with(_LIMITED.answer(), standing))
        else:
            await self._suffer(scope, headers, receive, send, standing)

    async def _suffer(
        self,
        scope: HTTPScope,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
        standing: Standing | None,
    ) -> None:
        route = f"{scope['method']} {scope['path']}"
        faults, nth = self._faults(), self._nth(route)
        fault = faults.of_answer(route, nth)
        if fault in (Fault.SERVER_ERROR, Fault.STATE_DOWN):
            await _send(send, _with(_failure(fault, faults.draw(route, nth)), standing))
            return
        if fault is Fault.SLOW:
            await asyncio.sleep(faults.delay(fault, route, nth))
        body = await _whole(receive)
        if body is None:
            answer = _TOO_BIG.answer()
        else:
            answer = await self._answer(scope, _Call(route, headers, body))
        await _send(send, _with(answer, standing), cut=fault is Fault.RESET)

    async def _answer(self, scope: HTTPScope, call: _Call) -> Answer:
        """The application's answer, or the one it gave to the same keyed POST before."""
        idempotency_key = call.headers.get("idempotency-key")
        if scope["method"] != "POST":
            return await _asked(self._app, scope, call.body)
        if idempotency_key:
            first = self._first.find(call.route, idempotency_key, call.body)
            if isinstance(first, Reused):
                return _REUSED.answer()
            if first is not None:
                return first
        if self._busy():
            return _BUSY.answer({"Retry-After": "1"})
        answer = await _asked(self._app, scope, call.body)
        if idempotency_key:
            self._first.keep(call.route, idempotency_key, call.body, answer)
        return answer

    def _presented(self, headers: Mapping[str, str]) -> str:
        """The name under which a caller is counted; "" for one without the right key."""
        scheme, _, presented = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(presented.strip().encode(), self._key)
        return "key" if right and scheme.lower() == "bearer" else ""

    def _nth(self, route: str) -> int:
        """How often the route was asked for, this time included."""
        nth = self._counted.pop(route, 0) + 1
        self._counted[route] = nth
        if len(self._counted) > _ROUTES_COUNTED:
            self._counted.popitem(last=False)
        return nth


def _guarded(path: str) -> bool:
    return path.startswith("/v1/") and path != "/v1/health"


def _failure(fault: Fault | None, draw: int) -> Answer:
    status = 503 if fault is Fault.STATE_DOWN else (500, 502, 503)[draw % 3]
    return Refusal(status, _DOWN.code, _DOWN.error).answer()


def _with(answer: Answer, standing: Standing | None) -> Answer:
    if standing is None:
        return answer
    return Answer(answer.status, answer.body, {**answer.headers, **standing.headers})


async def _whole(receive: Receive) -> bytes | None:
    """The request's body, or None if it is too big or its sender went away."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message["body"]
        if len(body) > MOST:
            return None
        if not message["more_body"]:
            return body


async def _asked(app: ASGIApp, scope: HTTPScope, body: bytes) -> Answer:
    """The application's whole answer to a request whose body was read already."""
    status, content = 500, b""

    async def receive() -> HTTPRequestEvent:
        return HTTPRequestEvent(type="http.request", body=body, more_body=False)

    async def send(message: Message) -> None:
        nonlocal status, content
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            content += message["body"]

    await app(scope, receive, send)
    return Answer(status, content)


async def _send(send: Send, answer: Answer, *, cut: bool = False) -> None:
    """Send an answer; a cut one stops half-way, upon which the server ends the connection."""
    headers = {
        "content-type": "application/json",
        "content-length": str(len(answer.body)),
        **answer.headers,
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    content = answer.body[: len(answer.body) // 2] if cut else answer.body
    await send({"type": "http.response.body", "body": content, "more_body": cut})
