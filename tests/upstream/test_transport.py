"""Bodies of bounded size, and headers that are not the connection's."""

import gzip
import zlib

import httpx
import pytest

from ludo.upstream.errors import UpstreamMalformed
from ludo.upstream.transport import _ANY_ZLIB, _inflated, end_to_end, read_body


@pytest.mark.parametrize("encoding", ["identity", "GZIP", "x-gzip", "deflate", ""])
async def test_a_body_may_be_as_long_as_its_bound(encoding: str) -> None:
    """And not a byte longer, however it is compressed."""
    plain = b"a" * 100
    packed = {"identity": plain, "": plain, "deflate": zlib.compress(plain)}
    content = packed.get(encoding, gzip.compress(plain))
    chunks = httpx.ByteStream(content)
    assert await read_body(chunks, encoding, most=100) == plain
    with pytest.raises(UpstreamMalformed, match="at most 99 bytes"):
        await read_body(chunks, encoding, most=99)


def test_a_bomb_is_never_unpacked() -> None:
    """At most one byte more than there is room for ever exists."""
    bomb = gzip.compress(bytes(10_000_000))
    assert len(_inflated(zlib.decompressobj(_ANY_ZLIB), bomb, 10)) == 11


async def test_an_empty_body_needs_no_encoding() -> None:
    """A 304 repeats the header of the body that it does not have."""
    assert await read_body(httpx.ByteStream(b""), "gzip") == b""


def test_headers_of_the_connection_stay_here() -> None:
    """Those that RFC 9110 names, and those that the answer itself names; repeated ones are kept."""
    headers = httpx.Headers(
        [
            ("Connection", "X-Hop, close"),
            ("X-Hop", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "5"),
            ("ETag", '"a"'),
            ("Vary", "A"),
            ("Vary", "B"),
        ]
    )
    assert end_to_end(headers).multi_items() == [("etag", '"a"'), ("vary", "A"), ("vary", "B")]


def test_a_value_need_not_be_ascii() -> None:
    """Upstream's headers are kept as they came; one with an umlaut is no reason to fail."""
    given = httpx.Headers([(b"X-Greeting", "grüß dich".encode()), (b"Connection", b"x-gone")])
    assert end_to_end(given).raw == [(b"X-Greeting", "grüß dich".encode())]
