"""A delivery's raw body: bounded in size and in time, and never decoded on the way."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from litestar import Request

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
    request: Request[Any, Any, Any], *, limit: int, within: float
) -> bytes | Unreadable:
    """The body as it was sent, at most `limit` bytes within `within` seconds, or why not.

    It is counted while it streams, so neither a missing nor a false Content-Length matters.
    """
    unfit = _unfit(request.headers, limit)
    try:
        async with asyncio.timeout(within):
            found = unfit or await _counted(request, limit)
            if isinstance(found, Unreadable):
                await _discard(request)
            return found
    except TimeoutError:
        return unfit or Unreadable(408, "slow-body", f"expected the whole body within {within:g} s")


def headers_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The headers by lower-case name; one that is repeated is joined, so it verifies as neither."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
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


async def _counted(request: Request[Any, Any, Any], limit: int) -> bytes | Unreadable:
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return Unreadable(400, "bad-request", "the sender left before its body was whole")
        body += cast(bytes, message.get("body", b""))
        if len(body) > limit:
            return _too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)


async def _discard(request: Request[Any, Any, Any]) -> None:
    left = DISCARDED
    while left > 0:
        message = await request.receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        left -= len(cast(bytes, message.get("body", b"")))


def _too_large(limit: int) -> Unreadable:
    return Unreadable(413, "content-too-large", f"expected at most {limit} bytes")
