"""Bytes to and from upstream: the pool of connections, and bodies of bounded size."""

import zlib
from collections.abc import AsyncIterable, Mapping
from typing import Final, Protocol, cast

import aiohttp
import httpx
from yarl import URL

from ludo.upstream.errors import UpstreamMalformed
from ludo.upstream.timeouts import Timeouts

MAX_BODY: Final = 2 * 1024 * 1024
"""Bytes of an answer after decompression."""
ACCEPTED_ENCODING: Final = "gzip"
_ANY_ZLIB: Final = 32 + zlib.MAX_WBITS
"""Tells zlib to recognise gzip and zlib by their headers."""
_PLAIN: Final = frozenset({"", "identity"})
_ZLIB: Final = frozenset({"gzip", "x-gzip", "deflate"})
_OF_CONNECTION: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_CHUNK: Final = 64 * 1024
_OF_ENCODING: Final = frozenset({"content-encoding", "content-length"})


class Exchange(Protocol):
    """One request and its whole answer: status, header fields, decompressed body."""

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """Raises LIBRARY_ERRORS, or UpstreamMalformed for a body that is none."""

    async def aclose(self) -> None:
        """Close every connection."""


class Connections:
    """aiohttp's connections, asked directly: httpx around them would cost more than they do.

    It follows no redirects, keeps no cookies and knows no proxies of the environment.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._context = httpx.create_ssl_context(trust_env=False)
        self._session: aiohttp.ClientSession | None = None

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """See `Exchange`."""
        async with self._opened().request(
            method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
        ) as answer:
            encoding = answer.headers.get("content-encoding", "")
            content = await read_body(answer.content.iter_chunked(_CHUNK), encoding)
            return answer.status, httpx.Headers(answer.raw_headers), content

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # Not before the first call: aiohttp wants the loop that it will run on.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=self._context,
                limit=self._timeouts.connections,
                keepalive_timeout=self._timeouts.idle,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                # The attempt as a whole is bounded by whoever makes it.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect),
            )
        return self._session


class OverHttpx:
    """Any connections that have httpx' interface, such as those of a test."""

    def __init__(self, transport: httpx.AsyncBaseTransport, timeouts: Timeouts) -> None:
        self._transport = transport
        timeout = httpx.Timeout(timeouts.attempt, connect=timeouts.connect)
        self._extensions = {"timeout": timeout.as_dict()}

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """See `Exchange`."""
        request = httpx.Request(
            method, url, headers=headers, content=body, extensions=self._extensions
        )
        answer = await self._transport.handle_async_request(request)
        try:
            # Not `aiter_raw`, which refuses the ready-made responses of mocked transports.
            stream = cast("httpx.AsyncByteStream", answer.stream)
            content = await read_body(stream, answer.headers.get("content-encoding", ""))
        finally:
            await answer.aclose()
        return answer.status_code, answer.headers, content

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


async def read_body(chunks: AsyncIterable[bytes], encoding: str, most: int = MAX_BODY) -> bytes:
    """The decompressed body; raises UpstreamMalformed beyond `most` bytes, before they exist."""
    encoding = encoding.strip().lower()
    if encoding not in _PLAIN | _ZLIB:
        raise UpstreamMalformed(f"a body in {ACCEPTED_ENCODING}", f"one in {encoding[:40]}")
    inflate = zlib.decompressobj(_ANY_ZLIB) if encoding in _ZLIB else None
    body = bytearray()
    async for chunk in chunks:
        body += _inflated(inflate, chunk, most - len(body)) if inflate else chunk
        if len(body) > most:
            raise UpstreamMalformed(f"a body of at most {most} bytes", "a longer one")
    if inflate is not None and body and not inflate.eof:
        raise UpstreamMalformed(f"a whole body in {encoding}", "one that breaks off")
    return bytes(body)


def _inflated(inflate: "zlib._Decompress", chunk: bytes, room: int) -> bytes:
    """At most one byte more than there is room for: a bomb is never unpacked."""
    try:
        return inflate.decompress(chunk, room + 1)
    except zlib.error as error:
        raise UpstreamMalformed("a compressed body", f"something else ({error})") from None


def end_to_end(headers: httpx.Headers) -> httpx.Headers:
    """The headers that say something about the answer rather than about the connection.

    Those that the Connection header names are dropped too (RFC 9110 §7.6.1).
    """
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    dropped = _OF_CONNECTION | _OF_ENCODING | named
    kept = [(n, v) for n, v in headers.raw if n.decode("latin-1").lower() not in dropped]
    # The bytes as they came, because a value need not be ASCII (RFC 9110 §5.5).
    return httpx.Headers(kept, encoding=headers.encoding)
