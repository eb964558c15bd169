"""The facade's cache in front of any origin: whatever comes is passed on, and headers decide.

This is what the suite needs and production never has: any path, any method, every header passed.
The cache itself, its scripts and its decisions are those of the facade.
"""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import httpx
import yarl

from ludo.store.cache import SharedCache
from ludo.upstream.budget import CallClass
from ludo.upstream.call import Call, UpstreamResponse
from ludo.upstream.errors import UpstreamError, UpstreamUnavailable
from ludo.upstream.transport import end_to_end
from proxy.errors import NothingCached
from proxy.facade.cachestatus import status_of
from proxy.facade.conditions import selected
from proxy.facade.invalidation import invalidated
from proxy.facade.policy import Plan, Scope
from proxy.facade.reading import Reader
from proxy.facade.ready import Ready

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OURS: Final = frozenset(
    {
        "connection",
        "host",
        "content-length",
        "transfer-encoding",
        "keep-alive",
        "if-none-match",
        "if-modified-since",
        "if-range",
        "range",
    }
)
"""What concerns this connection, or is answered from what is kept."""


class RawOrigin:
    """An origin whose answers are taken as they are, whatever their status and encoding."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._http = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(force_close=True),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.close()

    @property
    def stretch(self) -> float:
        """Nothing runs low."""
        return 1.0

    async def request(self, call: Call, *, klass: CallClass) -> UpstreamResponse:
        """See `proxy.facade.fetching.Origin`."""
        return await self.send(call.method, call.route, dict(call.headers), call.body)

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> UpstreamResponse:
        """The answer to one request; raises UpstreamUnavailable if there is none."""
        url = yarl.URL(self._base + target, encoded=True)
        try:
            async with self._http.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as answer:
                content = await answer.read()
                pairs = list(answer.raw_headers)
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamUnavailable(repr(error), sent=True) from error
        given = httpx.Headers(pairs, encoding="latin-1")
        # The body is left as it came, so what describes its encoding stays.
        encoding = [pair for pair in given.raw if pair[0].lower() == b"content-encoding"]
        fields = httpx.Headers([*end_to_end(given).raw, *encoding], encoding="latin-1")
        return UpstreamResponse(answer.status, fields, content, 0.0)


class PassThrough:
    """An ASGI application: reads go through the facade's cache, the rest straight to the origin."""

    def __init__(self, reader: Reader, cache: SharedCache, origin: RawOrigin) -> None:
        self._reader = reader
        self._cache = cache
        self._origin = origin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        headers = _combined(scope["headers"])
        query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        try:
            if scope["method"] in ("GET", "HEAD"):
                ready, extra = await self._read(scope["method"], target, headers)
            else:
                body = await _body(receive)
                ready, extra = await self._pass(scope["method"], target, headers, body)
        except (UpstreamError, NothingCached) as error:
            ready, extra = Ready(502, (), repr(error).encode(), "", 0, 0), {}
        await _answer(send, ready, extra, bodiless=scope["method"] == "HEAD")

    async def _read(
        self, method: str, target: str, headers: Mapping[str, str]
    ) -> tuple[Ready, dict[str, str]]:
        forwarded = {name: value for name, value in headers.items() if name not in _OURS}
        call = Call("GET", target)
        plan = Plan(call, (target,), None, Scope.CALLER, fields=forwarded, passed=None, told=None)
        served = await self._reader.read(plan)
        ready = selected(served.ready, headers)
        return ready, {"age": str(served.age), "cache-status": status_of(served)}

    async def _pass(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Ready, dict[str, str]]:
        sent = {name: value for name, value in headers.items() if name not in ("host",)}
        answer = await self._origin.send(method, target, sent, body)
        if method not in SAFE and answer.status < 400:
            await self._cache.purge(invalidated(target, answer.headers))
        fields = tuple((name.lower(), value) for name, value in answer.headers.raw)
        return Ready(answer.status, fields, answer.body, "", 0, 0), {}


def _combined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    combined: dict[str, list[str]] = {}
    for name, value in raw:
        combined.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: ", ".join(values) for name, values in combined.items()}


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send: Any, ready: Ready, extra: dict[str, str], *, bodiless: bool) -> None:
    # The server knows statuses below 600 only.
    status = ready.status if ready.status < 600 else 502
    own = [(name.encode(), value.encode()) for name, value in extra.items()]
    fields = [pair for pair in ready.fields if pair[0] not in (b"content-length", b"age")]
    length = [] if status in (204, 304) else [(b"content-length", b"%d" % len(ready.body))]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*fields, *own, *length]}
    )
    await send({"type": "http.response.body", "body": b"" if bodiless else ready.body})
