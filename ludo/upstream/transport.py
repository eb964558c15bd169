"""Bytes to and from upstream: the pool of connections, and bodies of bounded size."""

import zlib
from typing import Final, cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

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
_OF_ENCODING: Final = frozenset({"content-encoding", "content-length"})


def pooled_transport(timeouts: Timeouts) -> httpx.AsyncBaseTransport:
    """aiohttp's connections under httpx' interface: no cookies, no proxies of the environment."""
    context = httpx.create_ssl_context(trust_env=False)

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=context, limit=timeouts.connections, keepalive_timeout=timeouts.idle
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=context, trust_env=False, client=session)


async def read_body(response: httpx.Response, most: int = MAX_BODY) -> bytes:
    """The decompressed body; raises UpstreamMalformed beyond `most` bytes, before they exist."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _PLAIN | _ZLIB:
        raise UpstreamMalformed(f"a body in {ACCEPTED_ENCODING}", f"one in {encoding[:40]}")
    inflate = zlib.decompressobj(_ANY_ZLIB) if encoding in _ZLIB else None
    body = bytearray()
    # Not `aiter_raw`, which refuses the ready-made responses of mocked transports.
    stream = cast("httpx.AsyncByteStream", response.stream)
    async for chunk in stream:
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
