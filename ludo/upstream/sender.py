"""One attempt: a request goes out, and an answer or an error of this room comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

import httpx
import msgspec
import structlog

from ludo.upstream.call import Call, UpstreamResponse
from ludo.upstream.errors import (
    DeadlinePassed,
    UpstreamError,
    UpstreamFailed,
    UpstreamMalformed,
    UpstreamThrottled,
)
from ludo.upstream.pace import rate_window, retry_after, wait_after_429
from ludo.upstream.timeouts import Timeouts
from ludo.upstream.translation import LIBRARY_ERRORS, translated
from ludo.upstream.transport import (
    ACCEPTED_ENCODING,
    Connections,
    Exchange,
    OverHttpx,
    end_to_end,
)

USER_AGENT: Final = "ludo-proxy"
Learn = Callable[[int, int, float], Awaitable[None]]
"""`Budget.learn`."""


class Sender:
    """The connections to one upstream. It follows no redirects and keeps no cookies.

    `learn` hears of the budget that answers tell of; `wall` gives Unix seconds. Close it with
    `aclose`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        learn: Learn,
        timeouts: Timeouts,
        transport: httpx.AsyncBaseTransport | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._learn = learn
        self._timeouts = timeouts
        self._wall = wall
        # Ours and not the pool's, so that waiting for a connection is told from a slow upstream.
        self._slots = asyncio.Semaphore(timeouts.connections)
        self._exchange: Exchange = (
            Connections(timeouts) if transport is None else OverHttpx(transport, timeouts)
        )
        self._headers = _headers(api_key)
        self._log = structlog.get_logger("upstream")

    async def aclose(self) -> None:
        """Close every connection."""
        await self._exchange.aclose()

    async def send(self, call: Call, left: float) -> UpstreamResponse:
        """The answer to one attempt, made in `left` seconds at most; raises UpstreamError."""
        started = time.perf_counter()
        status: int | None = None
        outcome = "cancelled"
        try:
            status, headers, body = await self._exchanged(call, left)
            await self._learn_from(status, headers)
            _check(status, headers, body, self._wall())
            outcome = "answered"
        except UpstreamError as error:
            outcome = type(error).__name__
            raise
        finally:
            elapsed = time.perf_counter() - started
            self._log.info(
                "upstream.called",
                method=call.method,
                route=call.route,
                status=status,
                outcome=outcome,
                ms=round(elapsed * 1000, 1),
            )
        return UpstreamResponse(status, end_to_end(headers), body, elapsed)

    async def _exchanged(self, call: Call, left: float) -> tuple[int, httpx.Headers, bytes]:
        await self._slot(left)
        try:
            async with asyncio.timeout(min(left, self._timeouts.attempt)):
                return await self._answer(call)
        except LIBRARY_ERRORS as error:
            raise translated(error) from error
        finally:
            self._slots.release()

    async def _slot(self, left: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()  # at once: nothing to bound
            return
        try:
            async with asyncio.timeout(left):
                await self._slots.acquire()
        except TimeoutError:
            raise DeadlinePassed("no connection became free in time") from None

    async def _answer(self, call: Call) -> tuple[int, httpx.Headers, bytes]:
        headers = {**self._headers, **call.headers}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        query = f"?{urlencode(call.query)}" if call.query else ""
        url = f"{self._base_url}{call.path}{query}"
        return await self._exchange.exchange(call.method, url, headers, call.body)

    async def _learn_from(self, status: int, headers: httpx.Headers) -> None:
        window = rate_window(headers)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            reset = self._wall() + wait_after_429(headers, self._wall())
            await self._learn(window.limit if window else 0, 0, reset)
        elif window is not None:
            await self._learn(window.limit, window.remaining, window.reset)


def _headers(api_key: str | None) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": ACCEPTED_ENCODING,
        "User-Agent": USER_AGENT,
    }
    if api_key is not None:
        if not (api_key.isascii() and api_key.isprintable() and api_key):
            raise ValueError("expected an API key of visible ASCII")
        headers["Authorization"] = f"Bearer {api_key}"
    return headers


def _check(status: int, headers: httpx.Headers, body: bytes, now: float) -> None:
    """Raises the error that an answer stands for; what is left is for whoever asked."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise UpstreamThrottled(wait_after_429(headers, now))
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise UpstreamFailed(status, retry_after(headers, now))
    if status == httpx.codes.NO_CONTENT:
        return
    if httpx.codes.is_success(status):
        _check_json(body)
    elif not httpx.codes.is_client_error(status) and status != httpx.codes.NOT_MODIFIED:
        raise UpstreamMalformed("an answer", f"the status {status}")


def _check_json(body: bytes) -> None:
    """A page of HTML under a 200 says that something else than upstream answered."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UpstreamMalformed("a body in JSON", "something else") from None
