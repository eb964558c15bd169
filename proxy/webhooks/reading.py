"""A delivery's raw body: bounded in size and in time, and never decoded on the way."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from litestar.types import Receive

DISCARDED: Final = 1024 * 1024
"""Bytes that are still read of a refused body: a sender that is cut off in the middle of it would
see its connection break, and not the answer."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A delivery that is refused before anything of it is looked at; `status` is 4xx."""

    status: int
    type: str
    detail: str


async def read_delivery(
    headers: Mapping[str, str], receive: Receive, *, limit: int, within: float
) -> bytes | Unreadable:
    """The body as it was sent, at most `limit` bytes within `within` seconds, or why not.

    It is counted while it streams, so neither a missing nor a false Content-Length matters.
    """
    unfit = _unfit(headers, limit)
    try:
        async with asyncio.timeout(within):
            found = unfit or await _counted(receive, limit)
            if isinstance(found, Unreadable):
                await _discard(receive)
            return found
    except TimeoutError:
        return unfit or Unreadable(408, "slow-body", f"expected the whole body within {within:g} s")


def headers_of(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by lower-case name; one that is repeated is joined, so it verifies as neither."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _unfit(headers: Mapping[str, str], limit: int) -> Unreadable | None:
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and int(announced[:20]) > limit:
        return _too_large(limit)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return Unreadable(
            415,
            "unsupported-media-type",
            f"expected application/json; found {kind[:100] or 'nothing'}",
        )
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return Unreadable(415, "unsupported-media-type", "expected a body that is not compressed")
    return None


async def _counted(receive: Receive, limit: int) -> bytes | Unreadable:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Unreadable(400, "bad-request", "the sender left before its body was whole")
        piece = cast(bytes, message.get("body", b""))
        if len(body) + len(piece) > limit:
            return _too_large(limit)
        more = message.get("more_body", False)
        if not (body or more):
            return piece  # it came in one
        body += piece
        if not more:
            return bytes(body)


async def _discard(receive: Receive) -> None:
    left = DISCARDED
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        left -= len(cast(bytes, message.get("body", b"")))


def _too_large(limit: int) -> Unreadable:
    return Unreadable(413, "content-too-large", f"expected at most {limit} bytes")
